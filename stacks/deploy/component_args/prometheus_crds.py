"""Arguments of Crds for the Prometheus operator."""

from corral.catalogue.vocabulary import Addon
from corral.components.crds import Crds, CrdsArgs, CrdSet
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def prometheus_crds_args(context: DeployContext) -> CrdsArgs:
    """The resource types of the Prometheus operator."""
    return {"set": CrdSet.PROMETHEUS, **context.installed(Addon.PROMETHEUS_CRDS)}


WIRING = Wiring(Crds, prometheus_crds_args)
