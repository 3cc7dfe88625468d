"""Objects made of the cases of the controls: in every place, spelling and kind that can hold them."""

import shlex
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import KINDS, Kind
from corral.controls.register import CONTROLS

NAMESPACE = "team-a"
_SHARED = ("image", "resources", "securityContext")
"""What a container beside another has of a pod that passes."""


@dataclass(frozen=True)
class Subject:
    """A Kubernetes object with the verdict of the case that it is made of."""

    control: Control
    case: Case
    way: str
    """How it is made of the case."""
    verdict: Verdict
    object: Mapping[str, Any]

    @property
    def title(self) -> str:
        return f"{self.control.id}: {self.case.title}, {self.way}"


def object_controls() -> list[Control]:
    """Every control about Kubernetes objects."""
    return [one for one in CONTROLS if isinstance(one.rule, ObjectRule)]


def known(value: Any) -> bool:
    """Whether a value has nothing unknown, as what reaches an API server."""
    if isinstance(value, Mapping):
        return all(known(item) for item in value.values())
    return all(known(item) for item in value) if isinstance(value, list) else value is not UNKNOWN


def subjects(control: Control, *, every: bool = False) -> Iterator[Subject]:
    """Every case that is decided, as it is and in other places, spellings and kinds.

    The first good and the first bad pod are in every one; each other, unless `every`, in one spelling or
    place and in one kind, by turns.
    """
    thorough = {Verdict.GOOD, Verdict.BAD}
    for turn, case in enumerate(one for one in control.cases if known(one.subject)):
        yield Subject(control, case, "as it is", case.verdict, stored(case.subject))
        if case.subject["kind"] != "Pod":
            continue
        moved = [(way, stored(pod)) for way, pod in _moved(control, case.subject, case.verdict)]
        held = [
            (f"in a {kind.kind}", held_by(kind, case.subject))
            for kind in _holders(control)
            if kind.kind != "Pod"
        ]
        for ways in (moved, held):
            whole = every or case.verdict in thorough or not ways
            for way, made in ways if whole else [ways[turn % len(ways)]]:
                yield Subject(control, case, way, case.verdict, made)
        thorough -= {case.verdict}


def stored(subject: Mapping[str, Any]) -> dict[str, Any]:
    """`subject` with the version and name that the API server demands."""
    kind = KINDS[subject["kind"]]
    metadata = {"name": "tried", **subject.get("metadata", {})}
    if kind.namespaced:
        metadata = {"namespace": NAMESPACE, **metadata}
    return {**deepcopy(dict(subject)), "apiVersion": kind.api_version, "metadata": metadata}


def _holders(control: Control) -> list[Kind]:
    assert isinstance(control.rule, ObjectRule)
    return [KINDS[one] for one in control.rule.kinds if KINDS[one].pod_specs]


def held_by(kind: Kind, pod: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """An object of `kind` whose pods are `pod`."""
    metadata, place = pod.get("metadata", {}), path or kind.pod_specs[0]
    inner: dict[str, Any] = {"spec": deepcopy(pod["spec"])}
    template = place.endswith(".template.spec")
    if template and "annotations" in metadata:
        inner["metadata"] = {"annotations": metadata["annotations"]}
    parts = place.split(".")
    if template:
        parts = parts[:-1]
    else:
        inner = inner["spec"]
    for part in reversed(parts):
        inner = {part: inner}
    own = {key: value for key, value in metadata.items() if key in ("name", "namespace", "labels")}
    if not template and "annotations" in metadata:
        own["annotations"] = metadata["annotations"]
    return stored({"kind": kind.kind, "metadata": own, **inner})


def _moved(
    control: Control, pod: Mapping[str, Any], verdict: Verdict
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A pod of one container with that container in other places, and its words in other spellings."""
    containers = pod["spec"].get("containers", [])
    if len(containers) != 1:
        return
    (only,) = containers
    beside = only if verdict is Verdict.GOOD else _neutral(control)
    neutral = {**{key: value for key, value in beside.items() if key in _SHARED}, "name": "neutral"}
    for place in ("initContainers", "ephemeralContainers"):
        if place not in pod["spec"]:
            yield f"in {place}", _with(pod, containers=[neutral], **{place: [only]})
    yield "second of two", _with(pod, containers=[neutral, only])
    for way, spelled in _spelled(only, verdict):
        yield way, _with(pod, containers=[spelled])


def _with(pod: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    return {**deepcopy(dict(pod)), "spec": {**deepcopy(pod["spec"]), **deepcopy(spec)}}


def _neutral(control: Control) -> dict[str, Any]:
    """The container of the first good pod."""
    for case in control.cases:
        if case.verdict is Verdict.GOOD and case.subject.get("kind") == "Pod" and known(case.subject):
            return case.subject["spec"]["containers"][0]
    return {}


def _spelled(container: Mapping[str, Any], verdict: Verdict) -> Iterator[tuple[str, dict[str, Any]]]:
    """`container` with the same words elsewhere: what stops one spelling stops the others."""
    command, args = container.get("command", []), container.get("args", [])
    words = [str(one) for one in (*command, *args)]
    plain = {key: value for key, value in container.items() if key not in ("command", "args")}
    if not words:
        return
    if command and args:
        yield "in one list", {**plain, "command": words}
    if verdict is not Verdict.BAD:
        return
    shell = not command or command[0] in ("vllm", "python", "python3")
    if shell:
        line = shlex.join(
            words if command else ["vllm", *(() if words[0] == "serve" else ("serve",)), *words]
        )
        yield "in a shell's line", {**plain, "command": ["sh", "-c", f"exec {line}"]}
        yield "after another command", {**plain, "command": ["bash", "-ec", f"sleep 1 && {line}"]}
        yield "over two lines", {**plain, "command": ["sh", "-c", line.replace(" --", " \\\n  --")]}
        yield "in a hook", {**plain, "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", line]}}}}


def wrapped(subject: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(way, Pulumi's type token, properties) of what comes to the API server as `subject`."""
    kind = KINDS[subject["kind"]]
    props = {key: value for key, value in subject.items() if key not in ("apiVersion", "kind")}
    yield "alone", kind.token, props
    yield "as a patch", f"{kind.token}Patch", props
    yield "in a List", "kubernetes:core/v1:List", {"items": [dict(subject)]}
    listed = kind.token.rpartition(":")[0]
    yield "in a list of its kind", f"{listed}:{kind.kind}List", {"items": [props]}
