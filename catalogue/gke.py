"""What GKE offers: machine families with GPUs, and the limits of a cluster."""

from collections.abc import Mapping
from functools import cache

from corral.catalogue._read import Entry, Source, read

LETTERS = "abcdef"
"""Last letters of zones."""
NODES, PODS, SERVICES = "10.0.0.0/20", "10.4.0.0/14", "10.8.0.0/20"
"""Addresses of a cluster that names no others."""
GOOGLE_APIS = "199.36.153.4/30"
"""Addresses of restricted.googleapis.com, which routes within Google alone lead to."""
LONGEST_NAME = 30
"""Characters of a cluster's name, with which names of what belongs to it begin."""
ARTIFACT_REGISTRY = (
    r"(?P<location>[a-z0-9-]+)-docker\.pkg\.dev/(?P<project>[a-z0-9-]+)/(?P<name>[a-z0-9-]+)(/.*)?"
)
"""A repository of images in Artifact Registry, with the path of a mirror in it."""
LEAST_NODES = 3
"""Fewest system nodes of a cluster that states none."""
LEAST_DISK_GIB = 20
LONGEST_LOG_DAYS = 3650
"""Longest period of a log bucket (Cloud Logging, quotas and limits)."""


ARM = ("t2a", "c4a", "n4a")
"""Machine series with Arm processors, whose nodes GKE taints."""
HYPERDISK = ("c4", "c4a", "c4d", "h4d", "m4", "n4", "n4a", "n4d", "x4")
"""Machine series that take Hyperdisk alone."""
UNENCRYPTED = ("c2", "e2", "n1", "n2", "t2a", "t2d")
"""Machine series that cannot encrypt memory in use."""
FEWEST_SERVICES = 27
"""Longest prefix of the addresses of Services."""
NODE_PODS = 24
"""Prefix of the addresses that each node takes for its pods."""
NODES_RESERVED = 4
"""Addresses of a subnet that are no node's."""


def zones_of(region: str) -> tuple[str, ...]:
    """Zones that `region` may have.

    >>> zones_of("europe-west3")[:2]
    ('europe-west3-a', 'europe-west3-b')
    """
    return tuple(f"{region}-{letter}" for letter in LETTERS)


class Family(Entry):
    """Machine types that differ in size alone."""

    accelerator: str
    """Accelerator type that a node pool asks for."""
    boot_disk: str
    """A boot disk type that the family takes."""
    partitions: tuple[str, ...]
    """MIG profiles into which GKE itself cuts each GPU; none: it leaves them whole."""


class _Families(Entry):
    source: Source
    families: dict[str, Family]


@cache
def families() -> Mapping[str, Family]:
    """All families by name, such as `a3-highgpu`."""
    return read("gke.yaml", _Families).families


def family(machine: str) -> Family:
    """Family of machine type `machine`, such as `a3-highgpu-8g`.

    Raises:
        KeyError: the family is not in the catalogue.
    """
    return families()[machine.rpartition("-")[0]]
