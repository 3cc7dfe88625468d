"""Models that resources of operators name in words of their own, as the variables of a container.

Read from the Go types of KubeAI (`kubeai.org/v1`), llmaz (`llmaz.io/v1alpha1`), AIBrix
(`model.aibrix.ai/v1alpha1`), Dynamo (`nvidia.com/v1alpha1`), the Ollama operator
(`ollama.ayaka.io/v1`), Kaito (`kaito.sh/v1beta1`) and NVIDIA's NIM operator
(`apps.nvidia.com/v1alpha1`, at f63f74d7).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from corral.controls.control import UNKNOWN

Fields = Mapping[str, Any]
_OVERRIDE = "NIM_REPOSITORY_OVERRIDE"
"""Variable by which a NIM takes its model from a repository of one's own."""


def named_models(subject: Fields) -> Iterator[Fields]:
    """Variables for each model that `subject`, without nulls, has its operator fetch."""
    group = str(subject.get("apiVersion") or "").rpartition("/")[0]
    read = _READERS.get((group, str(subject.get("kind")).removesuffix("Patch")))
    if read is not None:
        for address in read(subject):
            if address is UNKNOWN or isinstance(address, str):
                yield {"name": "STORAGE_URI", "value": address}


def _at(holder: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(holder, Mapping):
            return holder if holder is UNKNOWN else None
        holder = cast(Fields, holder).get(key)
    return holder


def _each(holder: Any, *keys: str) -> list[Any]:
    listed = _at(holder, *keys)
    return cast(list[Any], listed) if isinstance(listed, list) else [UNKNOWN] if listed is UNKNOWN else []


def _kubeai(subject: Fields) -> Iterator[Any]:
    yield _at(subject, "spec", "url")
    yield from (_at(one, "url") for one in _each(subject, "spec", "adapters"))


def _llmaz(subject: Fields) -> Iterator[Any]:
    yield _at(subject, "spec", "source", "uri")


def _aibrix(subject: Fields) -> Iterator[Any]:
    address = _at(subject, "spec", "artifactURL")
    if not isinstance(address, str) or not address.startswith("/"):
        yield address


def _dynamo(subject: Fields) -> Iterator[Any]:
    """A request's model is fetched from a hub, unless a claim has its weights."""
    if _at(subject, "spec", "modelCache") is None:
        for name in (_at(subject, "spec", "model"), _at(subject, "spec", "modelName")):
            if isinstance(name, str) and "://" not in name and not name.startswith("/"):
                yield f"hf://{name}"
            else:
                yield name


def _ollama(subject: Fields) -> Iterator[Any]:
    """A name whose first part is no host is one of Ollama's own library."""
    image = _at(subject, "spec", "image")
    if not isinstance(image, str):
        yield image
        return
    host, slash, _ = image.partition("/")
    yield f"oci://{image}" if slash and ("." in host or ":" in host) else f"ollama://{image}"


def _kaito(subject: Fields) -> Iterator[Any]:
    """A preset is fetched when its pods start, unless a claim has its weights; adapters have addresses."""
    for place in (
        _at(subject, "inference"),
        _at(subject, "tuning"),
        _at(subject, "spec", "template", "inference"),
    ):
        preset = _at(place, "preset")
        name = _at(preset, "name")
        options = _at(preset, "presetOptions")
        if isinstance(name, str) and not _at(options, "modelWeightsPVC") and not _at(options, "image"):
            yield f"hf://{name}"
        elif name is UNKNOWN:
            yield UNKNOWN
        for adapter in _each(place, "adapters"):
            yield from _each(adapter, "source", "urls")


def _nim_cache(subject: Fields) -> Iterator[Any]:
    """The cache fetches, not the service that mounts it; a repository of one's own stands for NGC alone."""
    own = _override(subject)
    source = _at(subject, "spec", "source")
    named = _at(source, "ngc", "modelEndpoint")
    if own is not None:
        yield own
    if _at(source, "ngc") is not None and (own is None or not str(named or "ngc:").startswith("ngc:")):
        yield named or "ngc://nim"
    for kind in ("hf", "dataStore"):
        address = _at(source, kind, "endpoint")
        if not _in_cluster(address):
            yield address


def _in_cluster(address: Any) -> bool:
    """Whether `address` is that of a Service of the cluster."""
    if not isinstance(address, str):
        return False
    host = urlsplit(address).hostname or ""
    return bool(host) and ("." not in host or host.endswith((".svc", ".svc.cluster.local")))


def _nim_service(subject: Fields) -> Iterator[Any]:
    own, storage = _override(subject), _at(subject, "spec", "storage")
    if own is not None:
        yield own
    elif not _at(storage, "nimCache", "name") and not (
        _at(storage, "pvc", "name") and not _at(storage, "pvc", "create")
    ):
        yield "ngc://nim"


def _nim_pipeline(subject: Fields) -> Iterator[Any]:
    for one in _each(subject, "spec", "services"):
        if one is UNKNOWN:
            yield UNKNOWN
        elif _at(one, "enabled") is not False:
            yield from _nim_service(cast(Fields, one))


def _override(subject: Fields) -> Any:
    return next(
        (
            _at(one, "value")
            for one in _each(subject, "spec", "env")
            if isinstance(one, Mapping) and _at(one, "name") == _OVERRIDE
        ),
        None,
    )


_READERS: Mapping[tuple[str, str], Callable[[Fields], Iterator[Any]]] = {
    ("kubeai.org", "Model"): _kubeai,
    ("llmaz.io", "OpenModel"): _llmaz,
    ("model.aibrix.ai", "ModelAdapter"): _aibrix,
    ("nvidia.com", "DynamoGraphDeploymentRequest"): _dynamo,
    ("ollama.ayaka.io", "Model"): _ollama,
    ("kaito.sh", "Workspace"): _kaito,
    ("kaito.sh", "InferenceSet"): _kaito,
    ("apps.nvidia.com", "NIMCache"): _nim_cache,
    ("apps.nvidia.com", "NIMService"): _nim_service,
    ("apps.nvidia.com", "NIMPipeline"): _nim_pipeline,
}
"""API group and kind -> addresses of the models that such a resource names."""
