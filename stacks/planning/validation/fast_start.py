"""Keys `local-cache` of `models[]` and `pre-pull` of `gpu-pools[]`: what the cluster and its addons allow."""

from collections.abc import Iterator

from corral.catalogue.clusters import clusters
from corral.catalogue.stores import KEYLESS
from corral.catalogue.vocabulary import Addon, AddonState, Weights
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.results.addons import AddonStates

ABLE = tuple(kind.value for kind, one in clusters().items() if one.local_model_cache)


def check_fast_start(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Images that no node pulls, and caches that KServe could not fill."""
    for index, pool in enumerate(config.gpu_pools):
        if pool.pre_pull and not config.cluster.capabilities.pulls_images:
            reason = f"nodes of cluster kind {config.cluster.kind.value} run programs and pull no image"
            yield Problem(f"gpu-pools[{index}].pre-pull", "true", f"{reason}: leave pre-pull out")
    cached = {one.path: one.section for one in config.served_models if one.section.local_cache}
    for path, model in cached.items():
        where = f"{path}.local-cache"
        if model.weights is Weights.SIMULATED:
            yield Problem(where, "true", "simulated weights have no files: leave local-cache out")
        if not config.cluster.capabilities.local_model_cache:
            kind = config.cluster.kind.value
            yield Problem(
                where, "true", f"no node keeps models on cluster kind {kind}: {', '.join(ABLE)} can"
            )
    if not cached:
        return
    first = next(iter(cached))
    if config.model_storage.kind in KEYLESS:
        reason = (
            f"{first}.local-cache: KServe's download jobs have no identity of the cloud; use kind existing "
            "or seaweedfs, which a key opens, or leave local-cache out"
        )
        yield Problem("model-storage.kind", config.model_storage.kind.value, reason)
    if config.sovereignty.pull_secret is not None:
        reason = (
            f"{first}.local-cache: the chart of KServe's agent takes no pull secret; let the nodes hold the "
            "registry's credential, or leave local-cache out"
        )
        yield Problem("sovereignty.pull-secret", config.sovereignty.pull_secret, reason)
    if states[Addon.MODEL_CACHE] is AddonState.OFF:
        reason = f"{first}.local-cache: it keeps models on nodes; use managed, or leave local-cache out"
        yield Problem("addons.model-cache", "off", reason)
    if states[Addon.KSERVE] is not AddonState.MANAGED:
        reason = f"{first}.local-cache: KServe must be told of it when it is installed; use managed"
        yield Problem("addons.kserve", states[Addon.KSERVE].value, reason)
