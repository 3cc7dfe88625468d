"""What every cluster on EKS gets: add-ons, and endpoints of AWS's services in its network."""

from collections.abc import Iterator, Mapping
from functools import cache
from ipaddress import IPv4Network

from corral.catalogue._read import UNRESOLVED, Entry, Source, read
from corral.catalogue.aws import partition_of

WIDEST, NARROWEST = 16, 22
"""Prefixes of a VPC: AWS has none wider, and no subnet narrower than a /28 (VPC user guide, VPC CIDR blocks,
subnet sizing), which public ones are in a /22."""
LETTERS = "abcdefg"
"""Zones that have a part of the VPC, by the last letter of their name."""
PARTS = 3
"""Bits by which a zone's part of the VPC is narrower: an eighth."""
LEAST_DISK_GIB = 20
"""Size of the disk in the image of nodes, which none is smaller than (awslabs/amazon-eks-ami,
templates/al2023/variables-default.json)."""


class EksAddon(Entry):
    """An add-on that AWS keeps."""

    version: str
    """A version of it, or `unresolved`."""
    before_nodes: bool = False
    """Whether nodes are not ready without it; what else there is needs nodes."""
    service_account: str | None = None
    """Account of its pods that acts in AWS; None: none does."""
    policy: str | None = None
    """AWS's policy with the rights of that account, by the end of its ARN."""
    configuration: Mapping[str, str] = {}
    """Settings that differ from the add-on's own."""

    @property
    def pin(self) -> str | None:
        """The version to install; None: AWS's default for the cluster's version."""
        return None if self.version == UNRESOLVED else self.version


class SevSnp(Entry):
    """Where memory is encrypted by AMD SEV-SNP."""

    source: Source
    partition: str
    regions: tuple[str, ...]
    """All regions of the partition that have it; of other partitions nothing was read."""
    instances: tuple[str, ...]
    """Instance types that have it."""


class NoVpc(Entry):
    """Addresses that a VPC cannot have."""

    source: Source
    nobodys: tuple[IPv4Network, ...]
    """Those of no machine."""
    of_aws: tuple[IPv4Network, ...]
    """Those that services of AWS use within themselves."""


class EksServices(Entry):
    """Add-ons and endpoints."""

    source: Source
    addons: dict[str, EksAddon]
    interface_endpoints: tuple[str, ...]
    """Services by the end of their names that have addresses in the network."""
    gateway_endpoints: tuple[str, ...]
    """Services that routes lead to."""
    addresses_source: Source
    interface_addresses: dict[int, tuple[str, ...]]
    """Instance types by the addresses that one of their network interfaces has."""
    reserved_source: Source
    reserved_addresses: int
    """Addresses of a subnet that no node, pod or endpoint can have."""
    log_days: tuple[int, ...]
    """Periods for which logs can be kept."""
    sev_snp: SevSnp
    no_vpc: NoVpc

    def node_addresses(self, instance: str) -> int:
        """Addresses that a node holds before it has many pods: of one interface in use and a spare one."""
        own = (count for count, types in self.interface_addresses.items() if instance in types)
        return 2 * next(own)

    def subnet_addresses(self, prefix: int) -> int:
        """Addresses that nodes and pods have of a subnet, beside the endpoints of services."""
        return (1 << (32 - prefix)) - self.reserved_addresses - len(self.interface_endpoints)


@cache
def eks_services() -> EksServices:
    """Add-ons by name, and endpoints."""
    return read("eks.yaml", EksServices)


def no_vpc(network: IPv4Network) -> Iterator[str]:
    """Why no VPC has the addresses of `network`, with the way out."""
    known, use = eks_services().no_vpc, "use a network such as 10.0.0.0/16"
    if any(network.overlaps(one) for one in known.nobodys):
        yield f"no machine has such addresses: {use}"
    if any(network.overlaps(one) for one in known.of_aws):
        yield f"services of AWS have these addresses for themselves: {use}"


def unencrypted(instance: str, region: str) -> Iterator[tuple[str, str, str]]:
    """Why memory of `instance` is not encrypted in use in `region`: the key, its value, and the reason."""
    known = eks_services().sev_snp
    if partition_of(region) == known.partition and region not in known.regions:
        use = f"use {' or '.join(known.regions)}, or leave it out"
        yield "confidential", "true", f"EC2 has no AMD SEV-SNP in {region}, which encrypts memory: {use}"
    elif instance not in known.instances:
        reason = (
            f"AMD SEV-SNP, which encrypts memory, is of other types: use one such as {known.instances[2]}"
        )
        yield "instance_type", instance, reason
