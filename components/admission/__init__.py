"""Admission of the sovereignty controls."""

from corral.components.admission.component import Admission, AdmissionArgs

__all__ = ["Admission", "AdmissionArgs"]
