"""The workloads within a Kubernetes object: what has pod specs, whatever kind it is of."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from corral.controls.configuration import options
from corral.controls.control import UNKNOWN
from corral.controls.dialects import SAME, translated
from corral.controls.kinds import KINDS, Kind
from corral.controls.operators import named_models

SINGLE = ("container", "script")
SEVERAL = ("steps", "sidecars", "initContainers", "ephemeralContainers")
"""Keys under which Argo, Tekton and KServe have containers."""
TEMPLATES = ("template", "podTemplate", "podTemplateSpec", "podSpec")
_SHARED = ("hostNetwork", "hostPID", "hostIPC", "volumes", "securityContext")
"""Keys of a pod spec that operators have beside their containers, or apart from them."""
_MAIN = ("mainContainer", "trainer", "server", "worker", "engine")
"""Keys under which they have the fields of one container."""
_CONTAINER = frozenset({"args", "command", "securityContext", "volumeMounts"})
"""Fields that only a container has."""
PATCHES = ("podSpecPatch",)
"""Keys of a pod spec, or a part of one, as text."""
DOCUMENTS = ("serveConfigV2", "runtimeEnvYAML", "runtimeEnv")
"""Keys of configuration that Ray reads, as text or as fields."""
ENTRIES = ("entrypoint", "userData")
"""Keys of a command line as text, or of a script by which a node starts."""
_CHARTS = "helm.sh/"
"""API of charts, whose objects are evaluated in place of their values."""
_IMAGE_KEY = re.compile(r"image|modelPuller|imageName|imageRef|baseImage|[a-z]+Image")
_REFERENCE = re.compile(r"[a-z0-9][a-z0-9.-]*(?::\d+)?(?:/[a-z0-9._-]+)+(?::[\w.-]+)?(?:@sha256:[a-f0-9]+)?")
"""A reference of an image with its repository."""
_PICTURE = re.compile(r".*\.(?:png|jpe?g|svg|gif|webp|ico|qcow2|img|iso|vmdk|raw)", re.IGNORECASE)
"""A file that is no image of a container."""
ALIKE = {
    "LLMInferenceServiceConfig": "LLMInferenceService",
    "LocalModelNamespaceCache": "LocalModelCache",
}
"""Kinds with the spec of another."""
TRAINED_MODEL = "TrainedModel"
PART = ""
"""API version of a pod that is not a whole one: operators have such fields apart from the rest."""
_ABOUT = ("apiVersion", "kind", "metadata", "status")
_HOLDING = ("containers", *SEVERAL, *SINGLE, "metadata", "status")
"""Keys of what is a container, or about the resource."""
_ADDRESS_KEY = re.compile(
    r"(?:storage|source|^)[-_]?model[-_]?ur[il]s?$|^(?:model|storage)[-_]?ur[il]s?$", re.IGNORECASE
)
"""Keys under which operators have the address of a model."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""Name of a variable, which operators have under keys of their own, such as `envs`."""
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
    if subject.get("kind") in ALIKE and not subject.get("spec"):
        # A preset that adds nothing to what it is merged with serves no model.
        return
    kind = _known_kind(subject)
    alike = translated(cast(Mapping[str, Any], without_nulls(subject))) if _of_dialect(subject) else None
    if alike is not None:
        yield alike
        return
    if kind is not None:
        stored = cast(Mapping[str, Any], without_nulls(subject))
        yield {**stored, "kind": kind.kind}
        yield from _beside(stored, kind)
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
        yield {**own, **_version(spec), "spec": spec}
    if not _of_apis(subject):
        yield from ({**own, "apiVersion": PART, "spec": spec} for spec in _of_operator(plain))


def _of_operator(plain: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Pod specs of what a resource of an operator says beside whole containers."""
    parts = [(key, value) for key, value in plain.items() if key not in _ABOUT]
    env = [*named_models(plain), *(env for key, value in parts for env in _models(value, key))]
    if env:
        yield {"containers": [{"name": "model", "env": env}]}
    if not str(plain.get("apiVersion")).startswith(_CHARTS):
        yield from (spec for key, value in parts for spec in _loose(value, key))


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


def _loose(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """Pod specs of settings that operators have apart from containers: images, hosts, texts, patches."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _loose(item, key)
        return
    if isinstance(value, str):
        if _IMAGE_KEY.fullmatch(key) and _REFERENCE.fullmatch(value) and not _PICTURE.fullmatch(value):
            yield {"containers": [{"name": key, "image": value}]}
        elif key in PATCHES:
            yield from _of_patch(value)
        elif key in DOCUMENTS:
            yield from _of_arguments(options(value))
        elif key in ENTRIES and " " in value:
            yield from _of_arguments((value,))
        return
    if not isinstance(value, Mapping):
        return
    fields = cast(Mapping[str, Any], value)
    if key in DOCUMENTS:
        yield from _of_arguments(options(yaml.safe_dump(_known(fields))))
    if _are_containers(fields.get("containers")):
        return
    image = _composed(fields) if _IMAGE_KEY.fullmatch(key) else None
    if image is not None:
        yield {"containers": [{"name": key, "image": image}]}
    if key in _MAIN and not _CONTAINER.isdisjoint(fields):
        yield {"containers": [{"name": key, **fields}]}
    shared = {name: fields[name] for name in _SHARED if name in fields}
    if shared and not _is_container(fields):
        yield {"containers": [], **_of_pods(shared)}
    for name, item in fields.items():
        if name not in (*SINGLE, *SEVERAL, "metadata", "status"):
            yield from _loose(item, name)


def _of_pods(shared: Mapping[str, Any]) -> Mapping[str, Any]:
    """`shared` less what is of no pod's shape."""
    kept = {name: item for name, item in shared.items() if name.startswith("host")}
    volumes: Any = shared.get("volumes")
    if _are_containers(volumes):
        kept["volumes"] = [one for one in volumes if isinstance(one, Mapping)]
    context: Any = shared.get("securityContext")
    if isinstance(context, Mapping):
        kept["securityContext"] = context
    return kept


def _composed(fields: Mapping[str, Any]) -> str | None:
    """The reference that `fields`, parts of one, are of; None: of none."""
    repository, tag, digest = (fields.get(key) for key in ("repository", "tag", "digest"))
    registry = fields.get("registry")
    if not isinstance(repository, str) or isinstance(fields.get("image"), str):
        return None
    whole = f"{registry}/{repository}" if isinstance(registry, str) else repository
    whole += f":{tag}" if isinstance(tag, str) and tag else ""
    whole += f"@{digest}" if isinstance(digest, str) and digest else ""
    return whole if _REFERENCE.fullmatch(whole) else None


def _of_patch(text: str) -> Iterator[Mapping[str, Any]]:
    try:
        patch = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    if isinstance(patch, Mapping):
        fields = cast(Mapping[str, Any], patch)
        yield {**fields, "containers": fields.get("containers", [])}


def _of_arguments(words: Any) -> Iterator[Mapping[str, Any]]:
    listed = list(words)
    if listed:
        yield {"containers": [{"name": "arguments", "args": listed}]}


def _known(value: Any) -> Any:
    """`value` less what is unknown."""
    if isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        return {key: _known(item) for key, item in fields.items() if item is not UNKNOWN}
    if isinstance(value, list):
        return [_known(item) for item in cast(list[Any], value) if item is not UNKNOWN]
    return value


def _of_apis(subject: Mapping[str, Any]) -> bool:
    """Whether `subject` is of a group that names no model: Kubernetes' own, or one of policies."""
    group = str(subject.get("apiVersion") or "").rpartition("/")[0]
    return "." not in group or group.endswith(
        (".k8s.io", "kyverno.io", "gatekeeper.sh", "coreos.com", "image.toolkit.fluxcd.io")
    )


def _models(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    """Models that a resource of an operator names, as the variables by which a container would name them."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _models(item, key)
    elif isinstance(value, Mapping):
        fields = cast(Mapping[str, Any], value)
        variable, own = fields.get("name"), fields.get("value")
        if isinstance(variable, str) and isinstance(own, str) and _VARIABLE.fullmatch(variable):
            yield {"name": variable, "value": own}
        for name, item in fields.items():
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
    if containers is UNKNOWN or _are_containers(containers):
        yield fields
        return
    listed = [one for key in SEVERAL if _are_containers(fields.get(key)) for one in fields[key]]
    loose = [
        _with_script(one) for one in (*(fields.get(key) for key in SINGLE), *listed) if _is_container(one)
    ]
    if loose:
        volumes = {"volumes": fields["volumes"]} if isinstance(fields.get("volumes"), list) else {}
        yield _Part(containers=loose, **volumes)
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
