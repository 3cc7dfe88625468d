"""Arguments of Crds for the Gateway API."""

from corral.catalogue.vocabulary import Addon
from corral.components.crds import Crds, CrdsArgs, CrdSet
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def gateway_api_args(context: DeployContext) -> CrdsArgs:
    """The resource types of the Gateway API."""
    return {"set": CrdSet.GATEWAY_API, **context.installed(Addon.GATEWAY_API)}


WIRING = Wiring(Crds, gateway_api_args)
