"""A cluster on GKE that the stack makes."""

from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.vocabulary import Egress, ReleaseChannel


@dataclass(frozen=True)
class GkeNodesPlan:
    """Nodes for what the platform itself runs."""

    machine: str
    minimum: int
    maximum: int
    disk_gib: int
    disk_type: str
    confidential: bool
    """Whether memory is encrypted in use."""


@dataclass(frozen=True)
class GkeNetworkPlan:
    """The network that it is made in."""

    nodes: str
    pods: str
    services: str
    egress: Egress
    api_clients: tuple[str, ...]
    """Networks beside its own nodes from which its API is reached."""


@dataclass(frozen=True)
class GkeControlPlaneKeysPlan:
    """Authorities and keys of the control plane that are the customer's."""

    cluster_ca: str
    aggregation_ca: str
    etcd_api_ca: str
    etcd_peer_ca: str
    control_plane_disks: str
    etcd_backups: str
    token_signing: tuple[str, ...]
    token_verification: tuple[str, ...]


@dataclass(frozen=True)
class GoogleRepository:
    """A repository of Artifact Registry, which nodes must be let in to."""

    location: str
    project: str
    name: str


@dataclass(frozen=True)
class GkePlan:
    """What the cluster is made of; its nodes with GPUs are pools of the plan."""

    name: str
    """Name in Google Cloud."""
    project: str
    region: str
    version: str
    """Version of Kubernetes, MAJOR.MINOR: Google chooses the patch."""
    zones: tuple[str, ...]
    """Zones of the system nodes; empty: three that Google chooses."""
    nodes: GkeNodesPlan
    network: GkeNetworkPlan
    key_project: str | None
    """Project in which keys are made; None: all are there."""
    keys: Mapping[str, str]
    """Id of each key that is there already, by what it encrypts: `secrets`, `logs`, `disks`, `models`."""
    control_plane_keys: GkeControlPlaneKeysPlan | None
    """None: Google's own."""
    channel: ReleaseChannel
    own_issuer: bool
    restrict_locations: bool
    log_days: int
    labels: Mapping[str, str]
    mirror: GoogleRepository | None
    """Repository of images that its nodes may read; None: the mirror is elsewhere, or there is none."""
