"""The cluster, and where charts and images come from."""

from dataclasses import dataclass

from corral.catalogue.clusters import ClusterCapabilities, capabilities
from corral.catalogue.vocabulary import ClusterKind, Platform


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

    @property
    def capabilities(self) -> ClusterCapabilities:
        """What a cluster of this kind can do."""
        return capabilities(self.kind)


@dataclass(frozen=True)
class SupplyPlan:
    """Where charts and images come from."""

    registry: str | None
    """Mirror that replaces every registry host; None: each from its own source."""
    pull_secret: str | None
    tools_image: str | None = None
    """Image of the import Jobs; None: the catalogue's."""
