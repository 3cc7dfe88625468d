"""Arguments of a cluster on GKE."""

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

import pulumi


class GkeEgress(StrEnum):
    """Ways from the cluster's network to the internet."""

    NONE = "none"
    NAT = "nat"


class GkeChannel(StrEnum):
    """Release channels, by which Google upgrades a cluster."""

    RAPID = "rapid"
    REGULAR = "regular"
    STABLE = "stable"
    EXTENDED = "extended"


if TYPE_CHECKING:
    GkeEgressWord = GkeEgress | Literal["none", "nat"]
    GkeChannelWord = GkeChannel | Literal["rapid", "regular", "stable", "extended"]
else:
    GkeEgressWord = GkeEgress
    GkeChannelWord = GkeChannel


class GkeNetwork(TypedDict):
    """The network that a cluster is made in."""

    nodes: NotRequired[str]
    """Addresses of nodes and of the cluster's API; `10.0.0.0/20` when omitted."""
    pods: NotRequired[str]
    """Addresses of pods, of which each node takes a /24; `10.4.0.0/14` when omitted."""
    services: NotRequired[str]
    """Addresses of Services; `10.8.0.0/20` when omitted."""
    egress: NotRequired[GkeEgressWord]
    """Way to the internet: `none`, or `nat`, Cloud NAT; `none` when omitted."""
    api_clients: NotRequired[list[str]]
    """Networks from which the cluster's API is reached beside its own nodes, such as a VPN's; none when
    omitted."""


class GkeSystemNodes(TypedDict):
    """Nodes for what the platform itself runs; GPU nodes are pools of their own."""

    machine_type: str
    """Machine type without GPUs, such as `n2d-standard-4`."""
    min: NotRequired[int]
    """Fewest nodes, 1 or more; 3 when omitted."""
    max: NotRequired[int]
    """Most nodes; twice the fewest when omitted."""
    disk_gib: NotRequired[int]
    """Size of each node's disk in GiB, 15 or more; 100 when omitted."""
    disk_type: NotRequired[str]
    """Type of the disk; `pd-balanced` when omitted, which the newest machine series do not take."""
    confidential: NotRequired[bool]
    """True: memory is encrypted while in use, by AMD SEV in types of N2D, C2D, C3D and C4D, by Intel TDX in
    standard ones of C3 and C4."""


class GkeKeys(TypedDict):
    """Keys of Cloud KMS over what the cluster stores: made in a project, or there already."""

    project: NotRequired[str]
    """Project in which keys are made, best one that holds keys alone; not needed where all are there."""
    secrets: NotRequired[pulumi.Input[str]]
    """Id of the key over Secrets in etcd, which the service agent of GKE may use; made when omitted."""
    logs: NotRequired[pulumi.Input[str]]
    """Id of the key over logs, which the account of Cloud Logging may use; made when omitted."""
    disks: NotRequired[pulumi.Input[str]]
    """Id of the key over disks of nodes, which the service agent of Compute Engine may use; made when
    omitted."""


class GkeControlPlaneKeys(TypedDict):
    """Authorities and keys of the control plane that are the customer's (GKE control plane authority).

    They are chosen when a cluster is made, and cannot be added to one later.
    """

    cluster_ca: pulumi.Input[str]
    """Pool of Certificate Authority Service that signs the cluster's certificates."""
    aggregation_ca: pulumi.Input[str]
    """Pool that signs certificates of aggregated APIs."""
    etcd_api_ca: pulumi.Input[str]
    """Pool that signs certificates of etcd's API."""
    etcd_peer_ca: pulumi.Input[str]
    """Pool that signs certificates between members of etcd."""
    control_plane_disk_encryption_key: pulumi.Input[str]
    """Id of the key over disks of the control plane."""
    gkeops_etcd_backup_encryption_key: pulumi.Input[str]
    """Id of the key over backups of etcd."""
    service_account_signing_keys: list[pulumi.Input[str]]
    """Versions of keys that sign tokens of ServiceAccounts."""
    service_account_verification_keys: list[pulumi.Input[str]]
    """Versions of keys by which those tokens are verified."""


class GkeMaintenance(TypedDict):
    """When Google may upgrade and repair the cluster."""

    start: str
    """Start of the first window, such as `2026-01-03T01:00:00Z`."""
    end: str
    """End of the first window."""
    recurrence: str
    """How windows recur, by RFC 5545, such as `FREQ=WEEKLY;BYDAY=SA,SU`."""


class GkeClusterArgs(TypedDict):
    """Where a cluster on GKE is, by which keys, and what its system nodes are."""

    project: str
    """Project of the cluster, with the APIs of GKE, Compute Engine, Cloud DNS and Cloud Logging enabled."""
    region: str
    """Region, such as `europe-west3`; everything is made there, and nothing in more than one."""
    version: str
    """Version of Kubernetes, such as `1.35`; Google chooses the patch, and upgrades by the channel."""
    nodes: GkeSystemNodes
    """Nodes for what the platform itself runs."""
    keys: GkeKeys
    """Keys over Secrets, logs and disks: the project in which they are made, or keys that are there."""
    zones: NotRequired[list[str]]
    """Zones of the system nodes; three that Google chooses when omitted."""
    network: NotRequired[GkeNetwork]
    """The network that the cluster is made in; without a way to the internet when omitted."""
    control_plane_keys: NotRequired[GkeControlPlaneKeys]
    """Authorities and keys of the control plane; Google's own when omitted."""
    channel: NotRequired[GkeChannelWord]
    """Release channel; `regular` when omitted."""
    maintenance: NotRequired[GkeMaintenance]
    """When Google may upgrade and repair; at any time when omitted."""
    own_issuer: NotRequired[bool]
    """True: people sign in by an OIDC issuer of the customer's (Identity Service for GKE)."""
    restrict_locations: NotRequired[bool]
    """True: an organization policy lets the project make resources in this region alone."""
    dra: NotRequired[bool]
    """False: no GPU is handed out by claim, so that an older Kubernetes will do; true when omitted."""
    log_days: NotRequired[int]
    """Days for which logs are kept, 1 to 3650; 365 when omitted."""
    cluster_name: NotRequired[str]
    """Name of the cluster in Google Cloud; the component's when omitted. Another one is another cluster."""
    labels: NotRequired[dict[str, str]]
    """Labels of everything that is made."""
    protect: NotRequired[bool]
    """False: cluster, keys and logs may be deleted with the stack; true when omitted."""
    lock_logs: NotRequired[bool]
    """True: nobody can shorten the period of logs, nor delete them before it, for ever; their bucket then
    stays when the stack goes. As `protect` when omitted."""
