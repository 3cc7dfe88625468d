"""Arguments of a cluster on EKS."""

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

import pulumi


class EksEgress(StrEnum):
    """Ways from the cluster's network to the internet."""

    NONE = "none"
    NAT = "nat"


if TYPE_CHECKING:
    EksEgressWord = EksEgress | Literal["none", "nat"]
else:
    EksEgressWord = EksEgress


class EksNetwork(TypedDict):
    """The network that a cluster is made in."""

    cidr: NotRequired[str]
    """Addresses of the VPC, a /16 to /22 of which each zone takes an eighth; `10.0.0.0/16` when omitted."""
    egress: NotRequired[EksEgressWord]
    """Way to the internet: `none`, or `nat`, a NAT gateway in each zone; `none` when omitted."""
    api_clients: NotRequired[list[str]]
    """Networks from which the cluster's API is reached beside its own nodes, such as a VPN's; none when
    omitted."""


class EksSystemNodes(TypedDict):
    """Nodes for what the platform itself runs; GPU nodes are pools of their own."""

    instance_type: str
    """Machine type without GPUs, such as `m7i.xlarge` or `m7g.xlarge`."""
    min: NotRequired[int]
    """Fewest nodes, 1 or more; one in each zone when omitted."""
    max: NotRequired[int]
    """Most nodes; twice the fewest when omitted."""
    disk_gib: NotRequired[int]
    """Size of each node's disk in GiB, 20 or more; 100 when omitted."""
    confidential: NotRequired[bool]
    """True: memory is encrypted by AMD SEV-SNP, which some types of M6a, C6a and R6a have; of partition aws,
    in eu-west-1 and us-east-2."""


class EksKeys(TypedDict):
    """Keys of KMS that are there already, such as ones whose material an external key store holds."""

    secrets: NotRequired[pulumi.Input[str]]
    """ARN of the key over Secrets in etcd; made when omitted."""
    logs: NotRequired[pulumi.Input[str]]
    """ARN of the key over logs, which CloudWatch Logs may use for both groups; made when omitted."""
    disks: NotRequired[pulumi.Input[str]]
    """ARN of the key over disks of nodes, which the account may use through EC2; made when omitted."""


class EksClusterArgs(TypedDict):
    """Where a cluster on EKS is, who administers it, and what its system nodes are."""

    region: str
    """Region of AWS, of partition `aws` or `aws-eusc`, such as `eu-central-1` or `eusc-de-east-1`."""
    zones: list[str]
    """Availability zones of the region, two or more, such as `eu-central-1a`."""
    version: str
    """Version of Kubernetes, such as `1.35`."""
    admins: dict[str, pulumi.Input[str]]
    """ARNs of the IAM roles that administer the cluster, each by a name of one's own."""
    nodes: EksSystemNodes
    """Nodes for what the platform itself runs."""
    network: NotRequired[EksNetwork]
    """The network that the cluster is made in; without a way to the internet when omitted."""
    keys: NotRequired[EksKeys]
    """Keys of KMS that are there already; three are made when omitted."""
    dra: NotRequired[bool]
    """False: no GPU is handed out by claim, so that an older Kubernetes will do; true when omitted."""
    log_days: NotRequired[int]
    """Days for which CloudWatch keeps logs of control plane and network; 365 when omitted."""
    addon_versions: NotRequired[dict[str, str]]
    """Version of each of AWS's add-ons by its name; AWS's default for the cluster's version when omitted."""
    cluster_name: NotRequired[str]
    """Name of the cluster in AWS; the component's own when omitted. Another one is another cluster."""
    tags: NotRequired[dict[str, str]]
    """Tags of everything that is made."""
    protect: NotRequired[bool]
    """False: cluster, keys and logs may be deleted with the stack; true when omitted."""
