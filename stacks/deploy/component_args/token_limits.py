"""Arguments of RateLimitStore."""

from corral.catalogue.vocabulary import Addon
from corral.components.rate_limit_store import RateLimitStore, RateLimitStoreArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.secrets import secret
from corral.stacks.deploy.wiring import Wiring

PASSWORD = "token-limits-password"


def rate_limit_store_args(context: DeployContext) -> RateLimitStoreArgs:
    """The store of counts."""
    args: RateLimitStoreArgs = {
        **context.volumes,
        "supply": context.supply,
        "clients": context.plan.addon(Addon.ENVOY_GATEWAY).namespace,
        "protect": context.capabilities.protects_data,
    }
    store = context.secret_store
    if store is None:
        args["password"] = secret(PASSWORD)
    else:
        args["secret_store"] = store
    return args


WIRING = Wiring(RateLimitStore, rate_limit_store_args)
