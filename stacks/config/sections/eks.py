"""A cluster on EKS that the stack makes: `cluster.eks`."""

from typing import Annotated

from pydantic import Field

from corral.catalogue.eks import LEAST_DISK_GIB
from corral.catalogue.vocabulary import Egress
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import (
    AdminName,
    AwsZone,
    Cidr,
    EksName,
    InstanceType,
    KmsKey,
    Positive,
    Principal,
    Tag,
    TagText,
)


class EksNetwork(Section):
    """The network of a cluster on EKS: private subnets, and an API with addresses in them alone."""

    cidr: Cidr = "10.0.0.0/16"
    """Addresses of the VPC, a /16 to /22, of which each zone takes an eighth."""
    egress: Egress = Egress.NONE
    """Way to the internet: `none`, which needs a mirror in the region's own registry, or `nat`, a NAT gateway
    in each zone."""
    api_clients: tuple[Cidr, ...] = ()
    """Networks from which the cluster's API is reached, beside its own, such as a VPN's."""


class EksNodes(Section):
    """Nodes for what the platform itself runs."""

    instance: InstanceType
    """Instance type without GPUs, such as `m7i.2xlarge`."""
    min: Positive | None = None
    """Fewest nodes; one in each zone when absent."""
    max: Positive | None = None
    """Most nodes; twice the fewest when absent."""
    disk_gib: Annotated[int, Field(strict=True, ge=LEAST_DISK_GIB, le=16384)] = 100
    """Disk of each node in GiB."""
    confidential: Annotated[bool, Field(strict=True)] = False
    """Whether memory is encrypted by AMD SEV-SNP, which some types of M6a, C6a and R6a have; of partition
    `aws`, in `eu-west-1` and `us-east-2`."""


class EksKeys(Section):
    """Keys of KMS that are there already, such as ones whose material an external key store holds."""

    secrets: KmsKey | None = None
    """ARN of the key over Secrets in etcd; made when absent."""
    logs: KmsKey | None = None
    """ARN of the key over logs; made when absent."""
    disks: KmsKey | None = None
    """ARN of the key over disks and volumes; made when absent."""
    models: KmsKey | None = None
    """ARN of the key over models in S3, for `model-storage` of kind `s3`; made when absent."""

    def stated(self) -> dict[str, str]:
        """The keys that there are, by what each encrypts."""
        return {purpose: arn for purpose, arn in self.model_dump().items() if arn is not None}


class Eks(Section):
    """A cluster on EKS; its region is that of `sovereignty`, which also decides the partition."""

    name: EksName | None = None
    """Name of the cluster in AWS; `corral-` and the stack's name when absent. Another name is another
    cluster."""
    zones: tuple[AwsZone, ...]
    """Availability zones, two or more, such as `eu-central-1a`."""
    admins: dict[AdminName, Principal]
    """ARNs of the IAM roles that administer the cluster, each by a name of one's own; the one that runs
    Pulumi is among them."""
    system_nodes: EksNodes
    """Nodes for what the platform itself runs; GPU nodes are `gpu-pools`."""
    network: EksNetwork = EksNetwork()
    """The network that the cluster is made in."""
    keys: EksKeys = EksKeys()
    """Keys of KMS that are there already."""
    log_days: Positive = 365
    """Days for which CloudWatch keeps logs of control plane and network."""
    tags: dict[Tag, TagText] = {}
    """Tags of everything that is made in AWS."""
