"""Reading nested Kubernetes objects, where a part that is absent or null counts as empty."""

from typing import Any, cast

from corral.embedded.kube import Object, Objects


def at(item: Object, *path: str) -> Any:
    """The value at `path`, or None.

    >>> at({"spec": {"replicas": 2}}, "spec", "replicas"), at({"spec": None}, "spec", "replicas")
    (2, None)
    """
    value: Any = item
    for step in path:
        value = cast(Object, value or {}).get(step)
    return value


def child(item: Object, *path: str) -> Object:
    """The mapping at `path`, or an empty one."""
    return cast(Object, at(item, *path) or {})


def children(item: Object, *path: str) -> Objects:
    """The list of mappings at `path`, or an empty one."""
    return cast(Objects, at(item, *path) or [])


def title(item: Object) -> str:
    """`namespace/name`, or the name of a cluster-scoped object."""
    meta = child(item, "metadata")
    return "/".join(str(meta[part]) for part in ("namespace", "name") if meta.get(part))


def condition(item: Object, kind: str) -> Object | None:
    """The status condition of type `kind`."""
    return next((c for c in children(item, "status", "conditions") if c.get("type") == kind), None)


def is_true(item: Object, kind: str) -> bool:
    """Whether the status condition of type `kind` is there and true."""
    return (condition(item, kind) or {}).get("status") == "True"
