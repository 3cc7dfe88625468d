"""Arguments of KServe."""

from corral.catalogue.vocabulary import Addon
from corral.components.cert_manager import CertManager
from corral.components.kserve import KServe, KServeArgs
from corral.components.pre_pulled_images import PrePulledImages, PrePulledImagesArgs
from corral.stacks.deploy.component_args.context import DeployContext
from corral.stacks.deploy.wiring import FurtherWiring, Wiring


def kserve_args(context: DeployContext) -> KServeArgs:
    """KServe as the plan has it."""
    args: KServeArgs = {**context.installed(Addon.KSERVE), **context.watched(Addon.KSERVE)}
    cert_manager = context.built.get(CertManager)
    if cert_manager is not None:
        args["cert_manager"] = cert_manager.namespace
    if context.plan.model_caches:
        args["cache_jobs"] = context.plan.addon(Addon.MODEL_STORAGE).namespace
    return args


def pre_pulled_args(context: DeployContext) -> PrePulledImagesArgs | None:
    """Images that nodes hold before a replica comes."""
    if not context.plan.pre_pulls:
        return None
    return {
        "pools": [{"pool": one.pool, "engines": list(one.engines)} for one in context.plan.pre_pulls],
        "supply": context.supply,
    }


WIRING = Wiring(KServe, kserve_args)
FURTHER = (FurtherWiring(PrePulledImages, pre_pulled_args, "pre-pulled-images", (Addon.ADMISSION,)),)
