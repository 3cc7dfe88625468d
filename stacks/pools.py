"""Room in GPU pools while a plan is made: what each pool offers, and what is still free."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from corral.catalogue.gpus import gpus, shape
from corral.catalogue.vocabulary import SharingKind
from corral.stacks.config import GpuPool
from corral.stacks.layouts import Layout, layout, named
from corral.stacks.packing import lower_bound, pack
from corral.stacks.plan import GpuPlan, MigConfig, MigDevices, NodePlan, Placement, PoolPlan, SlicePlan

Tenancy = tuple[str, int]
"""(model, bytes used) of one occupied device."""


@dataclass(frozen=True)
class Device:
    """A kind of device that a pool offers to one replica."""

    profile: str | None
    """MIG profile; None: whole GPUs."""
    usable: int
    """Bytes on each."""
    most: int
    """How many of them one replica may span."""
    shares: int = 1
    """Equal shares that the GPU goes into, of which this is one."""


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


def node_names(pool: GpuPool) -> tuple[str, ...]:
    """Names of all nodes the pool may have."""
    return pool.nodes.names or tuple(f"{pool.name}-{number}" for number in range(pool.nodes.max or 0))


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
            GpuPlan(node, index, (_occupied(None, usable, taken.get((node, index))),))
            for node in node_names(self.pool)
            for index in range(self.pool.gpus_per_node)
        )
        return _plan(
            self.pool, SharingKind.WHOLE, {}, plans, sum(count for _, _, count, _ in self.held)
        ), places


@dataclass
class SharedRoom:
    """GPUs in equal shares. The device plugin hands shares out as they come: any of them may meet on one GPU,
    so each is planned to keep to its part of the memory."""

    pool: GpuPool
    held: list[Tenancy] = field(default_factory=list[Tenancy])

    def devices(self) -> Sequence[Device]:
        shares = self.pool.sharing.shares
        return (Device(None, gpus()[self.pool.gpu].usable // shares, 1, shares),)

    def free(self, device: Device) -> int:
        return len(_positions(self.pool)) * device.shares - len(self.held)

    def take(self, device: Device, count: int, replicas: int, tenant: Tenancy) -> bool:
        if replicas > self.free(device):
            return False
        self.held.extend([tenant] * replicas)
        return True

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[Placement, ...]]]:
        (device,) = self.devices()
        waiting = list(self.held)
        plans: list[GpuPlan] = []
        places: dict[str, tuple[Placement, ...]] = {}
        for node, index in _positions(self.pool):
            here, waiting = waiting[: device.shares], waiting[device.shares :]
            for model, _used in here:
                places[model] = (*places.get(model, ()), Placement(node, index, None))
            slots = [*here, *[None] * (device.shares - len(here))]
            plans.append(GpuPlan(node, index, tuple(_occupied(None, device.usable, one) for one in slots)))
        bound = -(-len(self.held) // device.shares)
        return _plan(self.pool, self.pool.sharing.kind, {}, tuple(plans), bound), places


@dataclass
class MigRoom:
    """MIG slices; `cut` decides the layouts of the GPUs for a demand, or says that they are too few."""

    pool: GpuPool
    cut: Callable[[Counter[str]], tuple[Layout, ...] | None]
    """Layout of each GPU in order, fewer than the GPUs where the rest stays whole; None: does not fit."""
    offered: tuple[str, ...]
    name: str | None
    """mig-parted's own name for the layout; None: one of ours."""
    held: list[tuple[str, Tenancy]] = field(default_factory=list[tuple[str, Tenancy]])

    def devices(self) -> Sequence[Device]:
        gpu = self.pool.gpu
        found = [Device(key, gpus()[gpu].profiles[key].usable, 1) for key in self.offered]
        sizes = {key: (shape(gpu, key).compute, shape(gpu, key).memory) for key in self.offered}
        return sorted(found, key=lambda one: (one.usable, sizes[str(one.profile)]))

    def _demand(self, profile: str | None, more: int) -> Counter[str]:
        return Counter([key for key, _tenant in self.held] + [str(profile)] * more)

    def free(self, device: Device) -> int:
        number = 0
        while self.cut(self._demand(device.profile, number + 1)) is not None:
            number += 1
        return number

    def take(self, device: Device, count: int, replicas: int, tenant: Tenancy) -> bool:
        if self.cut(self._demand(device.profile, count * replicas)) is None:
            return False
        self.held.extend([(str(device.profile), tenant)] * replicas)
        return True

    def finish(self) -> tuple[PoolPlan, dict[str, tuple[Placement, ...]]]:
        demand = self._demand(None, 0)
        layouts = self.cut(demand) or ()
        waiting: dict[str, list[Tenancy]] = {}
        for profile, tenant in self.held:
            waiting.setdefault(profile, []).append(tenant)
        places: dict[str, tuple[Placement, ...]] = {}
        plans: list[GpuPlan] = []
        cuts: dict[str, list[Layout]] = {}
        for number, (node, index) in enumerate(_positions(self.pool)):
            one = layouts[number] if number < len(layouts) else ()
            cuts.setdefault(node, []).append(one)
            plans.append(self._gpu(node, index, one, waiting, places))
        bound = lower_bound(self.pool.gpu, demand) if demand else 0
        return _plan(self.pool, SharingKind.MIG, self._configs(cuts), tuple(plans), bound), places

    def _gpu(
        self,
        node: str,
        index: int,
        one: Layout,
        waiting: dict[str, list[Tenancy]],
        places: dict[str, tuple[Placement, ...]],
    ) -> GpuPlan:
        gpu = gpus()[self.pool.gpu]
        slices: list[SlicePlan] = []
        for profile, count in one:
            for _ in range(count):
                tenant = waiting[profile].pop(0) if waiting.get(profile) else None
                slices.append(_occupied(profile, gpu.profiles[profile].usable, tenant))
                if tenant:
                    places[tenant[0]] = (*places.get(tenant[0], ()), Placement(node, index, profile))
        return GpuPlan(node, index, tuple(slices) or (SlicePlan(None, gpu.usable),))

    def _configs(self, cuts: dict[str, list[Layout]]) -> dict[str, MigConfig]:
        """Configuration of each node: one name per distinct cut."""
        names: dict[tuple[Layout, ...], str] = {}
        for node_cuts in cuts.values():
            fallback = f"corral-{self.pool.name}" + (f"-{len(names)}" if names else "")
            names.setdefault(tuple(node_cuts), self.name or fallback)
        return {node: MigConfig(names[tuple(one)], _entries(one)) for node, one in cuts.items()}


def _entries(cuts: Sequence[Layout]) -> tuple[MigDevices, ...]:
    alike = {one: tuple(index for index, other in enumerate(cuts) if other == one) for one in cuts}
    if len(alike) == 1:
        return (MigDevices(None, cuts[0]),)
    return tuple(MigDevices(devices, one) for one, devices in alike.items())


def _positions(pool: GpuPool) -> list[tuple[str, int]]:
    return [(node, index) for node in node_names(pool) for index in range(pool.gpus_per_node)]


def _occupied(profile: str | None, usable: int, tenant: Tenancy | None) -> SlicePlan:
    return SlicePlan(profile, usable, *tenant) if tenant else SlicePlan(profile, usable)


def _plan(
    pool: GpuPool,
    sharing: SharingKind,
    configs: dict[str, MigConfig],
    plans: tuple[GpuPlan, ...],
    bound: int,
) -> PoolPlan:
    names = node_names(pool)
    return PoolPlan(
        name=pool.name,
        gpu=pool.gpu,
        product_label=gpus()[pool.gpu].label,
        nodes=tuple(NodePlan(name, configs[name].name if name in configs else None) for name in names),
        existing=bool(pool.nodes.names),
        minimum=pool.nodes.min if pool.nodes.min is not None else len(names),
        maximum=pool.nodes.max or len(names),
        gpus_per_node=pool.gpus_per_node,
        sharing=sharing,
        mig_configs=tuple({config.name: config for config in configs.values()}.values()),
        gpus=plans,
        lower_bound=bound,
        shares=pool.sharing.shares,
    )


def room(pool: GpuPool) -> Room:
    """The empty room of `pool`."""
    mig, total = pool.sharing.mig, len(_positions(pool))
    if pool.sharing.shares > 1:
        return SharedRoom(pool)
    if mig is None:
        return WholeRoom(pool)
    if mig == "auto":
        return MigRoom(
            pool, lambda demand: pack(pool.gpu, demand, total), tuple(gpus()[pool.gpu].profiles), None
        )
    if isinstance(mig, str):
        fixed = (named(pool.gpu, mig) or (),) * total
        return _fixed(pool, fixed, mig)
    per_node = mig * pool.gpus_per_node if len(mig) == 1 else mig
    return _fixed(pool, tuple(layout(pool.gpu, one) for one in per_node) * len(node_names(pool)), None)


def _fixed(pool: GpuPool, cuts: tuple[Layout, ...], name: str | None) -> MigRoom:
    offered: Counter[str] = Counter()
    for one in cuts:
        offered.update(dict(one))
    return MigRoom(pool, lambda demand: cuts if demand <= offered else None, tuple(offered), name)
