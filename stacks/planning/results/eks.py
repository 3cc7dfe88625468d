"""A cluster on EKS that the stack makes."""

from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.vocabulary import Egress


@dataclass(frozen=True)
class EksNodesPlan:
    """Nodes for what the platform itself runs."""

    instance: str
    minimum: int
    maximum: int
    disk_gib: int
    confidential: bool
    """Whether memory is encrypted in use."""


@dataclass(frozen=True)
class EksPlan:
    """What the cluster is made of; its nodes with GPUs are pools of the plan."""

    name: str
    """Name in AWS."""
    region: str
    partition: str
    """Partition of AWS that the region is in, which ARNs carry."""
    version: str
    """Version of Kubernetes, MAJOR.MINOR: EKS chooses the patch."""
    zones: tuple[str, ...]
    admins: Mapping[str, str]
    """ARN of each who administers it, by name."""
    nodes: EksNodesPlan
    cidr: str
    egress: Egress
    api_clients: tuple[str, ...]
    """Networks beside its own from which its API is reached."""
    keys: Mapping[str, str]
    """ARN of each key that is there already, by what it encrypts: `secrets`, `logs`, `disks`, `models`."""
    log_days: int
    tags: Mapping[str, str]
