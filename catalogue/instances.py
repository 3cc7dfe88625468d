"""Instance types: what a node that a cloud rents out has."""

from collections.abc import Mapping
from functools import cache

from pydantic import model_validator

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import Cloud


class Instance(Entry):
    """One instance type; a size that is None was not read."""

    cloud: Cloud
    gpu: str
    """Key of the GPU."""
    gpus: int
    vcpus: int
    memory_gib: int
    disk_gb: int | None = None
    """Local disks that come with it, in GB."""
    network_gbps: float | None = None
    efa: int = 0
    """Interfaces of AWS's Elastic Fabric Adapter."""
    source: str
    """Key of the source."""


class _Instances(Entry):
    sources: dict[str, Source]
    instances: dict[str, Instance]

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> "_Instances":
        for name, entry in self.instances.items():
            if entry.gpu not in gpus():
                raise ValueError(f"{name}: no GPU {entry.gpu!r} in the catalogue")
            if entry.source not in self.sources:
                raise ValueError(f"{name}: no source {entry.source!r}")
        return self


CARDS_UNREAD = frozenset({"p6-b300.48xlarge"})
"""Types of which it was not read whether their first network card has AWS's Elastic Fabric Adapter."""


@cache
def _file() -> _Instances:
    return read("instances.yaml", _Instances)


def instances() -> Mapping[str, Instance]:
    """All instance types by name, such as `p5.48xlarge`."""
    return _file().instances


def with_efa(gpu: str) -> tuple[str, ...]:
    """Instance types with `gpu` whose interfaces of AWS's Elastic Fabric Adapter can be made."""
    return tuple(
        name
        for name, one in instances().items()
        if one.gpu == gpu and one.efa > 0 and name not in CARDS_UNREAD
    )


def source(instance: str) -> Source:
    """Where the figures of `instance` were read."""
    return _file().sources[instances()[instance].source]
