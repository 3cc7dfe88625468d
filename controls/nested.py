"""Objects within resources of operators that apply them, in fields or as text: of fleets, templates, jobs."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

import yaml

Fields = Mapping[str, Any]
_CONTENT = ("spec", "rules", "roleRef", "webhooks", "items", "data", "stringData", "metadata")
"""Fields of which an object has one beside its type; a reference to an object has none."""
_LONGEST = 100_000
"""Characters of a text above which it is no manifest that a resource carries."""


def manifests(plain: Fields, within: Collection[str]) -> Iterator[Fields]:
    """Objects with a type of their own anywhere in `plain`, itself apart, and volumes by their shape.

    `within`: kinds that are left out where they stand in fields, as their shape is found there.
    """
    for key, value in plain.items():
        if key not in ("metadata", "status"):
            yield from _within(value, within)


def _within(value: Any, within: Collection[str]) -> Iterator[Fields]:
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _within(item, within)
    elif isinstance(value, str):
        if "kind:" in value or '"kind"' in value:
            yield from _of_text(value)
    elif isinstance(value, Mapping):
        fields = cast(Fields, value)
        if _is_object(fields):
            if fields["kind"] not in within:
                yield fields
            return
        if "capacity" in fields and ("hostPath" in fields or "local" in fields):
            yield {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {}, "spec": fields}
        for item in fields.values():
            yield from _within(item, within)


def _is_object(fields: Fields) -> bool:
    named = isinstance(fields.get("apiVersion"), str) and isinstance(fields.get("kind"), str)
    return named and any(isinstance(fields.get(key), (Mapping, list)) for key in _CONTENT)


def _of_text(text: str) -> Iterator[Fields]:
    if len(text) > _LONGEST or "apiVersion" not in text:
        return
    try:
        documents: list[Any] = list(yaml.safe_load_all(text))
    except yaml.YAMLError:
        return
    for one in documents:
        if isinstance(one, Mapping) and _is_object(cast(Fields, one)):
            yield cast(Fields, one)
