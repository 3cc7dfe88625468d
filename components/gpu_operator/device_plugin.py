"""How the device plugin shares GPUs, as it reads it: its configuration format, version v1."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypedDict

import yaml

from corral.components._kit import ArgsError

WHOLE = "whole"
"""Configuration of nodes without a label: nothing is shared."""
STRATEGY = "mixed"
"""Slices are resources named after their profile."""


class SharedBy(StrEnum):
    """How the pods on one GPU share it."""

    TIME_SLICING = "time-slicing"
    MPS = "mps"


if TYPE_CHECKING:
    SharedByWord = SharedBy | Literal["time-slicing", "mps"]
else:
    SharedByWord = SharedBy


FIELD = {SharedBy.TIME_SLICING: "timeSlicing", SharedBy.MPS: "mps"}


class SharedGpus(TypedDict):
    """GPUs that several pods share, chosen by the node's label `nvidia.com/device-plugin.config`."""

    name: str
    """Value of the node label."""
    by: SharedByWord
    """Who keeps the pods apart: the clock, or the driver."""
    shares: int
    """Pods on each GPU at most."""


def configurations(shared: Sequence[SharedGpus]) -> dict[str, str]:
    """Files of the device plugin's ConfigMap, one per name; `whole` is always among them.

    Shares are announced under a name of their own, `nvidia.com/gpu.shared`, so that nobody mistakes one for a
    GPU, and a pod may have one only: two would be two turns on what may be the same GPU.

    Raises:
        ArgsError: a name is taken twice or reserved, or there are fewer than two shares.
    """
    names = [WHOLE, *(entry["name"] for entry in shared)]
    problems = [f"shared GPUs {name!r}: the name is taken" for name in set(names) if names.count(name) > 1]
    problems += [
        f"shared GPUs {entry['name']!r}: {entry['shares']} shares; use 2 or more"
        for entry in shared
        if entry["shares"] < 2
    ]
    if problems:
        raise ArgsError("\n".join(sorted(problems)))
    flags = {"version": "v1", "flags": {"migStrategy": STRATEGY}}
    files = {WHOLE: flags, **{entry["name"]: {**flags, "sharing": _sharing(entry)} for entry in shared}}
    return {name: yaml.safe_dump(content, sort_keys=True) for name, content in files.items()}


def _sharing(entry: SharedGpus) -> dict[str, object]:
    by = SharedBy(entry["by"])
    one_each = {"failRequestsGreaterThanOne": True} if by is SharedBy.TIME_SLICING else {}
    resources = [{"name": "nvidia.com/gpu", "replicas": entry["shares"]}]
    return {FIELD[by]: {"renameByDefault": True, **one_each, "resources": resources}}
