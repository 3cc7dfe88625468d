"""Admission of the sovereignty controls."""

from corral.components.admission.component import Admission, AdmissionArgs, ExceptedControl
from corral.components.admission.guards import GUARDED
from corral.components.admission.signatures import ImageSignatures, PrivateSigstore

__all__ = ["GUARDED", "Admission", "AdmissionArgs", "ExceptedControl", "ImageSignatures", "PrivateSigstore"]
