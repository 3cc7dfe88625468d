"""A served model."""

from corral.components.model.args import DeviceClaim, DeviceResource, ModelArgs, ModelFile, SourceAccess
from corral.components.model.component import Model

__all__ = ["DeviceClaim", "DeviceResource", "Model", "ModelArgs", "ModelFile", "SourceAccess"]
