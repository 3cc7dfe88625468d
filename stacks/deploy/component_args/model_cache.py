"""Arguments of ModelCache."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.kserve import KServe
from corral.components.kyverno import Kyverno
from corral.components.model_cache import ModelCache, ModelCacheArgs
from corral.components.model_storage import ModelStorage
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import Wiring


def model_cache_args(context: DeployContext) -> ModelCacheArgs | None:
    """Pools that keep models of the store."""
    storage, kserve = context.built.get(ModelStorage), context.built.get(KServe)
    certificates, kyverno = context.built.get(CertManager), context.built.get(Kyverno)
    if storage is None:
        return None
    args: ModelCacheArgs = {
        **context.installed(Addon.MODEL_CACHE),
        "pools": [{"pool": one.pool, "room_gib": one.room_gib} for one in context.plan.model_caches],
        "store": storage.store,
    }
    if kserve is not None:
        args["namespace"] = kserve.namespace
    if certificates is not None:
        args["cert_manager"] = certificates.namespace
    if kyverno is not None:
        args["kyverno_types"] = kyverno.namespace
    return args


WIRING = Wiring(ModelCache, model_cache_args)
