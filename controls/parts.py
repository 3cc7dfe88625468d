"""What resources of operators say of pods beside whole containers, as parts of pods."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

import yaml

from corral.controls.configuration import options
from corral.controls.control import UNKNOWN
from corral.controls.installed import installed
from corral.controls.named_images import of_fields, of_package, of_text
from corral.controls.operators import named_models
from corral.controls.said import ABOUT, DOCUMENTS, variables
from corral.controls.shapes import SEVERAL, SINGLE, are_containers, is_container, without

Fields = Mapping[str, Any]
_SHARED = ("hostNetwork", "hostPID", "hostIPC", "volumes", "securityContext")
"""Keys of a pod spec that operators have beside their containers, or apart from them."""
_MAIN = ("mainContainer", "trainer", "server", "worker", "engine")
"""Keys under which they have the fields of one container."""
_CONTAINER = frozenset({"args", "command", "securityContext", "volumeMounts"})
"""Fields that only a container has."""
_PATCHES = ("podSpecPatch",)
"""Keys of a pod spec, or a part of one, as text."""
_CONFIGURATION = (*DOCUMENTS, "runtimeEnv")
"""Keys of configuration that Ray reads, as text or as fields."""
_FOLDER = re.compile(r"\.volumes\.hostPath\.[^.]+\.options\.path$")
"""A property of Spark that mounts a folder of the node."""
_ENTRIES = ("entrypoint", "userData")
"""Keys of a command line as text, or of a script by which a node starts."""
_ARGUMENTS = ("arguments", "args", "command", "extraArgs", "engineArgs", "additionalArgs")
"""Keys of arguments for a program whose container the operator makes."""
_SWITCHES = ("trustremotecode", "allowremotecode")
"""Keys, in any spelling, by which an operator has an engine run a model's own code."""
_SANDBOXES = frozenset(
    {"vgpuManager", "vgpuDeviceManager", "vfioManager", "sandboxDevicePlugin", "kataSandboxDevicePlugin"}
)
_CHARTS = "helm.sh/"
"""API of charts, whose objects are evaluated in place of their values."""


def parts(plain: Fields) -> Iterator[Fields]:
    """Pod specs of what a resource of an operator, without nulls, says beside whole containers."""
    said = [(key, value) for key, value in plain.items() if key not in ABOUT]
    env = [*named_models(plain), *(one for key, value in said for one in variables(value, key))]
    if env:
        yield {"containers": [{"name": "model", "env": env}]}
    yield from _of_arguments(line for key, value in said for line in installed(value, key))
    if not str(plain.get("apiVersion")).startswith(_CHARTS):
        yield from (_image("package", one) for one in of_package(plain))
        yield from loose(plain)


def loose(plain: Fields) -> Iterator[Fields]:
    """Pod specs of images, hosts, texts and patches that `plain` has apart from containers."""
    for key, value in plain.items():
        if key not in ABOUT:
            yield from _loose(value, key)


def _image(key: str, reference: str) -> Fields:
    return {"containers": [{"name": key, "image": reference}]}


def _loose(value: Any, key: str) -> Iterator[Fields]:
    if isinstance(value, list):
        several = cast(list[Any], value)
        if key in _ARGUMENTS or key.endswith("Commands"):
            yield from _of_arguments(one for one in several if isinstance(one, str))
        for item in several:
            yield from _loose(item, key)
        return
    if isinstance(value, str):
        yield from _of_text(value, key)
        return
    if not isinstance(value, Mapping):
        if value is True and _switch(key):
            yield from _of_arguments(("--trust-remote-code",))
        return
    fields = cast(Fields, value)
    if key in _CONFIGURATION or (key in _ARGUMENTS and "parameters" not in fields):
        yield from _of_arguments(options(yaml.safe_dump(without(fields, UNKNOWN))))
    if are_containers(fields.get("containers")):
        return
    off = fields.get("enabled") is False
    if not off:
        yield from (_image(key, one) for one in of_fields(key, fields))
    named, own = fields.get("name"), fields.get("value")
    if isinstance(named, str) and isinstance(own, str):
        yield from _of_text(own, named)
    if key in _MAIN and not _CONTAINER.isdisjoint(fields):
        yield {"containers": [{"name": key, **fields}]}
    own = ("securityContext",) if is_container(fields) else ()
    shared = {name: fields[name] for name in _SHARED if name in fields and name not in own}
    if shared:
        yield {"containers": [], **_of_pods(shared)}
    for name, item in fields.items():
        if name in (*SINGLE, *SEVERAL, "metadata", "status") or name in _idle(fields):
            continue
        if not (off and isinstance(item, str)):
            yield from _loose(item, name)


def _idle(fields: Fields) -> Collection[str]:
    """Keys of what NVIDIA's operator starts for machines in machines alone, where there are none."""
    if _SANDBOXES.isdisjoint(fields):
        return ()
    sandboxes: Any = fields.get("sandboxWorkloads")
    enabled = isinstance(sandboxes, Mapping) and cast(Fields, sandboxes).get("enabled")
    return () if enabled else _SANDBOXES


def _switch(key: str) -> bool:
    return key.replace("-", "").replace("_", "").lower() in _SWITCHES


def _of_text(value: str, key: str) -> Iterator[Fields]:
    reference = of_text(key, value)
    if reference is not None:
        yield _image(key, reference)
    elif _FOLDER.search(key):
        yield {"containers": [], "volumes": [{"name": key, "hostPath": {"path": value}}]}
    elif key in _PATCHES:
        yield from _of_patch(value)
    elif key in _CONFIGURATION:
        yield from _of_arguments(options(value))
    elif key in _ENTRIES and " " in value:
        yield from _of_arguments((value,))
    elif _switch(key) and value.strip().lower() in ("1", "true", "yes", "on"):
        yield from _of_arguments(("--trust-remote-code",))


def _of_pods(shared: Fields) -> Fields:
    """`shared` less what is of no pod's shape."""
    kept = {name: item for name, item in shared.items() if name.startswith("host")}
    volumes: Any = shared.get("volumes")
    if are_containers(volumes):
        kept["volumes"] = [one for one in volumes if isinstance(one, Mapping)]
    context: Any = shared.get("securityContext")
    if isinstance(context, Mapping):
        kept["securityContext"] = context
    return kept


def _of_patch(text: str) -> Iterator[Fields]:
    try:
        patch = yaml.safe_load(text)
    except yaml.YAMLError:
        return
    if isinstance(patch, Mapping):
        fields = cast(Fields, patch)
        yield {**fields, "containers": fields.get("containers", [])}


def _of_arguments(words: Any) -> Iterator[Fields]:
    listed = list(words)
    if listed:
        yield {"containers": [{"name": "arguments", "args": listed}]}
