"""Arguments of DraDriver."""

from corral.catalogue.vocabulary import Addon, SharingKind
from corral.components.dra_driver import DraDriverArgs
from corral.stacks.deploy.component_args.context import DeployContext


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
