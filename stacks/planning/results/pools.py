"""GPU pools: nodes, GPUs, their slices, and why so many GPUs are needed. Memory is in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from corral.catalogue.gpus import geometry, shape
from corral.catalogue.vocabulary import Fabric, SharingKind


@dataclass(frozen=True)
class SlicePlan:
    """One device of a GPU as the plan fills it: a MIG slice, or the whole GPU."""

    profile: str | None
    """MIG profile such as `1g.5gb`; None: the whole GPU."""
    usable: int
    """Bytes a process can really use."""
    model: str | None = None
    """Name of the model planned here; None: free."""
    used: int = 0
    """Bytes the model is planned to use."""


@dataclass(frozen=True)
class GpuPlan:
    """One physical GPU; the index counts within its node."""

    node: str
    index: int
    slices: tuple[SlicePlan, ...]


@dataclass(frozen=True)
class MigDevices:
    """One entry of a mig-parted configuration: the same layout on some GPUs of a node."""

    devices: tuple[int, ...] | None
    """GPU indices; None: all of the node."""
    layout: tuple[tuple[str, int], ...]
    """(profile, count) pairs; empty: MIG is off on these GPUs."""


@dataclass(frozen=True)
class MigConfig:
    """A named mig-parted configuration that nodes are labelled with."""

    name: str
    entries: tuple[MigDevices, ...]


@dataclass(frozen=True)
class NodePlan:
    """One node of a pool; `name` is the Kubernetes node's, or `<pool>-<n>` where nodes are made on demand."""

    name: str
    mig_config: str | None
    """Name of a MigConfig of the pool; None: whole GPUs."""


@dataclass(frozen=True)
class Proof:
    """Why the slices of a pool need the GPUs they are on.

    No GPU can be cut into slices that weigh more than `capacity`; all slices in use weigh `total`.
    """

    weights: tuple[tuple[str, int], ...]
    """Weight of a slice by profile; those of its memory or compute slices, or others that count for more."""
    capacity: int
    total: int
    exhausted: int | None = None
    """With so many GPUs every layout was tried, in vain; None: not needed, or the stack file fixes them."""

    @property
    def bound(self) -> int:
        """GPUs below which the slices weigh too much."""
        return -(-self.total // self.capacity)


@dataclass(frozen=True)
class Guarantee:
    """Why slices that are cut on demand find their place in whatever order pods come and go.

    Wherever slices lie: those on a GPU without a place for one more of `profile` weigh at least `least`; all
    slices but one weigh `total`.
    """

    profile: str
    """The profile that the others can keep out of most GPUs."""
    weights: tuple[tuple[str, int], ...]
    """Weight of a slice by profile, of those in use."""
    least: int
    total: int
    full: int
    """GPUs that the others can keep full for it at most."""

    @property
    def needed(self) -> int:
        """GPUs with which every slice always finds its place."""
        return self.full + 1


@dataclass(frozen=True)
class Repacked:
    """A replica that got its slice by moving others, because that saves one GPU."""

    model: str
    moved: tuple[str, ...]
    """Models that stand before it in the stack file, or are the same, and lie elsewhere without it."""


@dataclass(frozen=True)
class PoolPlan:
    """A pool of equal GPU nodes."""

    name: str
    gpu: str
    """Catalogue key, such as `A100-40GB`."""
    nodes: tuple[NodePlan, ...]
    existing: bool
    """True: the stack file names the nodes; False: `minimum` to `maximum` of them are made on demand."""
    minimum: int
    maximum: int
    gpus_per_node: int
    sharing: SharingKind
    mig_configs: tuple[MigConfig, ...]
    gpus: tuple[GpuPlan, ...]
    lower_bound: int
    """GPUs without which the demand cannot fit."""
    proof: Proof | None = None
    """Of the lower bound, and of what lies between it and the GPUs used; None: whole GPUs are counted."""
    repacked: tuple[Repacked, ...] = ()
    """In the order of the stack file."""
    shares: int = 1
    """Equal shares that each GPU goes into; 1 where it is whole or cut into slices."""
    instance: str | None = None
    """Instance type of its nodes; None: not stated."""
    zone: str | None = None
    """Zone that its nodes are made in; None: the cluster's, or they are there."""
    fabric: Fabric | None = None
    """Network between the GPUs of several of its nodes; None: the ordinary one."""
    guarantee: Guarantee | None = None
    """Of slices cut on demand, whose `gpus` are one way to cut among many; None: nothing is cut on demand."""
    keeps_models: bool = False
    """Whether its nodes keep files of models."""
    dedicated: bool = True
    """Whether its nodes bear a taint, so that pods that need no GPU run elsewhere."""


class Stranded(NamedTuple):
    """Slices of a cut GPU that no instance has, and that none can have while the layout stays."""

    compute: int
    memory: int


def stranded(gpu: str, counts: Mapping[str, int]) -> Stranded:
    """What a layout of `counts` slices of each profile leaves over on one `gpu`."""
    grid = geometry(gpu)
    return Stranded(
        grid.compute - sum(shape(gpu, key).compute * count for key, count in counts.items()),
        grid.memory - sum(shape(gpu, key).memory * count for key, count in counts.items()),
    )


def in_words(profile: str | None, shares: int) -> str:
    """One device: `1g.5gb`, `whole GPU`, `1/4 GPU`."""
    return profile or ("whole GPU" if shares == 1 else f"1/{shares} GPU")
