"""Devices by name: one DeviceClass per MIG profile."""

from corral.components.device_classes.component import DeviceClasses, DeviceClassesArgs, SliceClass

__all__ = ["DeviceClasses", "DeviceClassesArgs", "SliceClass"]
