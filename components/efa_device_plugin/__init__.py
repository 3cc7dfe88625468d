"""AWS's device plugin of the Elastic Fabric Adapter."""

from corral.components.efa_device_plugin.component import EfaDevicePlugin, EfaDevicePluginArgs

__all__ = ["EfaDevicePlugin", "EfaDevicePluginArgs"]
