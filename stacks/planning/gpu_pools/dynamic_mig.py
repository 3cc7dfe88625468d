"""Allocator of a pool whose GPUs the DRA driver cuts into MIG slices when pods come."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from corral.catalogue.gpus import gpus, shape
from corral.catalogue.vocabulary import SharingKind
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.gpu_pools.devices import DeviceKind, Occupant, pool_plan, positions
from corral.stacks.planning.gpu_pools.mig import gpu_plans, slices_of
from corral.stacks.planning.mig.allocation import FixedAllocation
from corral.stacks.planning.mig.guarantee import guarantee, room_for_all
from corral.stacks.planning.mig.layouts import layout
from corral.stacks.planning.mig.packing import fewest
from corral.stacks.planning.mig.vectors import Vector, plus, times, unit, vector
from corral.stacks.planning.results.models import ReplicaPlacement
from corral.stacks.planning.results.pools import PoolPlan


@dataclass
class DynamicMigAllocator:
    """MIG slices that nobody places: a replica is taken in only if it finds its slice in every order."""

    pool: GpuPool
    held: list[tuple[str, int, Occupant]] = field(default_factory=list[tuple[str, int, Occupant]])
    """(profile, replicas, tenant)."""

    def __post_init__(self) -> None:
        self._devices = slices_of(self.pool.gpu, tuple(gpus()[self.pool.gpu].profiles))
        self._demand = vector(self.pool.gpu, ())
        self._refused: dict[str, int] = {}
        """By profile the fewest replicas that were too many: what is taken after them frees none."""

    def devices(self) -> Sequence[DeviceKind]:
        return self._devices

    def free(self, device: DeviceKind) -> int:
        profile = str(device.profile)
        most = len(positions(self.pool)) * shape(self.pool.gpu, profile).max
        return bisect_left(range(1, most + 1), True, key=lambda more: not self._fits(profile, more))

    def take(self, device: DeviceKind, count: int, replicas: int, tenant: Occupant) -> bool:
        profile, more = str(device.profile), count * replicas
        if more >= self._refused.get(profile, more + 1):
            return False
        if not self._fits(profile, more):
            self._refused[profile] = more
            return False
        self._demand = self._with(profile, more)
        self.held.append((profile, more, tenant))
        return True

    def packs(self, device: DeviceKind, replicas: int) -> bool:
        """Whether `replicas` more would fit if somebody planned the cut."""
        demand = self._with(str(device.profile), replicas)
        return fewest(self.pool.gpu, demand, len(positions(self.pool))) is not None

    def _with(self, profile: str, more: int) -> Vector:
        return plus(self._demand, times(more, unit(self.pool.gpu, profile)))

    def _fits(self, profile: str, more: int) -> bool:
        return room_for_all(self.pool.gpu, self._with(profile, more), len(positions(self.pool)))

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[ReplicaPlacement, ...]]]:
        """One way to cut among many, on the fewest GPUs, and no placement: the scheduler decides it."""
        gpu_positions = positions(self.pool)
        packed = fewest(self.pool.gpu, self._demand, len(gpu_positions))
        assert packed is not None, "what fits in every order fits in the best"
        allocation = FixedAllocation(self.pool.gpu, packed.layouts)
        for profile, more, (model, _used) in self.held:
            allocation.take(profile, more, model)
        used = {model: amount for _profile, _more, (model, amount) in self.held}
        taken = [Counter[str]() for _ in gpu_positions]
        for one in allocation.slices:
            taken[one.gpu][one.profile] += 1
        layouts = [layout(self.pool.gpu, counts) for counts in taken]
        plans = gpu_plans(self.pool, layouts, allocation.slices, used)
        result = pool_plan(self.pool, SharingKind.MIG_DYNAMIC, {}, plans, packed.proof.bound)
        promised = guarantee(self.pool.gpu, self._demand)
        return replace(result, proof=packed.proof, guarantee=promised), dict.fromkeys(used, ())
