"""Allocators of GPU pools while a plan is made: the devices that each offers, and those still free."""

from collections.abc import Sequence
from typing import Protocol

from corral.catalogue.vocabulary import SharingKind
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.gpu_pools.devices import (
    DeviceKind,
    Occupant,
)
from corral.stacks.planning.gpu_pools.dynamic_mig import DynamicMigAllocator
from corral.stacks.planning.gpu_pools.mig import mig_allocator
from corral.stacks.planning.gpu_pools.shared import SharedAllocator
from corral.stacks.planning.gpu_pools.whole import WholeAllocator
from corral.stacks.planning.results.models import ReplicaPlacement
from corral.stacks.planning.results.pools import PoolPlan


class PoolAllocator(Protocol):
    """Devices of one pool, free and taken, while a plan is made."""

    pool: GpuPool

    def devices(self) -> Sequence[DeviceKind]:
        """Kinds of devices, smallest first."""
        ...

    def take(self, device: DeviceKind, count: int, replicas: int, tenant: Occupant) -> bool:
        """Reserve `count` devices for each of `replicas`; False, and nothing changed, if they do not fit."""
        ...

    def free(self, device: DeviceKind) -> int:
        """How many more replicas on one such device each would fit."""
        ...

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[ReplicaPlacement, ...]]]:
        """The pool's plan, and where each model's replicas are."""
        ...


def pool_allocator(pool: GpuPool) -> PoolAllocator:
    """The empty allocator of `pool`."""
    if pool.sharing.kind is SharingKind.MIG_DYNAMIC:
        return DynamicMigAllocator(pool)
    if pool.sharing.mig is not None:
        return mig_allocator(pool, pool.sharing.mig)
    return SharedAllocator(pool) if pool.sharing.shares > 1 else WholeAllocator(pool)
