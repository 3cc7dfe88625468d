"""A served model."""

from corral.components.model.args import (
    DeviceClaim,
    DeviceResource,
    ModelArgs,
    ModelFile,
    NodeCache,
    SourceAccess,
)
from corral.components.model.component import Model
from corral.components.model.scaling import ModelScaling

__all__ = [
    "DeviceClaim",
    "DeviceResource",
    "Model",
    "ModelArgs",
    "ModelFile",
    "ModelScaling",
    "NodeCache",
    "SourceAccess",
]
