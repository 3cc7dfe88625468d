"""Arguments of RateLimitStore."""

from corral.catalogue.vocabulary import Addon
from corral.components.rate_limit_store import RateLimitStore, RateLimitStoreArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.secrets import secret
from corral.stacks.deploy.wiring import Wiring

PASSWORD = "token-limits-password"


def rate_limit_store_args(context: DeployContext) -> RateLimitStoreArgs:
    """The store of counts."""
    return {
        **context.volumes,
        "supply": context.supply,
        "password": secret(PASSWORD),
        "clients": context.plan.addon(Addon.ENVOY_GATEWAY).namespace,
        "protect": context.capabilities.protects_data,
    }


WIRING = Wiring(RateLimitStore, rate_limit_store_args)
