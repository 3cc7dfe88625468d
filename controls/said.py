"""Models and variables that resources of operators say, as the variables that a container would have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import yaml

from corral.controls.control import UNKNOWN

Fields = Mapping[str, Any]
ABOUT = ("apiVersion", "kind", "metadata", "status")
"""Keys of what is about a resource."""
_HOLDING = ("containers", "steps", "sidecars", "initContainers", "ephemeralContainers", "container", "script")
"""Keys of containers, whose variables are evaluated with these."""
_ADDRESS_KEY = re.compile(
    r"(?:storage|source|^)[-_]?model[-_]?ur[il]s?$|^(?:model|storage)[-_]?ur[il]s?$", re.IGNORECASE
)
"""Keys under which operators have the address of a model."""
_MOUNT_KEYS = ("mountPoint",)
"""Keys of what is mounted from a store, as Fluid has it."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
"""Name of a variable, which operators have under keys of their own, such as `envs`."""
_NAME_KEY = re.compile(
    r"(?:hf[-_]?|pretrained[-_]?)?model[-_]?(?:id|repo|name[-_]?or[-_]?path)|(?:hf|pretrained)[-_]?model"
    r"|repo[-_]?id",
    re.IGNORECASE,
)
"""Keys under which they have its name on a hub."""
_ENVIRONMENT_KEY = re.compile(
    r"env|envs|env[-_]?vars?|environment|environment[-_]?variables|(?:driver|executor|extra|common|default|pod)Envs?"
    r"|envSecretKeyRefs",
    re.IGNORECASE,
)
"""Keys of variables by name."""
_WORD = re.compile(r"[A-Z][A-Z0-9]+")
"""Name of a variable where nothing but variables stand."""
_SCHEMES: Mapping[str, str] = {"s3": "s3", "gcs": "gs", "oss": "oss"}
"""Key of a store of Argo's, with the scheme of its addresses."""
_MODEL = re.compile(
    r"(?i)(?:^|[\s/_.-])(?:models?|weights|checkpoints?|loras?|adapters?)(?:$|[\s/_.-])|\.(?:gguf|safetensors)"
)
"""A name or path of a model."""
_WEIGHTS = re.compile(r"(?i)^(?:https?|ftp)://\S+\.(?:gguf|safetensors|ggml|pth|ckpt|onnx)(?:\?\S*)?$")
"""Address of a file of weights."""
_PREFIXED = re.compile(
    r"(?:spark\.(?:executorEnv|kubernetes\.driverEnv|yarn\.appMasterEnv)|containerized\.(?:taskmanager|master)\.env)\.(.+)"
)
"""A property of Spark, or of Flink, that sets a variable."""
DOCUMENTS = ("runtimeEnvYAML", "serveConfigV2")
"""Keys of configuration that Ray reads as text."""
_HUB = re.compile(
    r"(?i)(?:hf|huggingface|ollama|modelscope)://(?=.)"
    r"|https?://(?:[a-z0-9-]+\.)*(?:huggingface\.co|hf\.co|hf-mirror\.com|modelscope\.(?:cn|ai|com)|ollama\.com)(?:[:/]|$)"
)
"""An address of a public hub; a scheme alone is none."""


def variables(value: Any, key: str) -> Iterator[Fields]:
    """Variables and models that `value`, at `key`, says, in the names that a container would have."""
    if isinstance(value, list):
        for item in cast(list[Any], value):
            if isinstance(item, str) and _ENVIRONMENT_KEY.fullmatch(key) and "=" in item:
                name, _, own = item.partition("=")
                yield from _variable(name, own, True)
            else:
                yield from variables(item, key)
    elif isinstance(value, Mapping):
        yield from _of_fields(cast(Fields, value), key)
    elif value is UNKNOWN:
        if _ADDRESS_KEY.search(key) or _NAME_KEY.fullmatch(key):
            yield {"name": "MODEL_URI", "value": UNKNOWN}
    elif isinstance(value, str):
        yield from _of_text(value, key)


def _of_fields(fields: Fields, key: str) -> Iterator[Fields]:
    environment = _ENVIRONMENT_KEY.fullmatch(key) is not None
    name, own = fields.get("name", fields.get("key")), fields.get("value")
    if isinstance(name, str) and isinstance(own, str):
        yield from _variable(name, own, environment)
        yield from () if _VARIABLE.fullmatch(name) else _of_text(own, name)
    elif isinstance(name, str) and "valueFrom" in fields:
        yield from _referred(name)
    yield from _stored(fields)
    for inner, item in fields.items():
        prefixed = _PREFIXED.fullmatch(inner)
        if prefixed is not None and isinstance(item, str):
            yield from _variable(prefixed[1], item, True)
        elif environment and isinstance(item, str):
            yield from _variable(inner, item, environment)
        elif environment and isinstance(item, Mapping):
            yield from _referred(inner)
        if inner not in (*_HOLDING, "outputs", "metadata", "status"):
            yield from variables(item, inner)


def _variable(name: str, value: str, environment: bool = False) -> Iterator[Fields]:
    if _VARIABLE.fullmatch(name) or (environment and _WORD.fullmatch(name)):
        yield {"name": name, "value": value}


def _stored(fields: Fields) -> Iterator[Fields]:
    """The bucket that an artifact which reads as a model comes from, as Argo has it."""
    for kind, scheme in _SCHEMES.items():
        store: Any = fields.get(kind)
        bucket = cast(Fields, store).get("bucket") if isinstance(store, Mapping) else None
        if isinstance(bucket, str):
            path = str(cast(Fields, store).get("key", ""))
            if _MODEL.search(f"{fields.get('name')} {fields.get('path')} {path}"):
                yield {"name": "STORAGE_URI", "value": f"{scheme}://{bucket}/{path}"}


def _referred(name: str) -> Iterator[Fields]:
    """A variable whose value is elsewhere, such as a token for a hub."""
    if _VARIABLE.fullmatch(name):
        yield {"name": name}


def _of_text(value: str, key: str) -> Iterator[Fields]:
    addressed = "://" in value and (
        _ADDRESS_KEY.search(key) or (key in _MOUNT_KEYS and not value.startswith("local://"))
    )
    if addressed or _HUB.match(value):
        yield {"name": "STORAGE_URI", "value": value}
    elif _WEIGHTS.match(value):
        yield {"name": "MODEL_URL", "value": value}
    elif _ADDRESS_KEY.search(key) or _NAME_KEY.fullmatch(key):
        yield {"name": "MODEL_ID", "value": value}
    elif key in DOCUMENTS:
        try:
            document: Any = yaml.safe_load(value)
        except yaml.YAMLError:
            return
        if isinstance(document, Mapping):
            yield from variables(cast(Fields, document), "")
