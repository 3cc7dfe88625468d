"""Arguments of EfaDevicePlugin."""

from corral.catalogue.vocabulary import Addon, Fabric
from corral.components.efa_device_plugin import EfaDevicePlugin, EfaDevicePluginArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def efa_device_plugin_args(context: DeployContext) -> EfaDevicePluginArgs | None:
    """The device plugin on the pools with AWS's fabric; None: there are none."""
    pools = [pool.name for pool in context.plan.pools if pool.fabric is Fabric.EFA]
    if not pools:
        return None
    return {
        **context.installed(Addon.EFA_DEVICE_PLUGIN),
        "pools": pools,
        "namespace": context.plan.addon(Addon.EFA_DEVICE_PLUGIN).namespace,
    }


WIRING = Wiring(EfaDevicePlugin, efa_device_plugin_args)
