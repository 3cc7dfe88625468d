"""Arguments of EnvoyGateway."""

from corral.catalogue.addons import definition
from corral.catalogue.vocabulary import Addon
from corral.components.envoy_gateway import EnvoyGateway, EnvoyGatewayArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def envoy_gateway_args(context: DeployContext) -> EnvoyGatewayArgs:
    """Envoy Gateway as the plan has it."""
    types, _ = definition(Addon.GATEWAY_API)
    args: EnvoyGatewayArgs = {
        **context.installed(Addon.ENVOY_GATEWAY),
        "gateway_types": types,
        "scraper": context.scraper,
    }
    if context.capabilities.controller_replicas is not None:
        args["replicas"] = context.capabilities.controller_replicas
    return args


WIRING = Wiring(EnvoyGateway, envoy_gateway_args)
