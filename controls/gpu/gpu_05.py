"""No GPU is shared by pods of different classes of data."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from corral.catalogue.vocabulary import CLASS_LABEL
from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import leaves

CLASS = (CLASS_LABEL, "data-class")
"""Labels that say of which class the data of a pod, or of a namespace, is."""
_SHARED = ".shared"
"""End of the names of resources that several pods have a part of, as NVIDIA's device plugin names them."""
_NAMESPACES = "kubernetes:core/v1:Namespace"


_NO_PODS = (
    "kubernetes:apiextensions.k8s.io/",
    "kubernetes:rbac.",
    "kubernetes:helm.sh/",
    "kubernetes:core/v1:C",
)


def _applies(token: str) -> bool:
    return token.startswith("kubernetes:") and not token.startswith(_NO_PODS)


def _apart(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if not _shares(subject):
        return
    own, place = _class(subject, others), _place(subject)
    for other in others:
        if other is subject or other.urn == subject.urn or not _shares(other) or _place(other) != place:
            continue
        theirs = _class(other, others)
        if own != theirs:
            yield (
                f"it shares GPUs with {other.name}: their data is of class {own or 'unstated'} and "
                f"{theirs or 'unstated'}"
            )
            return


def _shares(subject: Resource) -> bool:
    """Whether a workload takes a part of a GPU that others have parts of."""
    if not _applies(subject.type):
        return False
    return any("resources." in path and path.endswith(_SHARED) for path, _ in leaves(subject))


def _labels(value: Any) -> Iterator[Mapping[str, Any]]:
    """Labels of an object, and of each template in it."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _labels(item)
    elif isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        metadata = fields.get("metadata")
        if isinstance(metadata, Mapping):
            labels = cast(Mapping[str, Any], metadata).get("labels")
            if labels is UNKNOWN:
                raise Undecided("its labels are not known yet")
            if isinstance(labels, Mapping):
                yield cast(Mapping[str, Any], labels)
        for key, item in fields.items():
            if key != "metadata":
                yield from _labels(item)


def _class(subject: Resource, others: Sequence[Resource]) -> str | None:
    """The class of the data of a workload: its own label, else that of its namespace."""
    space = subject.props.get("metadata")
    name = cast(Mapping[str, Any], space).get("namespace") if isinstance(space, Mapping) else None
    holders = [subject.props, *(one.props for one in others if one.type == _NAMESPACES and _is(one, name))]
    for holder in holders:
        for labels in _labels(holder):
            for key in CLASS:
                if key in labels:
                    return str(labels[key])
    return None


def _is(space: Resource, name: object) -> bool:
    return name is not None and name is not UNKNOWN and space.value("metadata.name") == name


def _place(subject: Resource) -> str:
    """Which nodes a workload selects, as text that is equal where these are."""
    selectors = sorted(
        f"{path.rpartition('nodeSelector.')[2]}={value}"
        for path, value in leaves(subject)
        if "nodeSelector." in path
    )
    return ",".join(selectors)


def _workload(name: str, resource: str = "nvidia.com/gpu.shared", **more: Any) -> Resource:
    spec = {
        "containers": [{"name": "c", "resources": {"limits": {resource: "1"}}}],
        **({"nodeSelector": {"pool": more["pool"]}} if "pool" in more else {}),
    }
    labels = {"data-class": more["data"]} if "data" in more else {}
    metadata = {"name": name, "namespace": more.get("space", name), "labels": labels}
    return Resource("kubernetes:core/v1:Pod", name, {"metadata": metadata, "spec": spec}, urn=name)


def _space(name: str, data: str) -> Resource:
    metadata = {"name": name, "labels": {"corral.dev/data-class": data}}
    return Resource(_NAMESPACES, name, {"metadata": metadata}, urn=f"space-{name}")


CONTROL = Control(
    id="SOV-GPU-05",
    title="No GPU is shared by pods of different classes of data",
    severity=Severity.HIGH,
    sources=("GDPR 32",),
    remedy="Label what shares a GPU with one `data-class`, give each class nodes of its own, or use MIG.",
    rule=StackRule(_applies, _apart),
    cases=(
        Case("alone", Verdict.GOOD, _workload("a", data="secret")),
        Case(
            "of one class",
            Verdict.GOOD,
            _workload("a", data="internal"),
            (_workload("b", data="internal"),),
        ),
        Case("of two classes", Verdict.BAD, _workload("a", data="secret"), (_workload("b", data="public"),)),
        Case("of a class and of none", Verdict.BAD, _workload("a", data="secret"), (_workload("b"),)),
        Case(
            "of two classes, on nodes of their own",
            Verdict.GOOD,
            _workload("a", data="secret", pool="x"),
            (_workload("b", data="public", pool="y"),),
        ),
        Case(
            "of two classes, with slices of MIG",
            Verdict.GOOD,
            _workload("a", "nvidia.com/mig-1g.5gb", data="secret"),
            (_workload("b", "nvidia.com/mig-1g.5gb", data="public"),),
        ),
        Case(
            "of two classes, by their namespaces",
            Verdict.BAD,
            _workload("a"),
            (_workload("b"), _space("a", "secret"), _space("b", "public")),
        ),
        Case(
            "of one class, by their namespaces",
            Verdict.GOOD,
            _workload("a"),
            (_workload("b"), _space("a", "secret"), _space("b", "secret")),
        ),
        Case(
            "a whole GPU",
            Verdict.GOOD,
            _workload("a", "nvidia.com/gpu", data="secret"),
            (_workload("b", data="public"),),
        ),
        Case(
            "a class that is not known yet",
            Verdict.UNDECIDED,
            replace(_workload("a"), props={**_workload("a").props, "metadata": {"labels": UNKNOWN}}),
            (_workload("b", data="public"),),
        ),
    ),
)
