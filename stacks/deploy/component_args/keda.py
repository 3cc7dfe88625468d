"""Arguments of Keda."""

from corral.catalogue.vocabulary import Addon
from corral.components.keda import Keda, KedaArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def keda_args(context: DeployContext) -> KedaArgs:
    """KEDA before the models of the plan."""
    args: KedaArgs = {
        **context.installed(Addon.KEDA),
        **context.watched(Addon.KEDA),
        "gateway": context.plan.addon(Addon.ENVOY_GATEWAY).namespace,
        "scraper": context.scraper,
    }
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    if context.plan.gateway is not None:
        args["drain_seconds"] = context.plan.gateway.timeout_seconds
    return args


WIRING = Wiring(Keda, keda_args)
