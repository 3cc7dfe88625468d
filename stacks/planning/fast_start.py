"""What nodes keep before a replica comes: which models and images, and how much room they take."""

from collections.abc import Iterator, Mapping, Sequence

from corral.catalogue.quantities import GIB, gib, gibibytes
from corral.catalogue.vocabulary import Load, Weights
from corral.stacks.config.errors import Problem
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.defaults import ModelRequest
from corral.stacks.planning.gpu_pools.placement import PoolPlacement
from corral.stacks.planning.model_files import file_bytes, model_files
from corral.stacks.planning.results.fast_start import CachedModel, ModelCachePlan, PrePullPlan
from corral.stacks.planning.results.models import ModelPlan

SAFETENSORS = ".safetensors"


def model_caches(models: Sequence[ModelPlan], pools: Sequence[GpuPool]) -> tuple[ModelCachePlan, ...]:
    """The cache of each pool that keeps models, in the order of the stack file."""
    kept = {
        pool.name: tuple(
            CachedModel(one.storage_path, one.files_gib)
            for one in models
            if one.local_cache and one.pool == pool.name
        )
        for pool in pools
    }
    return tuple(
        ModelCachePlan(
            pool.name,
            sum(one.size_gib for one in kept[pool.name])
            if pool.model_cache is None
            else gibibytes(pool.model_cache),
            kept[pool.name],
        )
        for pool in pools
        if kept[pool.name]
    )


def pre_pulls(models: Sequence[ModelPlan], pools: Sequence[GpuPool]) -> tuple[PrePullPlan, ...]:
    """Pools that hold images early, each with the engines placed on it."""
    chosen = {
        pool.name: tuple(
            dict.fromkeys(
                model.engine for model in models if pool.name in [one.pool for one in model.workloads]
            )
        )
        for pool in pools
        if pool.pre_pull
    }
    return tuple(PrePullPlan(pool, engines) for pool, engines in chosen.items() if engines)


def fast_start_problems(
    requests: Sequence[ModelRequest],
    placed: Sequence[PoolPlacement | Problem],
    pools: Sequence[GpuPool],
    locked: Mapping[str, LockedModel],
) -> Iterator[Problem]:
    """Caches that do not fit on a node or have nothing to keep, streams of files that have no tensors."""
    where = {
        one.path: place.pool
        for one, place in zip(requests, placed, strict=True)
        if isinstance(place, PoolPlacement)
    }
    by_name = {pool.name: pool for pool in pools}
    for one in requests:
        files = model_files(one.config, one.spec, locked)
        real = one.config.weights is Weights.REAL
        if one.config.load is Load.STREAM and files and not any(f.name.endswith(SAFETENSORS) for f in files):
            reason = f"its source has no {SAFETENSORS} file, and nothing else is streamed: leave load out"
            yield Problem(f"{one.path}.load", one.config.load.value, reason)
        if one.config.local_cache and real and not files:
            reason = "nodes keep files that are known: run corral lock --models"
            yield Problem(f"{one.path}.local-cache", "files not locked", reason)
        pool = by_name.get(where.get(one.path, ""))
        if one.config.local_cache and pool is not None and not pool.nodes.names:
            reason = (
                f"nodes of pool {pool.name} are made on demand and come with an empty disk: use a pool whose "
                "nodes have names, or leave it out"
            )
            yield Problem(f"{one.path}.local-cache", f"pool {pool.name}", reason)
    for index, pool in enumerate(pools):
        if pool.model_cache is None:
            continue
        kept = [one for one in requests if one.config.local_cache and where.get(one.path) == pool.name]
        sizes = [file_bytes(one.config, one.spec, locked) for one in kept]
        needed = sum(-(-size // GIB) for size in sizes)
        path = f"gpu-pools[{index}].model-cache"
        if not kept:
            reason = "no model with local-cache: true is placed on it: leave model-cache out"
            yield Problem(path, pool.model_cache, reason)
        elif needed > gibibytes(pool.model_cache):
            names = ", ".join(f"{one.config.name} {gib(size)}" for one, size in zip(kept, sizes, strict=True))
            reason = f"each node keeps {names}, which need {needed}Gi: use that, or leave model-cache out"
            yield Problem(path, pool.model_cache, reason)
