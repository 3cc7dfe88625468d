"""Workloads with what ConfigMaps and Secrets of the same stack bring into their environment and arguments."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import yaml

Data = Mapping[str, Any]
"""Keys of a ConfigMap, or of a Secret, with their text."""
SECRET = "Secret"
"""Kind whose name in the maps has this before it."""
_FILES = (".yaml", ".yml", ".json")
_SCRIPTS = (".sh", ".bash", ".py", ".env")
_COMMENT = re.compile(r"^\s*#(?!!).*$", re.MULTILINE)
_ASKED = ("hosted_vllm/", "openai/", "text-completion-openai/", "litellm_proxy/")
"""Beginnings of LiteLLM's names of models that a server with OpenAI's interface has."""
_WITHIN = re.compile(r"https?://([a-z0-9-]+|([a-z0-9-]+\.)+svc(\.cluster\.local)?)(:\d+)?(/|$)")
_LONGEST = 20_000
"""Characters of a file above which it is no engine's configuration."""


def data_of(maps: Sequence[Mapping[str, Any]]) -> Mapping[str, Data]:
    """Data of ConfigMaps and Secrets by name, that of a Secret behind `Secret/`."""
    data: dict[str, Data] = {}
    for one in maps:
        name = _part(one, "metadata", "name")
        if not isinstance(name, str):
            continue
        if one.get("kind") == SECRET:
            data[f"{SECRET}/{name}"] = {**_decoded(one.get("data")), **_texts(one.get("stringData"))}
        else:
            data[name] = {**_decoded(one.get("binaryData")), **_texts(one.get("data"))}
    return data


def _texts(data: Any) -> dict[str, Any]:
    return dict(cast(Mapping[str, Any], data)) if isinstance(data, Mapping) else {}


def _decoded(data: Any) -> dict[str, Any]:
    """Data of a Secret, less what is no text."""
    plain: dict[str, Any] = {}
    for key, value in _texts(data).items():
        try:
            plain[key] = base64.b64decode(str(value), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return plain


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
    items = holder.get(key)
    return cast(list[Any], items) if isinstance(items, list) else []


def _named(entry: Any, names: set[str]) -> bool:
    return isinstance(entry, Mapping) and cast(Mapping[str, Any], entry).get("name") in names


def _part(holder: Any, *keys: str) -> Any:
    for key in keys:
        holder = cast(Mapping[str, Any], holder).get(key) if isinstance(holder, Mapping) else None
    return holder


def _sources(container: Mapping[str, Any], maps: Mapping[str, Data]) -> Iterator[dict[str, Any]]:
    for source in _list(container, "envFrom"):
        prefix = _part(source, "prefix") or ""
        for key, text in _referred(source, "Ref", maps).items():
            if isinstance(text, str):
                yield {"name": f"{prefix}{key}", "value": text}


def _references(container: Mapping[str, Any], maps: Mapping[str, Data]) -> Iterator[dict[str, Any]]:
    for entry in _list(container, "env"):
        source = _part(entry, "valueFrom")
        key = _part(source, "configMapKeyRef", "key") or _part(source, "secretKeyRef", "key")
        text = _referred(source, "KeyRef", maps).get(str(key))
        if isinstance(text, str):
            yield {"name": _part(entry, "name"), "value": text}


def _referred(source: Any, suffix: str, maps: Mapping[str, Data]) -> Data:
    """Data of the ConfigMap or Secret that `source` names."""
    name = _part(source, f"configMap{suffix}", "name")
    secret = _part(source, f"secret{suffix}", "name") or _part(source, f"secret{suffix}", "secretName")
    return maps.get(f"{SECRET}/{secret}" if name is None else str(name), {})


def _mounted(spec: Mapping[str, Any], maps: Mapping[str, Data]) -> Iterator[str]:
    """Options that engines read from a mounted file, as they would stand among arguments, and scripts."""
    run = [
        word
        for container in (*_list(spec, "containers"), *_list(spec, "initContainers"))
        if isinstance(container, Mapping)
        for key in ("command", "args")
        for text in _list(cast(Mapping[str, Any], container), key)
        for word in str(text).split()
    ]
    for volume in _list(spec, "volumes"):
        projected: Any = _part(volume, "projected", "sources")
        for source in (volume, *(cast(list[Any], projected) if isinstance(projected, list) else ())):
            for key, text in _referred(source, "", maps).items():
                if isinstance(text, str) and len(text) <= _LONGEST:
                    yield from _of_file(key, text, any(word.endswith(f"/{key}") for word in run))


def _of_file(key: str, text: str, named: bool) -> Iterator[str]:
    """`named`: whether a command names the file; without an ending such a file is a script."""
    if key.endswith(_FILES):
        yield from options(text)
    elif key.endswith(_SCRIPTS) or text.startswith("#!") or (named and "." not in key):
        yield _COMMENT.sub("", text)


def options(text: str) -> Iterator[str]:
    """Fields of a document of YAML or JSON, as they would be among arguments."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    yield from _leaves(document)


def _served(fields: Mapping[Any, Any]) -> bool:
    """Whether `model` is a name by which LiteLLM asks a server of the cluster, so that nothing loads it."""
    model, address = str(fields.get("model")), str(fields.get("api_base"))
    return model.startswith(_ASKED) and _WITHIN.match(address) is not None


def _leaves(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        fields = cast(Mapping[Any, Any], value)
        served = _served(fields)
        for name, item in fields.items():
            if not (served and name == "model"):
                yield from _leaves(item, str(name))
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _leaves(item, key)
    elif key and isinstance(value, (str, int, bool)):
        yield f"--{key}={value}"
