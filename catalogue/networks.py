"""Networks of clusters: what enforces NetworkPolicies, and how a cluster shows it."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.vocabulary import PodEncryption


class Enforcement(StrEnum):
    """Whether a network enforces NetworkPolicies where it runs."""

    ALWAYS = "always"
    SWITCHED = "switched"
    NEVER = "never"


class ConfigMapSwitch(Entry):
    """A key of a ConfigMap beside the DaemonSet, and the value that ends enforcement."""

    name: str
    key: str
    off: str


class ArgumentSwitch(Entry):
    """An argument of a container of the DaemonSet, and the value that starts enforcement."""

    container: str
    name: str
    on: str


class Network(Entry):
    """A network that a DaemonSet is known by."""

    network: str
    enforces: Enforcement
    config_map: ConfigMapSwitch | None = None
    argument: ArgumentSwitch | None = None
    encryption: Mapping[PodEncryption, str] = {}
    """Keys of its ConfigMap that are `true` where it encrypts between nodes so."""
    source: Source


class Distribution(Entry):
    """A distribution whose server enforces, which no object shows."""

    network: str
    source: Source


class _Networks(Entry):
    networks: dict[str, Network]
    distributions: dict[str, Distribution]


@cache
def _file() -> _Networks:
    return read("networks.yaml", _Networks)


def networks() -> Mapping[str, Network]:
    """Networks by the name of their DaemonSet."""
    return _file().networks


def distributions() -> Mapping[str, Distribution]:
    """Distributions by what the version of their API server has in it."""
    return _file().distributions
