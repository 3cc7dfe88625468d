"""Nodes for a model whose replicas span several: all GPUs of each node, a stage of the model on every one."""

from collections.abc import Sequence
from dataclasses import replace

from corral.catalogue.quantities import gib
from corral.catalogue.vocabulary import SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.gpu_pools.allocators import PoolAllocator
from corral.stacks.planning.gpu_pools.devices import DeviceKind, node_names
from corral.stacks.planning.gpu_pools.placement import PARALLEL, PoolPlacement, Replica
from corral.stacks.planning.gpu_pools.whole import WholeAllocator
from corral.stacks.planning.memory.sizing import splits
from corral.stacks.planning.memory.stages import stage
from corral.stacks.planning.results.models import MemoryPlan


def place_across(path: str, whole: Replica, allocators: Sequence[PoolAllocator]) -> PoolPlacement | Problem:
    """Nodes of one pool for all replicas of a model, reserved there; or why there are none.

    Of the pools that hold it, the one with the least memory.
    """
    model, stages = whole.model, whole.model.pipeline_parallel
    named = [one for one in allocators if model.pool in (None, one.pool.name)]
    why = {one.pool.name: _unable(one.pool, whole) for one in named}
    able = [one for one in named if isinstance(one, WholeAllocator) and not why[one.pool.name]]
    if not able:
        where = "; ".join(f"pool {name} {reason}" for name, reason in why.items()) or "there is no GPU pool"
        reason = f"{where}: use a pool of whole GPUs with {stages} nodes or more"
        return Problem(path, f"{model.name} spans {stages} nodes", reason)
    need = replace(whole, facts=stage(whole.facts, stages))
    options = [(one, device) for one in able for device in one.devices()]
    options.sort(key=lambda one: _bytes(*one))
    fitting = [(one, device) for one, device in options if _memory(need, one, device).free >= 0]
    if not fitting:
        return _too_large(path, need, options)
    for allocator, device in fitting:
        used = _memory(need, allocator, device).used
        if allocator.take_nodes(stages, model.replicas.max, (model.name, used)):
            fit = need.fit(device, allocator.pool.gpus_per_node)
            return PoolPlacement(**vars(fit), pool=allocator.pool.name, nodes=stages)
    left = ", ".join(f"{one.empty_nodes} of pool {one.pool.name}" for one, _ in fitting)
    reason = f"nodes without another model are {left}; use more nodes, or fewer models and replicas"
    return Problem(path, f"{model.name} needs {model.replicas.max} x {stages} nodes", reason)


def _unable(pool: GpuPool, need: Replica) -> str:
    """Why no replica spans nodes of `pool`; empty: one may."""
    model, nodes, gpus = need.model, len(node_names(pool)), pool.gpus_per_node
    if pool.sharing.kind is not SharingKind.WHOLE:
        return f"has GPUs in parts ({pool.sharing.kind.value}), and parts have no path between them"
    if nodes < model.pipeline_parallel:
        return f"has {nodes} node{'s' if nodes > 1 else ''}"
    if model.tensor_parallel not in (None, gpus):
        stated = f"tensor-parallel is {model.tensor_parallel}"
        return f"has {gpus} GPUs a node, all of which a stage takes, and {stated}"
    if gpus not in PARALLEL or not splits(need.facts, need.engine, gpus):
        return (
            f"has {gpus} GPUs a node, which {need.facts.attention.heads} attention heads do not divide among"
        )
    return ""


def _memory(need: Replica, allocator: WholeAllocator, device: DeviceKind) -> MemoryPlan:
    return need.on(device, allocator.pool.gpus_per_node)


def _bytes(allocator: WholeAllocator, device: DeviceKind) -> int:
    """Memory of one node."""
    return device.usable * allocator.pool.gpus_per_node


def _too_large(path: str, need: Replica, options: Sequence[tuple[WholeAllocator, DeviceKind]]) -> Problem:
    allocator, device = options[-1]
    stages, number = need.model.pipeline_parallel, allocator.pool.gpus_per_node
    used = gib(_memory(need, allocator, device).used)
    name, where = need.model.name, f"{number} x {gib(device.usable)} of a node of pool {allocator.pool.name}"
    return Problem(
        path,
        f"{name} needs {used} of each GPU for its largest of {stages} stages",
        f"there are {where}; use more stages, a smaller context or a larger device",
    )
