"""The workloads within a Kubernetes object: what has pod specs, whatever kind it is of."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN
from corral.controls.dialects import SAME, translated
from corral.controls.kinds import KINDS, POD_KINDS, Kind, of_kubernetes
from corral.controls.nested import manifests
from corral.controls.parts import loose, parts
from corral.controls.shapes import SEVERAL, SINGLE, are_containers, is_container, without

TEMPLATES = ("template", "podTemplate", "podTemplateSpec", "podSpec")
ALIKE = {
    "LLMInferenceServiceConfig": "LLMInferenceService",
    "LocalModelNamespaceCache": "LocalModelCache",
}
"""Kinds with the spec of another."""
TRAINED_MODEL = "TrainedModel"
_MONITORING = "coreos.com"
"""End of the group whose resources name images, and no model."""
_POLICIES = ("kyverno.io", "gatekeeper.sh", "image.toolkit.fluxcd.io")
"""Ends of groups of what compares with images, and runs none."""
PART = ""
"""API version of a pod that is not a whole one: operators have such fields apart from the rest."""


def workloads(subject: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """`subject` itself if its kind is known, else its items if it is a list, else each pod spec in it.

    A patch counts as what it patches. Nulls are dropped, as the API server drops them.
    """
    if subject.get("kind") in ALIKE and not subject.get("spec"):
        # A preset that adds nothing to what it is merged with serves no model.
        return
    kind = _known_kind(subject)
    alike = translated(cast(Mapping[str, Any], without(subject, None))) if _of_dialect(subject) else None
    if alike is not None:
        yield alike
        return
    if kind is not None:
        stored = cast(Mapping[str, Any], without(subject, None))
        yield {**stored, "kind": kind.kind}
        yield from _beside(stored, kind)
        return
    if subject.get("kind") == TRAINED_MODEL:
        yield _as_service(cast(Mapping[str, Any], without(subject, None)))
        return
    items = subject.get("items")
    if str(subject.get("kind")).endswith("List") and isinstance(items, list):
        named = str(subject.get("kind")).removesuffix("List")
        for item in cast(list[Any], items):
            if isinstance(item, Mapping):
                inherited = {"kind": named, "apiVersion": subject.get("apiVersion")} if named else {}
                yield from workloads({**inherited, **cast(Mapping[str, Any], item)})
        return
    plain = cast(Mapping[str, Any], without(subject, None))
    own: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": subject.get("metadata") or {}}
    for spec in _pod_specs(plain):
        yield {**own, **_version(spec), "spec": spec}
    if _names_no_model(subject):
        return
    read = loose if _group(subject).endswith(_MONITORING) else parts
    yield from ({**own, "apiVersion": PART, "spec": spec} for spec in read(plain))
    for one in manifests(plain, POD_KINDS):
        yield from workloads(one)


def _beside(stored: Mapping[str, Any], kind: Kind) -> Iterator[Mapping[str, Any]]:
    """Pods of an object of a known kind at places that the kind does not name, such as a scheduler's."""
    if "." not in kind.group or kind.group.endswith(".k8s.io"):
        return
    known: list[Any] = []
    for path in kind.pod_specs:
        holder: Any = stored
        for part in path.split("."):
            holder = cast(Mapping[str, Any], holder).get(part) if isinstance(holder, Mapping) else None
        known.append(holder)
    own: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": stored.get("metadata") or {}}
    for spec in _pod_specs(stored.get("spec")):
        if not any(spec is one for one in known) and "containers" in spec:
            yield {**own, **_version(spec), "spec": spec}


def _group(subject: Mapping[str, Any]) -> str:
    return str(subject.get("apiVersion") or "").rpartition("/")[0]


def _names_no_model(subject: Mapping[str, Any]) -> bool:
    """Whether `subject` is of a group that names no model or image: Kubernetes' own, or one of policies."""
    group = _group(subject)
    return of_kubernetes(group) or group.endswith(_POLICIES)


def _as_service(trained: Mapping[str, Any]) -> Mapping[str, Any]:
    """A model that KServe loads into a running server, as a service of it."""
    spec: Any = trained.get("spec")
    model: Any = cast(Mapping[str, Any], spec).get("model", {}) if isinstance(spec, Mapping) else spec
    return {**trained, "kind": "InferenceService", "spec": {"predictor": {"model": model}}}


def kind_of(api_version: str | None, name: str) -> Kind | None:
    """The kind that an object is of, or that it patches or resembles; None: one that is not known."""
    plain = name.removesuffix("Patch")
    group, slash, _ = (api_version or "").partition("/")
    if (group, plain) in SAME:
        return KINDS[SAME[group, plain]]
    kind = KINDS.get(ALIKE.get(plain, plain))
    stated = group if slash else ""
    return kind if kind is not None and (api_version is None or stated == kind.group) else None


def _of_dialect(subject: Mapping[str, Any]) -> bool:
    group, kind = str(subject.get("apiVersion") or "").rpartition("/")[0], str(subject.get("kind"))
    return (group, kind.removesuffix("Patch")) in SAME


def _known_kind(subject: Mapping[str, Any]) -> Kind | None:
    name = subject.get("kind")
    if not isinstance(name, str):
        return None
    return kind_of(str(subject["apiVersion"] or "") if "apiVersion" in subject else None, name)


class _Part(dict[str, Any]):
    """Some fields of a pod spec, put together."""


def _version(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"apiVersion": PART} if isinstance(spec, _Part) else {}


def _pod_specs(value: Any) -> Iterator[Mapping[str, Any]]:
    """Pod specs by their shape, and what other engines call a container."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _pod_specs(item)
    if not isinstance(value, Mapping):
        return
    fields = cast(Mapping[str, Any], value)
    containers = fields.get("containers")
    if containers is UNKNOWN or are_containers(containers):
        yield fields
        return
    listed = [one for key in SEVERAL if are_containers(fields.get(key)) for one in fields[key]]
    loose = [
        _with_script(one) for one in (*(fields.get(key) for key in SINGLE), *listed) if is_container(one)
    ]
    if loose:
        volumes = {"volumes": fields["volumes"]} if isinstance(fields.get("volumes"), list) else {}
        yield _Part(containers=loose, **volumes)
    for key, item in fields.items():
        if key in TEMPLATES and item is UNKNOWN:
            yield {"containers": UNKNOWN}
        elif key not in (*SINGLE, *SEVERAL):
            yield from _pod_specs(item)


def _with_script(container: Any) -> Mapping[str, Any]:
    """`container` with its inline script as an argument."""
    fields = cast(Mapping[str, Any], container)
    script = fields.get("script", fields.get("source"))
    return fields if script is None else {**fields, "args": [*fields.get("args", ()), script]}
