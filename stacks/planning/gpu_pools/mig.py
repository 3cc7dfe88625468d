"""Allocator of a pool whose GPUs are cut into MIG slices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from corral.catalogue.gpus import gpus, shape
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
from corral.stacks.planning.mig.allocation import Allocation, FixedAllocation, PlannedAllocation, Slice
from corral.stacks.planning.mig.layouts import Layout, layout, named
from corral.stacks.planning.results.models import ReplicaPlacement
from corral.stacks.planning.results.pools import GpuPlan, MigConfig, MigDevices, PoolPlan, SlicePlan


@dataclass
class MigAllocator:
    """MIG slices; `allocation` knows how the GPUs are cut, and which slice each replica has."""

    pool: GpuPool
    allocation: Allocation
    offered: tuple[str, ...]
    """Profiles of the slices there may be."""
    name: str | None
    """mig-parted's own name for the layout; None: one of ours."""
    used: dict[str, int] = field(default_factory=dict[str, int])
    """Bytes used on each slice, by model."""

    @cached_property
    def _devices(self) -> tuple[DeviceKind, ...]:
        return slices_of(self.pool.gpu, self.offered)

    def devices(self) -> Sequence[DeviceKind]:
        return self._devices

    def free(self, device: DeviceKind) -> int:
        return self.allocation.free(str(device.profile))

    def take(self, device: DeviceKind, count: int, replicas: int, tenant: Occupant) -> bool:
        model, used = tenant
        if not self.allocation.take(str(device.profile), count * replicas, model):
            return False
        self.used[model] = used
        return True

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[ReplicaPlacement, ...]]]:
        gpu_positions = positions(self.pool)
        spare: list[Layout] = [()] * len(gpu_positions)
        layouts = (*self.allocation.layouts(), *spare)[: len(gpu_positions)]
        places: dict[str, list[ReplicaPlacement]] = {}
        for one in self.allocation.slices:
            places.setdefault(one.model, []).append(ReplicaPlacement(*gpu_positions[one.gpu], one.profile))
        plans = gpu_plans(self.pool, layouts, self.allocation.slices, self.used)
        proof = self.allocation.proof()
        result = pool_plan(self.pool, SharingKind.MIG, self._configs(layouts), plans, proof.bound)
        result = replace(result, proof=proof, repacked=tuple(self.allocation.repacked))
        return result, {model: tuple(replicas) for model, replicas in places.items()}

    def _configs(self, layouts: Sequence[Layout]) -> dict[str, MigConfig]:
        """Configuration of each node: one name per distinct cut."""
        size = self.pool.gpus_per_node
        names: dict[tuple[Layout, ...], str] = {}
        configs: dict[str, MigConfig] = {}
        for number, node in enumerate(node_names(self.pool)):
            cut = tuple(layouts[number * size : (number + 1) * size])
            fallback = f"corral-{self.pool.name}" + (f"-{len(names)}" if names else "")
            configs[node] = MigConfig(names.setdefault(cut, self.name or fallback), _entries(cut))
        return configs


def slices_of(gpu: str, offered: Sequence[str]) -> tuple[DeviceKind, ...]:
    """The profiles `offered` as devices, smallest first."""
    entry = gpus()[gpu]
    kinds = [
        DeviceKind(key, entry.profiles[key].usable, 1, capability=entry.compute_capability) for key in offered
    ]
    sizes = {key: (shape(gpu, key).compute, shape(gpu, key).memory) for key in offered}
    return tuple(sorted(kinds, key=lambda one: (one.usable, sizes[str(one.profile)])))


def gpu_plans(
    pool: GpuPool, layouts: Sequence[Layout], slices: Sequence[Slice], used: Mapping[str, int]
) -> tuple[GpuPlan, ...]:
    """Each GPU of `pool` with the slices of its layout and who has them; `used` is bytes by model."""
    tenants: dict[tuple[int, str], list[Occupant]] = {}
    for one in slices:
        tenants.setdefault((one.gpu, one.profile), []).append((one.model, used[one.model]))
    return tuple(
        GpuPlan(node, index, _filled(pool.gpu, layouts[place], place, tenants))
        for place, (node, index) in enumerate(positions(pool))
    )


def _filled(
    gpu: str, one: Layout, place: int, tenants: Mapping[tuple[int, str], list[Occupant]]
) -> tuple[SlicePlan, ...]:
    known = gpus()[gpu]
    filled: list[SlicePlan] = []
    for profile, count in one:
        here = tenants.get((place, profile), [])
        spare: list[None] = [None] * (count - len(here))
        filled += [occupied(profile, known.profiles[profile].usable, tenant) for tenant in (*here, *spare)]
    return tuple(filled) or (SlicePlan(None, known.usable),)


def _entries(layouts: Sequence[Layout]) -> tuple[MigDevices, ...]:
    alike = {one: tuple(index for index, other in enumerate(layouts) if other == one) for one in layouts}
    if len(alike) == 1:
        return (MigDevices(None, layouts[0]),)
    return tuple(MigDevices(devices, one) for one, devices in alike.items())


def mig_allocator(pool: GpuPool, mig: str | Sequence[Mapping[str, int]]) -> MigAllocator:
    """The empty allocator of `pool`; `mig`: `auto`, a name, or slices per profile for all GPUs or each."""
    total = len(positions(pool))
    if mig == "auto":
        return MigAllocator(pool, PlannedAllocation(pool.gpu, total), tuple(gpus()[pool.gpu].profiles), None)
    if isinstance(mig, str):
        return _fixed(pool, (named(pool.gpu, mig) or (),) * total, mig)
    per_node = mig if len(mig) > 1 else [*mig] * pool.gpus_per_node
    return _fixed(pool, tuple(layout(pool.gpu, one) for one in per_node) * len(node_names(pool)), None)


def _fixed(pool: GpuPool, layouts: tuple[Layout, ...], name: str | None) -> MigAllocator:
    offered: Counter[str] = Counter()
    for one in layouts:
        offered.update(dict(one))
    return MigAllocator(pool, FixedAllocation(pool.gpu, layouts), tuple(offered), name)
