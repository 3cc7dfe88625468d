"""What a model needs to know."""

from collections.abc import Iterable
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.adapters import adapter_options
from corral.catalogue.disaggregation import DECODE_PORT, Role, transfer_option
from corral.catalogue.engine_metrics import FIRST_TOKEN, FIRST_TOKEN_LIMITS, METRICS
from corral.catalogue.runtimes import (
    DRAIN_SECONDS,
    GGUF,
    MODEL_FOLDER,
    SHUTDOWN_TIMEOUT,
    gguf,
    server_options,
)
from corral.catalogue.serving_kinds import PORTS, ServedNames, served_names
from corral.catalogue.vocabulary import Engine, EngineMetric, ServingKind, Weights
from corral.components._kit import ArgsError
from corral.components._words import EngineWord, ServingKindWord, WeightsWord
from corral.components.model.scaling import ModelScaling
from corral.components.secret_store import SecretStore
from corral.components.store import Store, store_problems
from corral.components.supply import Supply

LONGEST_ADAPTER = 40
"""Characters of an adapter's name, which names a Job and a container."""


class ModelFile(TypedDict):
    """One file of a model."""

    name: str
    """Name, relative to the model's folder."""
    sha256: str
    """SHA-256 in hex that the file must have."""
    size: NotRequired[int]
    """Bytes, where they are known."""


class DeviceClaim(TypedDict):
    """The GPU devices of one replica."""

    device_class: str
    """DeviceClass, such as `gpu.nvidia.com` or `mig-1g-5gb.corral.dev`."""
    count: NotRequired[int]
    """How many; 1 when omitted."""
    profile: NotRequired[str]
    """MIG profile, such as `1g.5gb`, of a class that has several."""
    product: NotRequired[str]
    """Product name that a whole GPU must have."""


class DeviceResource(TypedDict):
    """The extended resource that one replica asks for, where a device plugin hands GPUs out."""

    name: str
    """Name, such as `nvidia.com/gpu` or `nvidia.com/mig-1g.5gb`."""
    count: NotRequired[int]
    """How many; 1 when omitted."""


class Prefill(TypedDict):
    """Replicas of a model that read its prompts, on devices of their own; what is omitted is as the model has
    it."""

    arguments: NotRequired[list[str]]
    """Arguments of their program, such as its sizes."""
    replicas: NotRequired[int]
    """How many there are; 1 when omitted."""
    claim: NotRequired[DeviceClaim]
    """GPU devices of one, claimed from a DRA driver."""
    resource: NotRequired[DeviceResource]
    """GPU devices of one, given by a device plugin."""
    memory_gib: NotRequired[int]
    """Memory of one's process on the host in GiB."""
    pool: NotRequired[str]
    """GPU node pool they run in."""


class SourceAccess(TypedDict):
    """How an import reads a source that is not the platform's own store."""

    endpoint: NotRequired[str]
    """URL of the S3 store or of the hub; that of the cloud, or of Hugging Face, when omitted."""
    region: NotRequired[str]
    """Region of the S3 store."""
    access_key: NotRequired[pulumi.Input[str]]
    """Access key, HMAC key of Cloud Storage, or user name at a registry; a secret."""
    secret_key: NotRequired[pulumi.Input[str]]
    """Secret that belongs to it, a secret."""
    token: NotRequired[pulumi.Input[str]]
    """Token of a hub, a secret."""
    secret_store: NotRequired[SecretStore]
    """What has those in the place of this."""
    stored: NotRequired[dict[str, str]]
    """With `secret_store`: key there of each of `access-key`, `secret-key`, `token` that it has."""


class NodeCache(TypedDict):
    """Where the nodes of a pool keep a model's files."""

    node_group: pulumi.Input[str]
    """Name of the LocalModelNodeGroup, such as `ModelCache.node_groups["chat"]`."""
    size_gib: int
    """Size of its files in GiB, rounded up."""


class LoraAdapter(TypedDict):
    """A LoRA adapter that vLLM serves beside its model."""

    name: str
    """Name by which callers ask for it."""
    source: NotRequired[str]
    """URI that its files are imported from; real weights need it."""
    source_access: NotRequired[SourceAccess]
    """Endpoint and credential of the source; when omitted `s3://` is the platform's own store."""
    files: NotRequired[list[ModelFile]]
    """Every file of it; real weights need them, unless they are `unlocked`."""
    unlocked: NotRequired[bool]
    """True: the import takes whatever files the source holds, and its manifest says so."""
    license: NotRequired[str]
    """SPDX identifier or name of its license; that of the model when omitted."""
    path: NotRequired[str]
    """Key prefix in the bucket; when omitted one that other files have another of."""


class ModelArgs(TypedDict):
    """What a model needs to know."""

    namespace: pulumi.Input[str]
    """Namespace of the tenant it belongs to."""
    engine: EngineWord
    """Program that serves it."""
    supply: Supply
    """Where images come from."""
    arguments: NotRequired[list[str]]
    """Arguments of that program, such as its sizes, which are its own defaults when omitted. Where its files
    are, the model's name, host and port are added unless they are here."""
    environment: NotRequired[dict[str, str]]
    """Variables of that program, such as `VLLM_ALLOW_LONG_MAX_MODEL_LEN`."""
    kind: NotRequired[ServingKindWord]
    """Kind of KServe's object that serves it; `InferenceService` when omitted."""
    nodes: NotRequired[int]
    """Nodes that each replica spans, with the devices asked for on each; 1 when omitted. More are for kind
    `LLMInferenceService` and vLLM, whose `arguments` then state the stages."""
    prefill: NotRequired[Prefill]
    """Replicas that read its prompts, of kind `LLMInferenceService` and vLLM alone; its own do when omitted.
    Calls by way of a gateway that has it in `disaggregated` go there first."""
    lws: NotRequired[pulumi.Input[str]]
    """`LeaderWorkerSets.namespace`, where this program makes it; its type must be there already when omitted.
    With `nodes` above 1."""
    llm_controller: NotRequired[pulumi.Input[str]]
    """`LlmInferenceService.namespace`, where this program makes it; the type of kind `LLMInferenceService`
    must be there already when omitted."""
    runtime: NotRequired[pulumi.Input[str]]
    """ClusterServingRuntime of the engine, such as `KServe.runtimes["vllm"]` where this program makes KServe;
    when omitted that of the same name, which must be there already."""
    claim: NotRequired[DeviceClaim]
    """GPU devices of one replica, claimed from a DRA driver; this or `resource`."""
    resource: NotRequired[DeviceResource]
    """GPU devices of one replica, given by a device plugin; this or `claim`."""
    weights: NotRequired[WeightsWord]
    """`real` when omitted; `simulated` imports nothing and its pods only stand for a model."""
    source: NotRequired[str]
    """URI that the files are imported from; real weights need it."""
    source_access: NotRequired[SourceAccess]
    """Endpoint and credential of the source; when omitted `s3://` is the platform's own store."""
    files: NotRequired[list[ModelFile]]
    """Every file of the model; real weights need them, unless they are `unlocked`."""
    unlocked: NotRequired[bool]
    """True: the import takes whatever files the source holds, and its manifest says so."""
    unsafe_files: NotRequired[bool]
    """True: the import takes pickles, which run code where they are read."""
    license: NotRequired[str]
    """SPDX identifier or name of the license; real weights need it."""
    store: NotRequired[Store]
    """Where the files are kept, such as `ModelStorage.store`; real weights need it."""
    path: NotRequired[str]
    """Key prefix in the bucket; when omitted one that other files have another of, so that replicas may start
    anew from the former ones until all have changed over."""
    adapters: NotRequired[list[LoraAdapter]]
    """Adapters that vLLM serves, each by its own name, and of how large a rank and how many at the same time
    says `arguments`; none when omitted."""
    cache: NotRequired[NodeCache]
    """Nodes that keep its files; a stated `path` must then be another one for other files, for KServe fetches
    a URI once. Each replica fetches them for itself when omitted."""
    replicas_min: NotRequired[int]
    """Fewest replicas; 1 when omitted, 0 with `scaling` alone."""
    replicas_max: NotRequired[int]
    """Most replicas; as many as the fewest when omitted."""
    scaling: NotRequired[ModelScaling]
    """What changes the number of replicas; nothing of this program's when omitted."""
    time_to_first_token_seconds: NotRequired[float]
    """Time in which 95 of 100 answers begin, over 30 days, one of those by which vLLM counts; alerts tell
    when the others spend what is allowed too fast. No objective when omitted."""
    drain_seconds: NotRequired[int]
    """Seconds in which a replica that is to end finishes its answers, after 5 in which calls may still come;
    it ends as soon as it has. 60 when omitted."""
    memory_gib: NotRequired[int]
    """Memory of one replica's process on the host in GiB; 4 when omitted."""
    pool: NotRequired[str]
    """GPU node pool it runs in; any that has the devices when omitted."""
    tenant: NotRequired[str]
    """Tenant it belongs to; a label."""
    data_class: NotRequired[str]
    """Highest class of data that it may see, such as `internal`; a label."""
    queue: NotRequired[pulumi.Input[str]]
    """Queue in which its replicas wait for their devices; they wait in none when omitted."""
    priority: NotRequired[pulumi.Input[str]]
    """Priority class of its replicas in that queue; the lowest when omitted."""
    priority_class: NotRequired[pulumi.Input[str]]
    """PriorityClass of its pods, such as `PriorityClasses.names["normal"]`, by which they are scheduled and
    evicted; the cluster's default when omitted."""
    import_priority_class: NotRequired[pulumi.Input[str]]
    """The same of its import, such as `PriorityClasses.names["batch"]`."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""


def one_request(name: str, args: ModelArgs) -> None:
    """See that the devices of a replica are asked for in one way.

    Raises:
        ArgsError: in none, or in both.
    """
    if ("claim" in args) == ("resource" in args):
        raise ArgsError(f"{name}: give one of 'claim' (DRA driver) and 'resource' (device plugin)")


def kind_of(args: ModelArgs) -> ServingKind:
    """Kind of the object that serves the model."""
    return ServingKind(args.get("kind", ServingKind.INFERENCE_SERVICE))


def weights_of(args: ModelArgs) -> Weights:
    """Whether the model has files."""
    return Weights(args.get("weights", Weights.REAL))


def fixed_number(args: ModelArgs) -> bool:
    """Whether nobody but the program changes the number of its replicas."""
    least = args.get("replicas_min", 1)
    return "scaling" not in args and args.get("replicas_max", least) == least


def names_of(name: str, args: ModelArgs) -> ServedNames:
    """Names of what serves the model."""
    return served_names(kind_of(args), name, args.get("nodes", 1), prefill="prefill" in args)


def port_of(args: ModelArgs) -> int:
    """Port that its program listens on."""
    return DECODE_PORT if "prefill" in args else PORTS[kind_of(args)]


def drain_of(args: ModelArgs) -> int:
    """Seconds in which a replica that is to end finishes its answers."""
    return args.get("drain_seconds", DRAIN_SECONDS)


def server_arguments(name: str, args: ModelArgs) -> list[str]:
    """`arguments`, and before them what the server must be told and they leave out."""
    stated = args.get("arguments", [])
    file = gguf(_names(args))
    options = server_options(Engine(args["engine"]), name, file, port_of(args), drain_of(args))
    options += (transfer_option(Role.DECODE),) if "prefill" in args else ()
    options += adapter_options([one["name"] for one in args.get("adapters", [])])
    return [*(one for option in options if not option.within(stated) for one in option.arguments), *stated]


def argument_problems(name: str, args: ModelArgs) -> Iterable[str]:
    """Arguments with which nothing would answer, one line each."""
    yield from _scaling_problems(name, args)
    yield from _objective_problems(name, args)
    yield from _adapter_problems(name, args)
    yield from _group_problems(name, args)
    stated, expected = args.get("arguments", []), port_of(args)
    drain = str(drain_of(args))
    if "cache" in args and kind_of(args) is not ServingKind.INFERENCE_SERVICE:
        yield f"{name}.cache: KServe keeps files for kind InferenceService alone; leave it out"
    for index, one in enumerate(stated):
        flag, separator, value = one.partition("=")
        told = value if separator else "".join(stated[index + 1 : index + 2])
        if flag == "--port" and told != str(expected):
            yield f"{name}.arguments: --port {told} is not allowed; callers and probes use {expected}"
        if flag == SHUTDOWN_TIMEOUT and told != drain:
            yield (
                f"{name}.arguments: {flag} {told} is not allowed, its pod has {drain} s to finish answers; "
                "leave it out, or change drain_seconds with it"
            )
    engine, real = Engine(args["engine"]), weights_of(args) is Weights.REAL
    if engine is Engine.LLAMA_CPP and real and gguf(_names(args)) is None:
        opened, *_ = server_options(engine, name, None)
        if not opened.within(stated):
            yield (
                f"{name}.arguments: --model is missing; `files` do not name one {GGUF} file, so use "
                f"--model {MODEL_FOLDER}/<file>{GGUF}"
            )


def _group_problems(name: str, args: ModelArgs) -> Iterable[str]:
    nodes = args.get("nodes", 1)
    if nodes < 1:
        yield f"{name}.nodes: {nodes} is not allowed; use 1 or more"
    able = kind_of(args) is ServingKind.LLM_INFERENCE_SERVICE and Engine(args["engine"]) is Engine.VLLM
    if nodes > 1 and not able:
        yield f"{name}.nodes: {nodes} is for kind LLMInferenceService and engine vllm; use 1"
    if nodes > 1 and "scaling" in args:
        yield f"{name}.scaling: replicas on {nodes} nodes have a fixed number; leave it out"


def _objective_problems(name: str, args: ModelArgs) -> Iterable[str]:
    seconds, engine = args.get("time_to_first_token_seconds"), Engine(args["engine"])
    if seconds is None:
        return
    if engine not in FIRST_TOKEN:
        yield f"{name}.time_to_first_token_seconds: {engine.value} does not count it; leave it out"
    elif seconds not in FIRST_TOKEN_LIMITS:
        allowed = ", ".join(f"{one:g}" for one in FIRST_TOKEN_LIMITS)
        yield f"{name}.time_to_first_token_seconds: {seconds} is not allowed; use one of {allowed}"


def _adapter_problems(name: str, args: ModelArgs) -> Iterable[str]:
    adapters, engine = args.get("adapters", []), Engine(args["engine"])
    if adapters and engine is not Engine.VLLM:
        yield f"{name}.adapters: {engine.value} serves none by name; merge them into the model's weights"
    seen = {name}
    for index, one in enumerate(adapters):
        here = f"{name}.adapters[{index}]"
        if len(one["name"]) > LONGEST_ADAPTER:
            yield f"{here}.name: {one['name']!r} is too long; use {LONGEST_ADAPTER} characters at most"
        if one["name"] in seen:
            yield f"{here}.name: {one['name']!r} stands twice; use a name of its own"
        seen.add(one["name"])
        if weights_of(args) is Weights.SIMULATED:
            continue
        for key in ("source", "files"):
            if not one.get(key) and not (key == "files" and one.get("unlocked", False)):
                yield f"{here}: {key!r} is missing; real weights need it"


def _scaling_problems(name: str, args: ModelArgs) -> Iterable[str]:
    scaling, least = args.get("scaling"), args.get("replicas_min", 1)
    most = args.get("replicas_max", least)
    if least > most:
        yield f"{name}: replicas_min {least} is above replicas_max {most}"
    if scaling is None:
        if least < 1:
            yield f"{name}: replicas_min 0 is for a model with 'scaling', which holds its first request"
    elif not {"concurrency", "request_rate"} & scaling.keys():
        yield f"{name}.scaling: one of 'concurrency' and 'request_rate' is missing"
    else:
        yield from _trigger_problems(f"{name}.scaling", Engine(args["engine"]), scaling)


def _trigger_problems(path: str, engine: Engine, scaling: ModelScaling) -> Iterable[str]:
    triggers, known = scaling.get("triggers", []), METRICS[engine]
    if triggers and "prometheus" not in scaling:
        yield f"{path}: 'prometheus' is missing; 'triggers' follow what it has"
    for index, one in enumerate(triggers):
        metric, here = EngineMetric(one["metric"]), f"{path}.triggers[{index}]"
        if metric not in known:
            allowed = ", ".join(word.value for word in known)
            yield f"{here}.metric: {engine.value} does not print {metric.value}; use one of {allowed}"
        if one["threshold"] < 1:
            yield f"{here}.threshold: {one['threshold']} is not allowed; use 1 or more"


def _names(args: ModelArgs) -> list[str]:
    return [file["name"] for file in args.get("files", [])]


class Weighty(TypedDict):
    """What real weights need, all of it present."""

    source: str
    files: list[ModelFile]
    license: str
    store: Store


def weighty(name: str, args: ModelArgs) -> Weighty:
    """The arguments of an import.

    Raises:
        ArgsError: real weights lack one of them.
    """
    problems = list(_lacking(name, args))
    if problems:
        raise ArgsError("\n".join(problems))
    return {
        "source": args.get("source", ""),
        "files": args.get("files", []),
        "license": args.get("license", ""),
        "store": args["store"],  # pyright: ignore[reportTypedDictNotRequiredAccess]  # _lacking saw it
    }


def _lacking(name: str, args: ModelArgs) -> Iterable[str]:
    for key in ("source", "files", "license", "store"):
        if not args.get(key) and not (key == "files" and args.get("unlocked", False)):
            yield f"{name}: {key!r} is missing; real weights need it, `weights: simulated` does not"
    if "store" in args:
        yield from store_problems(name, args["store"])
