"""Instance types: what a node that a cloud rents out has."""

import re
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


_SERIES = re.compile("[.-]")
"""What ends the series in a machine type's name."""
CARDS_UNREAD = frozenset({"p6-b300.48xlarge"})
"""Types of which it was not read whether their first network card has AWS's Elastic Fabric Adapter."""


@cache
def _file() -> _Instances:
    return read("instances.yaml", _Instances)


def instances() -> Mapping[str, Instance]:
    """All instance types by name, such as `p5.48xlarge`."""
    return _file().instances


def gpus_said(machine: str) -> str | None:
    """That `machine` has GPUs, as all types have whose names begin as its own; None: nothing is known of any.

    >>> gpus_said("g5.xlarge"), gpus_said("a2-megagpu-16g"), gpus_said("m7i.large")
    ('has GPUs (A10G)', 'has GPUs', None)
    """
    if machine in instances():
        return f"has GPUs ({instances()[machine].gpu})"
    begins = {_SERIES.split(name)[0] for name in instances()}
    return "has GPUs" if _SERIES.split(machine)[0] in begins else None


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
