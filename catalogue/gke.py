"""What GKE offers: machine families with GPUs, series without, and the limits of a cluster."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from ipaddress import IPv4Network

from corral.catalogue._read import Entry, Source, read

LETTERS = "abcdef"
"""Last letters of zones."""
NODES, PODS, SERVICES = "10.0.0.0/20", "10.4.0.0/14", "10.8.0.0/20"
"""Addresses of a cluster that names no others."""
GOOGLE_APIS = "199.36.153.4/30"
"""Addresses of restricted.googleapis.com, which routes within Google alone lead to."""
LONGEST_NAME = 30
"""Characters of a cluster's name, with which names of what belongs to it begin: GKE takes 40 (container.v1,
`Cluster.name`)."""
ARTIFACT_REGISTRY = (
    r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[a-z0-9-]+)/(?P<name>[a-z0-9-]+)(/.*)?"
)
"""A repository of images in Artifact Registry, with the path of a mirror in it."""
LEAST_NODES = 3
"""Fewest system nodes of a cluster that states none."""
LEAST_DISK_GIB = 15
"""Smallest disk of a node of 1.36.3 and newer (container.v1, `NodeConfig.diskSizeGb`)."""
LONGEST_LOG_DAYS = 3650
"""Longest period of a log bucket (Cloud Logging, quotas and limits)."""
RESERVED_LABELS = ("goog-", "google-")
"""How keys of labels begin that Google keeps for itself (batch.v1, `AllocationPolicy.labels`)."""
MOST_LABELS = 60
"""Labels that a stack may have: of the 64 of a resource (GKE, creating and managing labels) some are the
program's, the provider's and GKE's own."""
BOOT_DISK = "pd-balanced"
"""Type of the boot disk of system nodes that name none."""
FEWEST_SERVICES = 27
"""Longest prefix of the addresses of Services: a /28 has 16, and charts of the platform make more."""
NODE_PODS = 24
"""Prefix of the addresses that each node takes for its pods: two for each of 110, rounded up to a power of 2
(container.v1, `IPAllocationPolicy.podCidrOverprovisionConfig`)."""
NODES_RESERVED = 5
"""Addresses of a subnet that are no node's: Google's four (VPC, unusable addresses in IPv4 subnet ranges),
and that of the cluster's API (GKE: by default in the primary range of the subnet)."""
_SHARED = IPv4Network("100.64.0.0/10")
_IN_NO_SUBNET = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "255.255.255.255/32")))


def private(network: IPv4Network) -> bool:
    """Whether a subnet may have these addresses, and nobody on the internet has them.

    Google's own documents: VPC, prohibited IPv4 subnet ranges; compute.v1, `Subnetwork.ipCidrRange`, for
    100.64.0.0/10.

    >>> [private(IPv4Network(one)) for one in ("10.0.0.0/20", "100.64.0.0/14", "127.0.0.0/20", "8.8.8.0/24")]
    [True, True, False, False]
    """
    known = network.is_private or network.subnet_of(_SHARED)
    return known and not any(network.overlaps(one) for one in _IN_NO_SUBNET)


def zones_of(region: str) -> tuple[str, ...]:
    """Zones that `region` may have.

    >>> zones_of("europe-west3")[:2]
    ('europe-west3-a', 'europe-west3-b')
    """
    return tuple(f"{region}-{letter}" for letter in LETTERS)


def has_gpu_zone(region: str, zone: str) -> bool:
    """Whether GPUs may be in `zone` of `region`, which may be an AI zone, where system nodes are not.

    Source: GKE, about custom ComputeClasses.

    >>> has_gpu_zone("europe-west4", "europe-west4-ai1a"), has_gpu_zone("europe-west4", "europe-west3-a")
    (True, False)
    """
    return zone in zones_of(region) or re.fullmatch(rf"{region}-ai[0-9]+[a-z]", zone) is not None


class Family(Entry):
    """Machine types that differ in size alone."""

    accelerator: str
    """Accelerator type that a node pool asks for."""
    boot_disk: str
    """A boot disk type that the family takes."""
    partitions: tuple[str, ...]
    """MIG profiles into which GKE itself cuts each GPU; none: it leaves them whole."""


class Series(Entry):
    """Machine types without GPUs of one series, such as `n2d`."""

    boot_disks: tuple[str, ...]
    """Types of boot disks that it takes."""
    arm: bool = False
    """Whether its processors are Arm's."""
    encryption: str | None = None
    """Technology by which memory is encrypted in use, `SEV` or `TDX`; None: there is none."""
    encrypted: str | None = None
    """Pattern of types that have it; None: all."""

    def encrypts(self, machine: str) -> bool:
        """Whether memory of `machine`, which is of this series, can be encrypted in use."""
        return self.encryption is not None and re.fullmatch(self.encrypted or ".*", machine) is not None


class _Machines(Entry):
    source: Source
    families: dict[str, Family]
    series_source: Source
    series: dict[str, Series]


@cache
def _machines() -> _Machines:
    return read("gke.yaml", _Machines)


def families() -> Mapping[str, Family]:
    """All families by name, such as `a3-highgpu`."""
    return _machines().families


def every_series() -> Mapping[str, Series]:
    """All series by name, such as `n2d`."""
    return _machines().series


def series_of(machine: str) -> Series | None:
    """Series of machine type `machine`, such as `n2d-standard-8`; None: it is not in the catalogue."""
    return every_series().get(machine.partition("-")[0])


def misfits(machine: str, disk_type: str, *, confidential: bool) -> Iterator[tuple[str, str, str]]:
    """What of system nodes a machine type cannot be: the key, its value and why, with the way out."""
    series, name = series_of(machine), machine.partition("-")[0]
    if series is None:
        return
    if series.arm:
        yield (
            "machine_type",
            machine,
            "has Arm processors, whose nodes GKE taints: use one such as n2d-standard-8",
        )
    elif confidential and not series.encrypts(machine):
        yield "machine_type", machine, "cannot encrypt memory in use: use one such as n2d-standard-8"
    if disk_type not in series.boot_disks:
        yield "disk_type", disk_type, f"{name} takes no such boot disk: use {' or '.join(series.boot_disks)}"


def unfit_labels(labels: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Keys of labels that Google keeps for itself, with the reason and the way out."""
    for key in labels:
        if key.startswith(RESERVED_LABELS):
            yield key, f"Google keeps keys with {' and '.join(RESERVED_LABELS)} for itself: use another"


def family(machine: str) -> Family:
    """Family of machine type `machine`, such as `a3-highgpu-8g`.

    Raises:
        KeyError: the family is not in the catalogue.
    """
    return families()[machine.rpartition("-")[0]]
