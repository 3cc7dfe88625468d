"""Whole GPUs for a model whose prompts other replicas read than those that write its answers."""

from collections.abc import Sequence

from corral.catalogue.attention import Stateful
from corral.catalogue.disaggregation import prefill_name
from corral.catalogue.models import ModelSpec
from corral.catalogue.vocabulary import Engine
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import ModelSection, Prefill, Replicas
from corral.stacks.planning.gpu_pools.allocators import PoolAllocator
from corral.stacks.planning.gpu_pools.placement import PoolPlacement, place
from corral.stacks.planning.gpu_pools.whole import WholeAllocator


def place_decode(
    path: str,
    model: ModelSection,
    facts: ModelSpec,
    engine: Engine,
    context: int,
    allocators: Sequence[PoolAllocator],
) -> PoolPlacement | Problem:
    """GPUs for all replicas of `model` that write answers, reserved in their pool; or why there are none."""
    return _whole(path, model, facts, engine, context, allocators)


def place_prefill(
    path: str,
    model: ModelSection,
    facts: ModelSpec,
    engine: Engine,
    context: int,
    allocators: Sequence[PoolAllocator],
    decode: PoolPlacement,
) -> PoolPlacement | Problem:
    """The same for those that read its prompts, whose `decode` is already placed.

    Both sides must have the same attention backend (docs/features/nixl_connector_compatibility.md of vLLM),
    which vLLM chooses by compute capability; and states of layers, unlike caches, are not divided anew.
    """
    assert model.prefill is not None
    placed = _whole(path, prefill_section(model, model.prefill, decode), facts, engine, context, allocators)
    if isinstance(placed, Problem):
        return placed
    pools = {one.pool.name: one.pool for one in allocators}
    here, there = pools[placed.pool], pools[decode.pool]
    capability, other = placed.device.capability, decode.device.capability
    if here.gpu != there.gpu and (capability is None or capability != other):
        reason = (
            f"pool {there.name} of the model has {there.gpu}: both sides need one attention backend, which "
            f"follows the compute capability, {capability or 'unknown'} and {other or 'unknown'}; use pool "
            f"{there.name}, or one with {there.gpu}"
        )
        return Problem(f"{path}.pool", f"{here.name} with {here.gpu}", reason)
    if isinstance(facts.attention, Stateful) and placed.count != decode.count:
        reason = (
            f"states of layers move between equal numbers of GPUs alone: use {decode.count}, as the model"
        )
        return Problem(f"{path}.tensor-parallel", str(placed.count), reason)
    return placed


def prefill_section(model: ModelSection, prefill: Prefill, decode: PoolPlacement) -> ModelSection:
    """`prefill` of `model` with every key that its replicas have."""
    own = {
        "name": prefill_name(model.name),
        "replicas": Replicas(min=prefill.replicas, max=prefill.replicas),
        "pool": prefill.pool or decode.pool,
        "tensor_parallel": prefill.tensor_parallel or decode.count,
        "prefill": None,
    }
    return model.model_copy(update=own)


def _whole(
    path: str,
    model: ModelSection,
    facts: ModelSpec,
    engine: Engine,
    context: int,
    allocators: Sequence[PoolAllocator],
) -> PoolPlacement | Problem:
    able = [one for one in allocators if isinstance(one, WholeAllocator)]
    if any(model.pool in (None, one.pool.name) for one in able):
        return place(path, model, facts, engine, context, able)
    kinds = ", ".join(f"pool {one.pool.name} has {one.pool.sharing.kind.value}" for one in allocators)
    where = kinds or "there is no GPU pool"
    return Problem(path, f"{model.name} needs whole GPUs", f"{where}: use a pool with sharing: whole")
