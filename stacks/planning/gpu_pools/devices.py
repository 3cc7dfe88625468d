"""What all allocators share: devices, occupants, nodes, and the plan of the pool."""

from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.vocabulary import SharingKind
from corral.stacks.config.stack_config import GpuPool
from corral.stacks.planning.results.pools import GpuPlan, MigConfig, NodePlan, PoolPlan, SlicePlan, in_words

Occupant = tuple[str, int]
"""(model, bytes used) of one occupied device."""


@dataclass(frozen=True)
class DeviceKind:
    """A kind of device that a pool offers to one replica."""

    profile: str | None
    """MIG profile; None: whole GPUs."""
    usable: int
    """Bytes on each."""
    most: int
    """How many of them one replica may span."""
    shares: int = 1
    """Equal shares that the GPU goes into, of which this is one."""
    capability: str | None = None
    """Compute capability of the GPU; None: not read."""

    @property
    def words(self) -> str:
        """Such as `1g.5gb`."""
        return in_words(self.profile, self.shares)


def node_names(pool: GpuPool) -> tuple[str, ...]:
    """Names of all nodes the pool may have."""
    return pool.nodes.names or tuple(f"{pool.name}-{number}" for number in range(pool.nodes.max or 0))


def positions(pool: GpuPool) -> list[tuple[str, int]]:
    """(node, index on it) of all GPUs the pool may have."""
    return [(node, index) for node in node_names(pool) for index in range(pool.gpus_per_node)]


def occupied(profile: str | None, usable: int, tenant: Occupant | None) -> SlicePlan:
    """The plan of one device, free without `tenant`."""
    return SlicePlan(profile, usable, *tenant) if tenant else SlicePlan(profile, usable)


def pool_plan(
    pool: GpuPool,
    sharing: SharingKind,
    configs: Mapping[str, MigConfig],
    plans: tuple[GpuPlan, ...],
    bound: int,
) -> PoolPlan:
    """The plan of `pool`; `configs` by node."""
    names = node_names(pool)
    return PoolPlan(
        name=pool.name,
        gpu=pool.gpu,
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
        instance=pool.instance,
        zone=pool.zone,
        fabric=pool.fabric,
        dedicated=pool.dedicated,
    )
