"""What a model needs to know."""

from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.adapters import adapter_options
from corral.catalogue.disaggregation import DECODE_PORT, Role, transfer_option
from corral.catalogue.runtimes import (
    DRAIN_SECONDS,
    gguf,
    server_options,
)
from corral.catalogue.serving_kinds import PORTS, ServedNames, served_names
from corral.catalogue.vocabulary import Engine, ServingKind, Weights
from corral.components._words import EngineWord, ServingKindWord, WeightsWord
from corral.components.model.scaling import ModelScaling
from corral.components.secret_store import SecretStore
from corral.components.store import Store
from corral.components.supply import Supply


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
    it ends as soon as it has, which llama.cpp tells by `--metrics` alone. 60 when omitted."""
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


def gguf_of(args: ModelArgs) -> str | None:
    """The one file that llama.cpp opens; None: `files` do not say which."""
    return gguf([file["name"] for file in args.get("files", [])])


def server_arguments(name: str, args: ModelArgs) -> list[str]:
    """`arguments`, and before them what the server must be told and they leave out."""
    stated = args.get("arguments", [])
    engine, file = Engine(args["engine"]), gguf_of(args)
    options = server_options(engine, name, file, port_of(args), drain_of(args))
    options += (transfer_option(Role.DECODE),) if "prefill" in args else ()
    options += adapter_options([one["name"] for one in args.get("adapters", [])])
    return [*(one for option in options if not option.within(stated) for one in option.arguments), *stated]


class Weighty(TypedDict):
    """What real weights need, all of it present."""

    source: str
    files: list[ModelFile]
    license: str
    store: Store
