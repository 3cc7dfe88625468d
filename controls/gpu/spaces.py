"""In which namespace of a stack an object is, known or not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from corral.controls.control import UNKNOWN, Resource, Undecided

NAMESPACES = ("kubernetes:core/v1:Namespace", "kubernetes:core/v1:NamespacePatch")
_APART = (
    "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition",
    "kubernetes:rbac.",
    "kubernetes:helm.sh/",
    "kubernetes:core/v1:C",
    "kubernetes:core/v1:N",
)
DEFAULT = "default"


_last: tuple[Sequence[Resource], list[Resource]] = ((), [])


def namespaces(others: Sequence[Resource]) -> list[Resource]:
    """The namespaces of a stack, looked for once where rules ask for those of one stack again and again."""
    global _last
    stack, found = _last
    if stack is not others:
        found = [one for one in others if one.type in NAMESPACES]
        _last = others, found
    return found


def may_ask(token: str) -> bool:
    """Whether resources of type `token` can be objects in a namespace that ask for GPUs."""
    kind = token.rpartition(":")[2]
    return token.startswith("kubernetes:") and not token.startswith(_APART) and not kind.startswith("Cluster")


def objects(subject: Resource) -> Iterator[Mapping[str, Any]]:
    """The object of a resource, or those of a list."""
    items = subject.props.get("items")
    for one in cast(list[Any], items) if isinstance(items, list) else [subject.props]:
        if isinstance(one, Mapping):
            yield cast(Mapping[str, Any], one)


def metadata(one: Mapping[str, Any], key: str) -> Any:
    """What an object has at `key` of its metadata."""
    held = one.get("metadata")
    if held is UNKNOWN:
        return UNKNOWN
    return cast(Mapping[str, Any], held).get(key) if isinstance(held, Mapping) else None


def space(one: Mapping[str, Any], subject: Resource, others: Sequence[Resource]) -> str:
    """The namespace of object `one` of `subject`: its name, or the URN of what makes it.

    Raises:
        Undecided: it is not known, and no namespace of the stack gives it.
    """
    name = metadata(one, "namespace")
    if isinstance(name, str) and name:
        return name
    if name is not UNKNOWN:
        return str(subject.provider.get("namespace") or DEFAULT)
    sources = set(subject.refers.get("metadata", ()))
    made = [other for other in namespaces(others) if other.urn in sources]
    if len(made) != 1:
        raise Undecided("its namespace is not known yet")
    return _name(made[0])


def _name(made: Resource) -> str:
    own = metadata(made.props, "name")
    return own if isinstance(own, str) else made.urn


def labels_of(name: str, others: Sequence[Resource]) -> Mapping[str, Any] | None:
    """Labels of the namespace called so; None: no resource of the stack is it.

    Raises:
        Undecided: they are not known yet.
    """
    found: dict[str, Any] | None = None
    for one in namespaces(others):
        if _name(one) == name:
            stated = metadata(one.props, "labels")
            if stated is UNKNOWN:
                raise Undecided(f"labels of namespace {name} are not known yet")
            found = {**(found or {}), **cast(Mapping[str, Any], stated or {})}
    return found
