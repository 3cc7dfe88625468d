"""Arguments of DraDriver, and of the DeviceClasses of its slices."""

from corral.catalogue.vocabulary import Addon, SharingKind
from corral.components.device_classes import DeviceClasses, DeviceClassesArgs
from corral.components.dra_driver import DraDriver, DraDriverArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import FurtherWiring, Wiring


def dra_driver_args(context: DeployContext) -> DraDriverArgs | None:
    """The DRA driver for the nodes' platform; None: it is there already."""
    if context.existing(Addon.DRA_DRIVER):
        return None
    return {
        "platform": context.plan.cluster.platform,
        "supply": context.supply,
        "dynamic_mig": any(pool.sharing is SharingKind.MIG_DYNAMIC for pool in context.plan.pools),
        "mig_layouts": any(pool.mig_configs for pool in context.plan.pools),
    }


def device_classes_args(context: DeployContext) -> DeviceClassesArgs | None:
    """A class per MIG profile; None: the plan has none."""
    classes = context.plan.device_classes
    if not classes:
        return None
    return {"slices": [{"name": one.name, "profile": one.profile} for one in classes]}


WIRING = Wiring(DraDriver, dra_driver_args)
FURTHER = [FurtherWiring(DeviceClasses, device_classes_args, name="device-classes")]
