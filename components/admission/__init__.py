"""Admission of the sovereignty controls."""

from corral.components.admission.component import Admission, AdmissionArgs, ExceptedControl

__all__ = ["Admission", "AdmissionArgs", "ExceptedControl"]
