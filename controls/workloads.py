"""The workloads within a Kubernetes object: what has pod specs, whatever kind it is of."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN
from corral.controls.kinds import KINDS, Kind

SINGLE = ("container", "script")
SEVERAL = ("steps", "sidecars", "initContainers", "ephemeralContainers")
"""Keys under which Argo, Tekton and KServe have containers."""
TEMPLATES = ("template", "podTemplate", "podTemplateSpec", "podSpec")
ALIKE = {
    "LLMInferenceServiceConfig": "LLMInferenceService",
    "LocalModelNamespaceCache": "LocalModelCache",
}
"""Kinds with the spec of another."""
TRAINED_MODEL = "TrainedModel"
_ABOUT = ("apiVersion", "kind", "metadata", "status")
_HOLDING = ("containers", *SEVERAL, *SINGLE, "metadata", "status")
"""Keys of what is a container, or about the resource."""
_ADDRESS_KEY = re.compile(
    r"(?:storage|source|^)[-_]?model[-_]?ur[il]s?$|^(?:model|storage)[-_]?ur[il]s?$", re.IGNORECASE
)
"""Keys under which operators have the address of a model."""
_NAME_KEY = re.compile(
    r"model[-_]?(?:id|repo|name[-_]?or[-_]?path)|hf[-_]?model(?:[-_]?id)?|repo[-_]?id", re.IGNORECASE
)
"""Keys under which they have its name on a hub."""
_HUB = re.compile(
    r"(?i)(?:hf|huggingface|ollama|modelscope)://(?=.)"
    r"|https?://(?:[a-z0-9-]+\.)*(?:huggingface\.co|hf\.co|hf-mirror\.com|modelscope\.(?:cn|ai|com)|ollama\.com)(?:[:/]|$)"
)
"""An address of a public hub; a scheme alone is none."""


def workloads(subject: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """`subject` itself if its kind is known, else its items if it is a list, else each pod spec in it.

    A patch counts as what it patches. Nulls are dropped, as the API server drops them.
    """
    kind = _known_kind(subject)
    if kind is not None:
        yield {**cast(Mapping[str, Any], without_nulls(subject)), "kind": kind.kind}
        return
    if subject.get("kind") == TRAINED_MODEL:
        yield _as_service(cast(Mapping[str, Any], without_nulls(subject)))
        return
    items = subject.get("items")
    if str(subject.get("kind")).endswith("List") and isinstance(items, list):
        named = str(subject.get("kind")).removesuffix("List")
        for item in cast(list[Any], items):
            if isinstance(item, Mapping):
                inherited = {"kind": named, "apiVersion": subject.get("apiVersion")} if named else {}
                yield from workloads({**inherited, **cast(Mapping[str, Any], item)})
        return
    plain = cast(Mapping[str, Any], without_nulls(subject))
    own: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "metadata": subject.get("metadata") or {}}
    for spec in _pod_specs(plain):
        yield {**own, "spec": spec}
    if not _of_apis(subject):
        env = [env for key, value in plain.items() if key not in _ABOUT for env in _models(value, key)]
        if env:
            yield {**own, "spec": {"containers": [{"name": "model", "env": env}]}}


def _of_apis(subject: Mapping[str, Any]) -> bool:
    """Whether `subject` is of a group that names no model: Kubernetes' own, or one of policies."""
    group = str(subject.get("apiVersion") or "").rpartition("/")[0]
    return "." not in group or group.endswith((".k8s.io", "kyverno.io", "gatekeeper.sh", "coreos.com"))


def _models(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """Models that a resource of an operator names, as the variables by which a container would name them."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _models(item, key)
    elif isinstance(value, Mapping):
        for name, item in cast(Mapping[str, Any], value).items():
            if name not in _HOLDING:
                yield from _models(item, name)
    elif value is UNKNOWN:
        if _ADDRESS_KEY.search(key) or _NAME_KEY.fullmatch(key):
            yield {"name": "MODEL_URI", "value": UNKNOWN}
    elif isinstance(value, str):
        if _HUB.match(value) or (_ADDRESS_KEY.search(key) and "://" in value):
            yield {"name": "STORAGE_URI", "value": value}
        elif _ADDRESS_KEY.search(key) or _NAME_KEY.fullmatch(key):
            yield {"name": "MODEL_ID", "value": value}


def without_nulls(value: Any) -> Any:
    """`value` less the fields that are null."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {key: without_nulls(item) for key, item in fields.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in cast(list[Any], value) if item is not None]
    return value


def _as_service(trained: Mapping[str, Any]) -> Mapping[str, Any]:
    """A model that KServe loads into a running server, as a service of it."""
    spec: Any = trained.get("spec")
    model: Any = cast(Mapping[str, Any], spec).get("model", {}) if isinstance(spec, Mapping) else spec
    return {**trained, "kind": "InferenceService", "spec": {"predictor": {"model": model}}}


def kind_of(api_version: str | None, name: str) -> Kind | None:
    """The kind that an object is of, or that it patches or resembles; None: one that is not known."""
    plain = name.removesuffix("Patch")
    kind = KINDS.get(ALIKE.get(plain, plain))
    group, slash, _ = (api_version or "").partition("/")
    stated = group if slash else ""
    return kind if kind is not None and (api_version is None or stated == kind.group) else None


def _known_kind(subject: Mapping[str, Any]) -> Kind | None:
    name = subject.get("kind")
    if not isinstance(name, str):
        return None
    return kind_of(str(subject["apiVersion"] or "") if "apiVersion" in subject else None, name)


def _pod_specs(value: Any) -> Iterator[Mapping[str, Any]]:
    """Pod specs by their shape, and what other engines call a container."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _pod_specs(item)
    if not isinstance(value, Mapping):
        return
    fields = cast(Mapping[str, Any], value)
    containers = fields.get("containers")
    if containers is UNKNOWN or _are_containers(containers):
        yield fields
        return
    listed = [one for key in SEVERAL if _are_containers(fields.get(key)) for one in fields[key]]
    loose = [
        _with_script(one) for one in (*(fields.get(key) for key in SINGLE), *listed) if _is_container(one)
    ]
    if loose:
        volumes = {"volumes": fields["volumes"]} if isinstance(fields.get("volumes"), list) else {}
        yield {"containers": loose, **volumes}
    for key, item in fields.items():
        if key in TEMPLATES and item is UNKNOWN:
            yield {"containers": UNKNOWN}
        elif key not in (*SINGLE, *SEVERAL):
            yield from _pod_specs(item)


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping) and "image" in value and "repository" not in value


def _with_script(container: Any) -> Mapping[str, Any]:
    """`container` with its inline script as an argument."""
    fields = cast(Mapping[str, Any], container)
    script = fields.get("script", fields.get("source"))
    return fields if script is None else {**fields, "args": [*fields.get("args", ()), script]}


def _are_containers(value: Any) -> bool:
    if not isinstance(value, list):
        return False
    several = cast(list[Any], value)
    return bool(several) and all(item is UNKNOWN or isinstance(item, Mapping) for item in several)
