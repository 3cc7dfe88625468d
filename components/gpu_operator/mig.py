"""MIG layouts of nodes, as the MIG manager reads them: mig-parted's configuration format, version v1."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NotRequired, TypedDict

import yaml

from corral.components._kit import ArgsError

CONFIG_KEY = "config.yaml"
"""Key that the MIG manager demands of a ConfigMap that it did not make itself."""
DISABLED = "all-disabled"
"""Configuration that the operator gives to nodes without a label: MIG off on every GPU."""


class MigGpus(TypedDict):
    """One layout on some GPUs of a node."""

    devices: NotRequired[list[int]]
    """Indices of the GPUs on the node, from 0; all of them when omitted."""
    profiles: dict[str, int]
    """Slices of each GPU by MIG profile, such as `{"1g.5gb": 7}`; empty: MIG is off on these GPUs."""


class MigConfiguration(TypedDict):
    """A named layout of a whole node, chosen by the node's label `nvidia.com/mig.config`."""

    name: str
    """Value of the node label."""
    gpus: list[MigGpus]
    """Layouts that do not overlap."""


def mig_parted(configurations: Sequence[MigConfiguration]) -> str:
    """`configurations` as a mig-parted document; `all-disabled` is always among them.

    Raises:
        ArgsError: a name is taken twice or reserved, or two layouts of one node claim the same GPU.
    """
    problems = list(_problems(configurations))
    if problems:
        raise ArgsError("\n".join(problems))
    layouts = {entry["name"]: [_entry(gpus) for gpus in entry["gpus"]] for entry in configurations}
    disabled = {DISABLED: [_entry({"profiles": {}})]}
    return yaml.safe_dump({"version": "v1", "mig-configs": {**disabled, **layouts}}, sort_keys=True)


def _entry(gpus: MigGpus) -> dict[str, object]:
    devices = gpus.get("devices", "all")
    if not gpus["profiles"]:
        return {"devices": devices, "mig-enabled": False}
    return {"devices": devices, "mig-enabled": True, "mig-devices": gpus["profiles"]}


def _problems(configurations: Sequence[MigConfiguration]) -> Iterable[str]:
    names = Counter(entry["name"] for entry in configurations)
    for name in (name for name, count in names.items() if count > 1):
        yield f"mig configuration {name!r}: given {names[name]} times; a name means one layout"
    if DISABLED in names:
        yield f"mig configuration {DISABLED!r}: reserved for nodes without MIG; choose another name"
    for entry in configurations:
        claimed = Counter(index for gpus in entry["gpus"] for index in gpus.get("devices", []))
        for index in (index for index, count in claimed.items() if count > 1):
            yield f"mig configuration {entry['name']!r}: {claimed[index]} layouts for GPU {index}; give one"
        everywhere = sum("devices" not in gpus for gpus in entry["gpus"])
        if everywhere and len(entry["gpus"]) > 1:
            yield f"mig configuration {entry['name']!r}: a layout for all GPUs must be the only one"
        if not entry["gpus"]:
            yield f"mig configuration {entry['name']!r}: has no layout; give it at least one"
