"""The cluster, and where charts and images come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from corral.catalogue.clusters import ClusterCapabilities, capabilities
from corral.catalogue.vocabulary import ClusterKind, Platform, PodEncryption, TaintEffect
from corral.stacks.planning.results.eks import EksPlan
from corral.stacks.planning.results.gke import GkePlan


@dataclass(frozen=True)
class TolerationPlan:
    """A taint that pods bear."""

    key: str
    value: str | None
    """None: any."""
    effect: TaintEffect | None
    """None: each."""


@dataclass(frozen=True)
class ClusterPlan:
    """How the cluster is reached."""

    kind: ClusterKind
    kubeconfig: str | None
    """Path; None: the plane's (embedded) or the one Pulumi's Kubernetes provider is configured with."""
    context: str | None
    plane: str | None
    """Name of the embedded plane; None for every other kind, and for the plane named like the stack."""
    platform: Platform
    """What its GPU nodes are."""
    precompiled_driver: int | None
    """Branch of drivers compiled beforehand; None: each node compiles the operator's, or brings its own."""

    storage_class: str | None = None
    """Storage class of every volume; None: the cluster's default."""
    node_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels of the nodes that pods run on which need no GPU."""
    tolerations: tuple[TolerationPlan, ...] = ()
    """Taints of those nodes that these pods bear."""
    eks: EksPlan | None = None
    """What the stack makes it of on EKS; None: it is of another kind."""
    gke: GkePlan | None = None
    """What the stack makes it of on GKE; None: it is of another kind."""

    stack: str | None = None
    """Stack whose output is the kubeconfig; None: it is a file."""
    deletion_protection: bool = True
    """False: what holds data may go with the stack, whatever the kind."""

    pod_encryption: PodEncryption | None = None
    """What encrypts between pods on different machines; None: it is not stated."""
    dns_addresses: tuple[str, ...] = ()
    """Where a cache on each node answers the pods' questions for names; empty: nowhere."""

    @property
    def capabilities(self) -> ClusterCapabilities:
        """What a cluster of this kind can do, and whether it protects what holds data."""
        known = capabilities(self.kind)
        protects = known.protects_data and self.deletion_protection
        return known.model_copy(update={"protects_data": protects})


@dataclass(frozen=True)
class SupplyPlan:
    """Where charts and images come from."""

    registry: str | None
    """Mirror that replaces every registry host; None: each from its own source."""
    pull_secret: str | None
    tools_image: str | None = None
    """Image of the import Jobs; None: the catalogue's."""
