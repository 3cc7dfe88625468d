"""Allocator of a pool of whole GPUs."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import SharingKind
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.gpu_pools.devices import (
    DeviceKind,
    Occupant,
    node_names,
    occupied,
    pool_plan,
    positions,
)
from corral.stacks.planning.results.models import ReplicaPlacement
from corral.stacks.planning.results.pools import GpuPlan, PoolPlan


@dataclass
class WholeAllocator:
    """Whole GPUs; the GPUs of one replica are on one node."""

    pool: GpuPool
    free_gpus: dict[str, int] = field(default_factory=dict[str, int])
    held: list[tuple[str, int, int, Occupant]] = field(default_factory=list[tuple[str, int, int, Occupant]])
    """(node, first GPU, GPUs, tenant)."""

    def __post_init__(self) -> None:
        self.free_gpus = dict.fromkeys(node_names(self.pool), self.pool.gpus_per_node)

    def devices(self) -> Sequence[DeviceKind]:
        gpu = gpus()[self.pool.gpu]
        return (DeviceKind(None, gpu.usable, self.pool.gpus_per_node, capability=gpu.compute_capability),)

    def free(self, device: DeviceKind) -> int:
        return sum(self.free_gpus.values())

    def take(self, device: DeviceKind, count: int, replicas: int, tenant: Occupant) -> bool:
        if sum(number // count for number in self.free_gpus.values()) < replicas:
            return False
        for _ in range(replicas):
            node = next(name for name, number in self.free_gpus.items() if number >= count)
            self.held.append((node, self.pool.gpus_per_node - self.free_gpus[node], count, tenant))
            self.free_gpus[node] -= count
        return True

    @property
    def empty_nodes(self) -> int:
        """Nodes on which nothing is taken."""
        return sum(number == self.pool.gpus_per_node for number in self.free_gpus.values())

    def take_nodes(self, nodes: int, replicas: int, tenant: Occupant) -> bool:
        """Reserve all GPUs of `nodes` nodes for each of `replicas`; False, and nothing changed, if there are
        too few without another model."""
        if self.empty_nodes < nodes * replicas:
            return False
        return self.take(self.devices()[0], self.pool.gpus_per_node, nodes * replicas, tenant)

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[ReplicaPlacement, ...]]]:
        usable = gpus()[self.pool.gpu].usable
        taken = {
            (node, first + extra): tenant
            for node, first, count, tenant in self.held
            for extra in range(count)
        }
        places: dict[str, tuple[ReplicaPlacement, ...]] = {}
        for node, first, _count, (model, _used) in self.held:
            places[model] = (*places.get(model, ()), ReplicaPlacement(node, first, None))
        plans = tuple(
            GpuPlan(node, index, (occupied(None, usable, taken.get((node, index))),))
            for node, index in positions(self.pool)
        )
        return pool_plan(
            self.pool, SharingKind.WHOLE, {}, plans, sum(count for _, _, count, _ in self.held)
        ), places
