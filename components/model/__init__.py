"""A served model."""

from corral.components.model.args import (
    DeviceClaim,
    DeviceResource,
    LoraAdapter,
    ModelArgs,
    ModelFile,
    NodeCache,
    Prefill,
    SourceAccess,
)
from corral.components.model.component import Model
from corral.components.model.scaling import EngineTrigger, ModelScaling

__all__ = [
    "DeviceClaim",
    "DeviceResource",
    "EngineTrigger",
    "LoraAdapter",
    "Model",
    "ModelArgs",
    "ModelFile",
    "ModelScaling",
    "NodeCache",
    "Prefill",
    "SourceAccess",
]
