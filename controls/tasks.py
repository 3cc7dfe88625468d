"""What a cloud runs without a cluster of Kubernetes, as the pods that the rules about models read.

These are containers of services, and scripts by which machines start.

Inputs of pulumi-aws 7 and pulumi-gcp 10, some of them documents within text.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from corral.controls.control import UNKNOWN
from corral.controls.properties import parsed

CLOUD = "corral.dev/cloud"
"""API version of such a pod: what Kubernetes has of pods does not bind it."""
Fields = Mapping[str, Any]


def tasks(token: str, props: Fields) -> Iterator[Fields]:
    """Pods with the containers of a resource of type `token`; none where it runs none."""
    read = _READERS.get(token)
    if read is None:
        return
    containers: list[Any] = [one for one in read(props) if one is UNKNOWN or isinstance(one, Mapping)]
    if containers:
        known: Any = UNKNOWN if UNKNOWN in containers else containers
        yield {"apiVersion": CLOUD, "kind": "Pod", "metadata": {}, "spec": {"containers": known}}


def _document(value: Any) -> Any:
    return parsed(value) if isinstance(value, str) else value


def _at(holder: Any, *keys: str) -> Any:
    for key in keys:
        holder = _document(holder)
        if not isinstance(holder, Mapping):
            return holder if holder is UNKNOWN else None
        holder = cast(Fields, holder).get(key)
    return holder


def _listed(value: Any) -> list[Any]:
    value = _document(value)
    return cast(list[Any], value) if isinstance(value, list) else [] if value is None else [value]


def _variables(value: Any) -> Any:
    """Variables as a container has them, from a mapping or from a list of names and values."""
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, Mapping):
        return [{"name": str(name), "value": own} for name, own in cast(Fields, value).items()]
    return [_keyed(one) for one in _listed(value) if one is UNKNOWN or isinstance(one, Mapping)]


def _keyed(one: Any) -> Any:
    """A variable less the names that another service has for its value's place."""
    if one is UNKNOWN:
        return UNKNOWN
    return {key: _at(one, key) for key in ("name", "value") if _at(one, key) is not None}


def _words(value: Any) -> Any:
    """A command, one word where it is a text; None: it is none."""
    if isinstance(value, str):
        return [value]
    return cast(list[Any], value) if isinstance(value, list) else UNKNOWN if value is UNKNOWN else None


def _container(one: Any, variables: str, command: str = "command", args: str = "args") -> Any:
    if one is UNKNOWN or not isinstance(one, Mapping):
        return one
    named = {
        "name": _at(one, "name") or "task",
        "image": _at(one, "image"),
        "command": _words(_at(one, command)),
        "args": _words(_at(one, args)),
        "env": _variables(_at(one, variables)),
    }
    return {key: value for key, value in named.items() if value is not None}


def _addresses(several: Any) -> list[Any]:
    return [{"name": "STORAGE_URI", "value": one} for one in _listed(several) if one]


def _sagemaker(props: Fields) -> Iterator[Any]:
    for one in (*_listed(_at(props, "primaryContainer")), *_listed(_at(props, "containers"))):
        if not isinstance(one, Mapping):
            yield one
            continue
        places = [_at(one, "modelDataUrl"), *_sources(_at(one, "modelDataSource"))]
        for more in _listed(_at(one, "additionalModelDataSources")):
            places += _sources(more)
        made = _container(one, "environment")
        env = made.get("env", [])
        made["env"] = UNKNOWN if env is UNKNOWN else [*env, *_addresses([place for place in places if place])]
        yield made


def _sources(source: Any) -> list[Any]:
    return [_at(one, "s3Uri") for one in _listed(_at(source, "s3DataSource") or _at(source, "s3DataSources"))]


def _ecs(props: Fields) -> Iterator[Any]:
    for one in _listed(_at(props, "containerDefinitions")):
        yield _container(one, "environment", "entryPoint", "command")


def _batch(props: Fields) -> Iterator[Any]:
    yield _container(_document(_at(props, "containerProperties")), "environment")
    for group in _listed(_at(props, "nodeProperties", "nodeRangeProperties")):
        yield _container(_at(group, "container"), "environment")
    for key in ("initContainers", "containers"):
        for one in _listed(_at(props, "eksProperties", "podProperties", key)):
            if isinstance(one, Mapping):
                envs = cast(Fields, one).get("envs")
                yield _container({**one, "env": envs}, "env")


def _lambda(props: Fields) -> Iterator[Any]:
    config = {"env": _at(props, "environment", "variables"), "args": _at(props, "imageConfig", "commands")}
    yield _container({**config, "image": _at(props, "imageUri")}, "env")


def _app_runner(props: Fields) -> Iterator[Any]:
    image = _at(props, "sourceConfiguration", "imageRepository")
    config = _at(image, "imageConfiguration")
    start = _at(config, "startCommand")
    own = {"image": _at(image, "imageIdentifier"), "env": _at(config, "runtimeEnvironmentVariables")}
    yield _container({**own, "command": ["sh", "-c", start] if start else None}, "env")


def _cloud_run(*path: str) -> Callable[[Fields], Iterator[Any]]:
    def read(props: Fields) -> Iterator[Any]:
        for one in _listed(_at(props, *path)):
            yield _container(one, "envs", "commands")

    return read


def _model_garden(props: Fields) -> Iterator[Any]:
    hub, publisher = _at(props, "huggingFaceModelId"), _at(props, "publisherModelName")
    named = [f"hf://{hub}" if isinstance(hub, str) else hub]
    named.append(f"modelgarden://{publisher}" if isinstance(publisher, str) else publisher)
    yield {"name": "model", "env": _addresses([one for one in named if one])}
    spec = _at(props, "modelConfig", "containerSpec")
    if isinstance(spec, Mapping):
        own = {**cast(Fields, spec), "image": _at(spec, "imageUri")}
        yield _container(own, "envs", "commands")


def _file_system(props: Fields) -> Iterator[Any]:
    """A file system of Lustre's, which shows what a bucket has."""
    places = [_at(props, key) for key in ("dataRepositoryPath", "importPath")]
    named = _addresses([one for one in places if one])
    if named:
        yield {"name": "files", "env": named}


def _code_build(props: Fields) -> Iterator[Any]:
    environment = _at(props, "environment")
    own = {"image": _at(environment, "image"), "env": _at(environment, "environmentVariables")}
    yield {**_container(own, "env"), "command": ["sh", "-c", _at(props, "source", "buildspec") or ""]}


_SCRIPTS = ("startup-script", "user-data", "gce-container-declaration")
"""Keys of metadata of Google's machines that have what they run at their start."""


def _machine(*path: str) -> Callable[[Fields], Iterator[Any]]:
    """What a machine runs at its start, of the properties at `path`."""

    def read(props: Fields) -> Iterator[Any]:
        holder = _at(props, *path)
        for key in ("userData", "userDataBase64", "metadataStartupScript", "onCreate", "onStart"):
            yield _script(_at(holder, key))
        for key in _SCRIPTS:
            yield _script(_at(holder, "metadata", key))

    return read


def _script(text: Any) -> Any:
    if text is None or text is UNKNOWN:
        return text
    return {"name": "start", "command": ["sh", "-c", _plain(str(text))]}


def _plain(text: str) -> str:
    """`text`, decoded where it is Base64."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return text


_RUN = "gcp:cloudrunv2/"
_READERS: Mapping[str, Callable[[Fields], Iterator[Any]]] = {
    "aws:sagemaker/model:Model": _sagemaker,
    "aws:ecs/taskDefinition:TaskDefinition": _ecs,
    "aws:batch/jobDefinition:JobDefinition": _batch,
    "aws:lambda/function:Function": _lambda,
    "aws:apprunner/service:Service": _app_runner,
    f"{_RUN}service:Service": _cloud_run("template", "containers"),
    f"{_RUN}workerPool:WorkerPool": _cloud_run("template", "containers"),
    f"{_RUN}job:Job": _cloud_run("template", "template", "containers"),
    "gcp:cloudrun/service:Service": _cloud_run("template", "spec", "containers"),
    "aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation": _file_system,
    "aws:fsx/lustreFileSystem:LustreFileSystem": _file_system,
    "aws:codebuild/project:Project": _code_build,
    **dict.fromkeys(
        (
            "aws:ec2/instance:Instance",
            "aws:ec2/launchConfiguration:LaunchConfiguration",
            "aws:ec2/launchTemplate:LaunchTemplate",
            "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
            "aws:sagemaker/notebookInstanceLifecycleConfiguration:NotebookInstanceLifecycleConfiguration",
            "gcp:compute/instance:Instance",
            "gcp:compute/instanceTemplate:InstanceTemplate",
            "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
            "gcp:tpu/v2Vm:V2Vm",
        ),
        _machine(),
    ),
    "gcp:container/nodePool:NodePool": _machine("nodeConfig"),
    "gcp:container/cluster:Cluster": _machine("nodeConfig"),
    "gcp:workbench/instance:Instance": _machine("gceSetup"),
    "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment": _model_garden,
}
"""Type of a resource -> what it runs, as containers of Kubernetes."""
TASKS = frozenset(_READERS)
"""Types of resources of clouds that run containers or scripts."""
