"""The workloads within a Kubernetes object: what has pod specs, whatever kind it is of."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN
from corral.controls.kinds import KINDS, Kind


def workloads(subject: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """`subject` itself if its kind is known, else its items if it is a list, else each pod spec in it.

    A patch counts as what it patches. Nulls are dropped, as the API server drops them.
    """
    kind = _known_kind(subject)
    if kind is not None:
        yield {**cast(Mapping[str, Any], without_nulls(subject)), "kind": kind.kind}
        return
    items = subject.get("items")
    if str(subject.get("kind")).endswith("List") and isinstance(items, list):
        named = str(subject.get("kind")).removesuffix("List")
        for item in cast(list[Any], items):
            if isinstance(item, Mapping):
                inherited = {"kind": named, "apiVersion": subject.get("apiVersion")} if named else {}
                yield from workloads({**inherited, **cast(Mapping[str, Any], item)})
        return
    for spec in _pod_specs(without_nulls(subject)):
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": subject.get("metadata") or {}, "spec": spec}


def without_nulls(value: Any) -> Any:
    """`value` less the fields that are null."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {key: without_nulls(item) for key, item in fields.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast(list[Any], value) if item is not None]
    return value


def _known_kind(subject: Mapping[str, Any]) -> Kind | None:
    name = subject.get("kind")
    kind = KINDS.get(name.removesuffix("Patch")) if isinstance(name, str) else None
    group, slash, _ = str(subject.get("apiVersion") or "").partition("/")
    stated = group if slash else ""
    return kind if kind is not None and ("apiVersion" not in subject or stated == kind.group) else None


def _pod_specs(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _pod_specs(item)
    if not isinstance(value, Mapping):
        return
    fields = cast(Mapping[str, Any], value)
    containers = fields.get("containers")
    if isinstance(containers, list) and all(
        item is UNKNOWN or isinstance(item, Mapping) for item in cast(list[Any], containers)
    ):
        yield fields
        return
    for item in fields.values():
        yield from _pod_specs(item)
