"""A cluster on GKE that the stack makes: `cluster.gke`."""

from typing import Annotated

from pydantic import Field

from corral.catalogue.gke import BOOT_DISK, LEAST_DISK_GIB, LONGEST_LOG_DAYS, NODES, PODS, SERVICES
from corral.catalogue.vocabulary import Egress, ReleaseChannel
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import (
    AuthorityPool,
    Cidr,
    CloudKey,
    CloudKeyVersion,
    CloudLabel,
    CloudLabelKey,
    DiskType,
    GkeName,
    GoogleZone,
    MachineType,
    Positive,
    Project,
)


class GkeNetwork(Section):
    """The network of a cluster on GKE: one private subnet, and an API with an address in it alone."""

    nodes: Cidr = NODES
    """Addresses of nodes and of the cluster's API."""
    pods: Cidr = PODS
    """Addresses of pods, of which each node takes a /24."""
    services: Cidr = SERVICES
    """Addresses of Services."""
    egress: Egress = Egress.NONE
    """Way to the internet: `none`, which needs a mirror in the region's own Artifact Registry, or `nat`,
    Cloud NAT."""
    api_clients: tuple[Cidr, ...] = ()
    """Networks from which the cluster's API is reached, beside its own nodes, such as a VPN's."""


class GkeNodes(Section):
    """Nodes for what the platform itself runs."""

    machine: MachineType
    """Machine type without GPUs, such as `n2d-standard-8`."""
    min: Positive | None = None
    """Fewest nodes, in all zones together; 3 when absent."""
    max: Positive | None = None
    """Most nodes; twice the fewest when absent."""
    disk_gib: Annotated[int, Field(strict=True, ge=LEAST_DISK_GIB, le=65536)] = 100
    """Disk of each node in GiB."""
    disk_type: DiskType = BOOT_DISK
    """Type of the disk, which the newest machine series do not take: theirs is `hyperdisk-balanced`."""
    confidential: Annotated[bool, Field(strict=True)] = False
    """Whether memory is encrypted in use, by AMD SEV in types of N2D, C2D, C3D and C4D, by Intel TDX in
    standard ones of C3 and C4."""


class GkeKeys(Section):
    """Keys of Cloud KMS: made in a project, or there already."""

    project: Project | None = None
    """Project in which keys are made, best one that holds keys alone; not needed where all are there."""
    secrets: CloudKey | None = None
    """Id of the key over Secrets in etcd, which the service agent of GKE may use; made when absent."""
    logs: CloudKey | None = None
    """Id of the key over logs, which the account of Cloud Logging may use; made when absent."""
    disks: CloudKey | None = None
    """Id of the key over disks and volumes, which the service agent of Compute Engine may use; made when
    absent."""
    models: CloudKey | None = None
    """Id of the key over models in Cloud Storage, for `model-storage` of kind `gcs`, which its service agent
    may use; made when absent."""


class GkeControlPlaneKeys(Section):
    """Authorities and keys of the control plane that are one's own; chosen when the cluster is made."""

    cluster_ca: AuthorityPool
    """Pool of Certificate Authority Service that signs the cluster's certificates."""
    aggregation_ca: AuthorityPool
    """Pool that signs certificates of aggregated APIs."""
    etcd_api_ca: AuthorityPool
    """Pool that signs certificates of etcd's API."""
    etcd_peer_ca: AuthorityPool
    """Pool that signs certificates between members of etcd."""
    control_plane_disks: CloudKey
    """Id of the key over disks of the control plane."""
    etcd_backups: CloudKey
    """Id of the key over backups of etcd."""
    token_signing: tuple[CloudKeyVersion, ...]
    """Versions of keys that sign tokens of ServiceAccounts."""
    token_verification: tuple[CloudKeyVersion, ...]
    """Versions of keys by which those tokens are verified."""


class Gke(Section):
    """A cluster on GKE; its region is that of `sovereignty`."""

    project: Project
    """Project of the cluster, with the APIs of GKE, Compute Engine, Cloud DNS and Cloud Logging enabled."""
    name: GkeName | None = None
    """Name of the cluster in Google Cloud; `corral-` and the stack's name when absent. Another name is
    another cluster."""
    zones: tuple[GoogleZone, ...] = ()
    """Zones of the system nodes, such as `europe-west3-a`; three that Google chooses when absent."""
    system_nodes: GkeNodes
    """Nodes for what the platform itself runs; GPU nodes are `gpu-pools`, each in its own `zone`."""
    network: GkeNetwork = GkeNetwork()
    """The network that the cluster is made in."""
    keys: GkeKeys
    """Keys over Secrets, logs and disks: the project in which they are made, or keys that are there."""
    control_plane_keys: GkeControlPlaneKeys | None = None
    """Authorities and keys of the control plane that are one's own; Google's when absent."""
    channel: ReleaseChannel = ReleaseChannel.REGULAR
    """Release channel, by which Google upgrades the cluster."""
    own_issuer: Annotated[bool, Field(strict=True)] = False
    """Whether people sign in by an OIDC issuer of one's own."""
    restrict_locations: Annotated[bool, Field(strict=True)] = False
    """Whether an organization policy lets the project make resources in the region alone."""
    log_days: Annotated[int, Field(strict=True, ge=1, le=LONGEST_LOG_DAYS)] = 365
    """Days for which Cloud Logging keeps logs of cluster and network."""
    labels: dict[CloudLabelKey, CloudLabel] = {}
    """Labels of everything that is made in Google Cloud."""
