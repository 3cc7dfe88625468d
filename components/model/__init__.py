"""A served model."""

from corral.components.model.args import DeviceClaim, ModelArgs, ModelFile, ModelStore
from corral.components.model.component import Model

__all__ = ["DeviceClaim", "Model", "ModelArgs", "ModelFile", "ModelStore"]
