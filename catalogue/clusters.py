"""Cluster kinds: what each can do, so that nothing else asks which kind a cluster is."""

from collections.abc import Mapping
from functools import cache

from pydantic import model_validator

from corral.catalogue._read import Entry, read
from corral.catalogue.vocabulary import Addon, Cloud, ClusterKind, Fabric, Platform


class ClusterCapabilities(Entry):
    """What a kind of cluster can do."""

    started_here: bool
    """`corral up` starts it on this machine, under the name in `cluster.plane`."""
    simulated: bool
    """Its nodes and GPUs are simulated."""
    reached_by_kubeconfig: bool
    """A kubeconfig leads to it before the stack exists."""
    cloud: Cloud | None = None
    """Cloud that the stack makes it in, with network, keys and nodes; None: it is there before the stack."""
    states_kubernetes: bool
    """The stack file states the version of Kubernetes; false: it is known."""
    states_gates: bool
    """Its gates can be on beyond their default, and the stack file states which are."""
    platforms: tuple[Platform, ...] = ()
    """Platforms that its GPU nodes can be, the default first; empty: any."""
    fabrics: tuple[Fabric, ...] = ()
    """Networks between the GPUs of several nodes that its pools can have."""
    zonal_pools: bool = False
    """The nodes of a pool are made in one zone, which the stack file names."""
    nodes_on_demand: bool
    """Nodes of a pool are made within a range; false: they exist, and the stack file names them."""
    pulls_images: bool
    """Its nodes pull images; false: they run programs of this machine."""
    local_model_cache: bool
    """Its nodes have disks that stay, on which KServe keeps the files of models."""
    mig_mode_switchable: bool
    """MIG mode can be switched on where a GPU changes it by a reset alone."""
    controller_replicas: int | None = None
    """Replicas of each controller; None: each component's default."""
    protects_data: bool
    """What holds data outlives the stack."""
    upgrade_jobs: bool
    """Jobs that charts run at an upgrade have a program there."""
    control_plane_scrapable: bool
    """Its scheduler, controller manager, etcd and kube-proxy may let themselves be scraped."""
    without_metrics: tuple[Addon, ...] = ()
    """Addons that run there without anything to scrape: no monitor of theirs and no alert."""


class _Clusters(Entry):
    kinds: dict[ClusterKind, ClusterCapabilities]

    @model_validator(mode="after")
    def _is_whole(self) -> "_Clusters":
        missing = [kind.value for kind in ClusterKind if kind not in self.kinds]
        if missing:
            raise ValueError(f"no entry for {', '.join(missing)}")
        return self


@cache
def _file() -> _Clusters:
    return read("clusters.yaml", _Clusters)


def clusters() -> Mapping[ClusterKind, ClusterCapabilities]:
    """Capabilities of all kinds."""
    return _file().kinds


def capabilities(kind: ClusterKind) -> ClusterCapabilities:
    """What a cluster of `kind` can do."""
    return clusters()[kind]
