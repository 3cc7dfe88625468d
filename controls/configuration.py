"""Workloads with what ConfigMaps of the same stack bring into their environment and arguments."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import yaml

Data = Mapping[str, Any]
"""Keys of a ConfigMap with their text."""
_FILES = (".yaml", ".yml", ".json")
_LONGEST = 20_000
"""Characters of a file above which it is no engine's configuration."""


def data_of(maps: Sequence[Mapping[str, Any]]) -> Mapping[str, Data]:
    """Data of ConfigMaps by name."""
    found: dict[str, Data] = {}
    for one in maps:
        metadata, data = one.get("metadata"), one.get("data")
        name = cast(Mapping[str, Any], metadata).get("name") if isinstance(metadata, Mapping) else None
        if isinstance(name, str) and isinstance(data, Mapping):
            found[name] = cast(Data, data)
    return found


def configured(value: Any, maps: Mapping[str, Data]) -> Any:
    """`value`, a workload or a part of one, with what `maps` bring into it; itself where that is nothing."""
    if isinstance(value, list):
        items = cast(list[Any], value)
        made = [configured(item, maps) for item in items]
        return made if any(new is not old for new, old in zip(made, items, strict=True)) else items
    if not isinstance(value, Mapping):
        return value
    fields = cast(Mapping[str, Any], value)
    changed = {key: configured(item, maps) for key, item in fields.items()}
    env = [*_sources(fields, maps), *_references(fields, maps)]
    if env:
        known = {one["name"] for one in env}
        kept = [one for one in _list(changed, "env") if not _named(one, known)]
        changed["env"] = [*kept, *env]
    arguments = list(_mounted(fields, maps))
    containers = _list(changed, "containers")
    if arguments and containers and isinstance(containers[0], Mapping):
        first = cast(Mapping[str, Any], containers[0])
        changed["containers"] = [{**first, "args": [*_list(first, "args"), *arguments]}, *containers[1:]]
    return changed if any(changed[key] is not fields.get(key) for key in changed) else fields


def _list(holder: Mapping[str, Any], key: str) -> list[Any]:
    found = holder.get(key)
    return cast(list[Any], found) if isinstance(found, list) else []


def _named(entry: Any, names: set[str]) -> bool:
    return isinstance(entry, Mapping) and cast(Mapping[str, Any], entry).get("name") in names


def _part(holder: Any, *keys: str) -> Any:
    for key in keys:
        holder = cast(Mapping[str, Any], holder).get(key) if isinstance(holder, Mapping) else None
    return holder


def _sources(container: Mapping[str, Any], maps: Mapping[str, Data]) -> Iterator[dict[str, Any]]:
    for source in _list(container, "envFrom"):
        prefix = _part(source, "prefix") or ""
        for key, text in maps.get(str(_part(source, "configMapRef", "name")), {}).items():
            if isinstance(text, str):
                yield {"name": f"{prefix}{key}", "value": text}


def _references(container: Mapping[str, Any], maps: Mapping[str, Data]) -> Iterator[dict[str, Any]]:
    for entry in _list(container, "env"):
        reference = _part(entry, "valueFrom", "configMapKeyRef")
        text = maps.get(str(_part(reference, "name")), {}).get(str(_part(reference, "key")))
        if isinstance(text, str):
            yield {"name": _part(entry, "name"), "value": text}


def _mounted(spec: Mapping[str, Any], maps: Mapping[str, Data]) -> Iterator[str]:
    """Options that engines read from a mounted file, as they would stand among arguments."""
    for volume in _list(spec, "volumes"):
        for key, text in maps.get(str(_part(volume, "configMap", "name")), {}).items():
            if key.endswith(_FILES) and isinstance(text, str) and len(text) <= _LONGEST:
                yield from _options(text)


def _options(text: str) -> Iterator[str]:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    if isinstance(document, Mapping):
        for key, value in cast(Mapping[Any, Any], document).items():
            if isinstance(value, (str, int, bool)):
                yield f"--{key}={value}"
