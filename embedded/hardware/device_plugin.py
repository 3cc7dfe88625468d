"""What the device plugin announces: GPUs and slices as extended resources, shared as it is configured."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from corral.embedded.hardware.geometry import Impossible
from corral.embedded.hardware.mig_parted import Layout
from corral.embedded.kube import Object
from corral.embedded.objects import at

WHOLE_GPU = "nvidia.com/gpu"
MOST_MPS_CLIENTS = 48


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    replicas: Annotated[int, Field(ge=2)]


class _SharingMode(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    rename: bool = Field(False, alias="renameByDefault")
    one_each: bool = Field(False, alias="failRequestsGreaterThanOne")
    resources: tuple[_Entry, ...] = ()


class _Sharing(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    time_slicing: _SharingMode | None = Field(None, alias="timeSlicing")
    mps: _SharingMode | None = None


class _Flags(BaseModel):
    strategy: Literal["none", "single", "mixed"] | None = Field(None, alias="migStrategy")


class _Document(BaseModel):
    version: Literal["v1"]
    flags: _Flags = _Flags(migStrategy=None)
    sharing: _Sharing = _Sharing(timeSlicing=None)


@dataclass(frozen=True)
class Plugin:
    """The device plugin of one machine, configured."""

    strategy: str
    """MIG strategy: none, single or mixed."""
    sharing: str = "none"
    """Value of the node label `nvidia.com/gpu.sharing-strategy`."""
    replicas: Mapping[str, int] | None = None
    """Pods on each unit of a resource, by resource; None: one each."""
    rename: bool = False
    """Whether shares are announced under a name of their own."""


def configured(strategy: str, text: str | None) -> Plugin:
    """The plugin under configuration file `text`; None: there is none, and nothing is shared.

    Raises:
        Impossible: the text is no configuration of the plugin, or asks for what it refuses.
    """
    if text is None:
        return Plugin(strategy)
    try:
        document = _Document.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as cause:
        raise Impossible(f"the device plugin's configuration is no YAML: {cause}") from None
    except ValidationError as cause:
        first = cause.errors()[0]
        where = ".".join(map(str, first["loc"])) or "its top"
        raise Impossible(f"the device plugin's configuration is wrong at {where}: {first['msg']}") from None
    chosen = document.flags.strategy or strategy
    by_name = {"time-slicing": document.sharing.time_slicing, "mps": document.sharing.mps}
    modes = {name: way for name, way in by_name.items() if way is not None and way.resources}
    if len(modes) > 1:
        raise Impossible("time-slicing and MPS exclude each other")
    if not modes:
        return Plugin(chosen)
    ((name, way),) = modes.items()
    replicas = {entry.name: entry.replicas for entry in way.resources}
    if name == "mps" and (set(replicas) != {WHOLE_GPU} or replicas[WHOLE_GPU] > MOST_MPS_CLIENTS):
        raise Impossible(f"MPS shares whole GPUs alone, {MOST_MPS_CLIENTS} clients at most")
    return Plugin(chosen, name, replicas, way.rename)


def announced(plugin: Plugin, layout: Mapping[int, Layout]) -> dict[str, str]:
    """Extended resources of a machine whose GPUs are cut as `layout`.

    Raises:
        Impossible: MPS on a machine with a GPU in MIG mode.
    """
    if plugin.sharing == "mps" and any(slices is not None for slices in layout.values()):
        raise Impossible("MPS is not supported on GPUs in MIG mode")
    resources: dict[str, str] = {}
    for name, count in _units(layout, plugin.strategy).items():
        shares = (plugin.replicas or {}).get(name, 1)
        resources[f"{name}.shared" if shares > 1 and plugin.rename else name] = str(count * shares)
    return resources


def _units(layout: Mapping[int, Layout], strategy: str) -> dict[str, int]:
    """GPUs and slices by resource name under MIG strategy `none`, `single` or `mixed`.

    `single` names slices `nvidia.com/gpu`, and announces nothing when they differ or some GPUs are whole.
    """
    whole = sum(slices is None for slices in layout.values())
    slices_of = Counter(placed.profile for slices in layout.values() for placed in slices or ())
    if strategy == "none":
        return {WHOLE_GPU: len(layout)}
    if strategy == "single":
        alike = not slices_of or (len(slices_of) == 1 and not whole)
        return {WHOLE_GPU: whole + sum(slices_of.values())} if alike else {}
    mixed = {f"nvidia.com/mig-{p.replace('+', '.')}": count for p, count in sorted(slices_of.items())}
    return {WHOLE_GPU: whole, **mixed}


def chosen_file(policy: Object, configurations: Mapping[str, Object], label: str | None) -> str | None:
    """The configuration file of a node: the one that its label names, else the ClusterPolicy's default.

    `configurations`: ConfigMaps of the operator's namespace by name. None: the policy names no ConfigMap, or
    the node has no label and the policy no default.

    Raises:
        Impossible: the ConfigMap or the file is not there.
    """
    name = str(at(policy, "spec", "devicePlugin", "config", "name") or "")
    key = label or str(at(policy, "spec", "devicePlugin", "config", "default") or "")
    if not name or not key:
        return None
    files = at(configurations.get(name) or {}, "data")
    if not isinstance(files, dict) or key not in files:
        raise Impossible(f"there is no device plugin configuration {key!r} in ConfigMap {name!r}")
    return str(files[key])  # pyright: ignore[reportUnknownArgumentType]
