"""Room in GPU pools while a plan is made: what each pool offers, and what is still free."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import SharingKind
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.gpu_pools.devices import (
    Device,
    Tenancy,
    node_names,
    occupied,
    pool_plan,
    positions,
)
from corral.stacks.planning.gpu_pools.dynamic_mig import DynamicRoom
from corral.stacks.planning.gpu_pools.mig import mig_room
from corral.stacks.planning.gpu_pools.shared import SharedRoom
from corral.stacks.planning.results.models import Placement
from corral.stacks.planning.results.pools import GpuPlan, PoolPlan


class Room(Protocol):
    """The free room of one pool."""

    pool: GpuPool

    def devices(self) -> Sequence[Device]:
        """Kinds of devices, smallest first."""
        ...

    def take(self, device: Device, count: int, replicas: int, tenant: Tenancy) -> bool:
        """Reserve `count` devices for each of `replicas`; False, and nothing changed, if they do not fit."""
        ...

    def free(self, device: Device) -> int:
        """How many more replicas on one such device each would fit."""
        ...

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[Placement, ...]]]:
        """The pool's plan, and where each model's replicas are."""
        ...


@dataclass
class WholeRoom:
    """Whole GPUs; the GPUs of one replica are on one node."""

    pool: GpuPool
    free_gpus: dict[str, int] = field(default_factory=dict[str, int])
    held: list[tuple[str, int, int, Tenancy]] = field(default_factory=list[tuple[str, int, int, Tenancy]])
    """(node, first GPU, GPUs, tenant)."""

    def __post_init__(self) -> None:
        self.free_gpus = dict.fromkeys(node_names(self.pool), self.pool.gpus_per_node)

    def devices(self) -> Sequence[Device]:
        return (Device(None, gpus()[self.pool.gpu].usable, self.pool.gpus_per_node),)

    def free(self, device: Device) -> int:
        return sum(self.free_gpus.values())

    def take(self, device: Device, count: int, replicas: int, tenant: Tenancy) -> bool:
        if sum(number // count for number in self.free_gpus.values()) < replicas:
            return False
        for _ in range(replicas):
            node = next(name for name, number in self.free_gpus.items() if number >= count)
            self.held.append((node, self.pool.gpus_per_node - self.free_gpus[node], count, tenant))
            self.free_gpus[node] -= count
        return True

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[Placement, ...]]]:
        usable = gpus()[self.pool.gpu].usable
        taken = {
            (node, first + extra): tenant
            for node, first, count, tenant in self.held
            for extra in range(count)
        }
        places: dict[str, tuple[Placement, ...]] = {}
        for node, first, _count, (model, _used) in self.held:
            places[model] = (*places.get(model, ()), Placement(node, first, None))
        plans = tuple(
            GpuPlan(node, index, (occupied(None, usable, taken.get((node, index))),))
            for node, index in positions(self.pool)
        )
        return pool_plan(
            self.pool, SharingKind.WHOLE, {}, plans, sum(count for _, _, count, _ in self.held)
        ), places


def room(pool: GpuPool) -> Room:
    """The empty room of `pool`."""
    if pool.sharing.kind is SharingKind.MIG_DYNAMIC:
        return DynamicRoom(pool)
    if pool.sharing.mig is not None:
        return mig_room(pool, pool.sharing.mig)
    return SharedRoom(pool) if pool.sharing.shares > 1 else WholeRoom(pool)
