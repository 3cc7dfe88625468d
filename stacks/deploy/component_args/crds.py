"""Arguments of Crds."""

from corral.catalogue.vocabulary import Addon
from corral.components.crds import CrdsArgs, CrdSet
from corral.stacks.deploy.component_args.context import DeployContext


def gateway_api_args(context: DeployContext) -> CrdsArgs:
    """The resource types of the Gateway API."""
    return {"set": CrdSet.GATEWAY_API, **context.installed(Addon.GATEWAY_API)}


def prometheus_crds_args(context: DeployContext) -> CrdsArgs:
    """The resource types of the Prometheus operator."""
    return {"set": CrdSet.PROMETHEUS, **context.installed(Addon.PROMETHEUS_CRDS)}
