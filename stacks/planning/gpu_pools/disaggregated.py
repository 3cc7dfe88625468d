"""Whole GPUs for a model whose prompts other replicas read than those that write its answers."""

from collections.abc import Sequence
from dataclasses import replace

from corral.catalogue.attention import Stateful
from corral.catalogue.disaggregation import prefill_name
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import ModelSection, Prefill, Replicas
from corral.stacks.planning.gpu_pools.allocators import PoolAllocator
from corral.stacks.planning.gpu_pools.placement import PoolPlacement, Replica, place
from corral.stacks.planning.gpu_pools.whole import WholeAllocator


def place_decode(path: str, need: Replica, allocators: Sequence[PoolAllocator]) -> PoolPlacement | Problem:
    """Whole GPUs of one pool for all replicas that write answers, reserved there; or why there are none."""
    model = need.model
    able = [one for one in allocators if isinstance(one, WholeAllocator)]
    if any(model.pool in (None, one.pool.name) for one in able):
        return place(path, need, able)
    kinds = ", ".join(f"pool {one.pool.name} has {one.pool.sharing.kind.value}" for one in allocators)
    where = kinds or "there is no GPU pool"
    return Problem(path, f"{model.name} needs whole GPUs", f"{where}: use a pool with sharing: whole")


def place_prefill(
    path: str, need: Replica, allocators: Sequence[PoolAllocator], decode: PoolPlacement
) -> PoolPlacement | Problem:
    """The same for those that read its prompts, whose `decode` is already placed.

    Both sides must have the same attention backend (docs/features/nixl_connector_compatibility.md of vLLM),
    which vLLM chooses by compute capability; and states of layers, unlike caches, are not divided anew.
    """
    model = need.model
    assert model.prefill is not None
    section = prefill_section(model, model.prefill, decode)
    placed = place_decode(path, replace(need, model=section), allocators)
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
    if isinstance(need.facts.attention, Stateful) and placed.count != decode.count:
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
