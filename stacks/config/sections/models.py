"""Models and their files: `models`, `custom-models`, `model-sources`, `model-storage`."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from corral.catalogue.models import ModelSpec
from corral.catalogue.vocabulary import (
    CacheDtype,
    Dtype,
    Engine,
    EngineMetric,
    Load,
    Priority,
    ServingKind,
    StorageKind,
    Task,
    Weights,
)
from corral.controls.models.sources import BUCKET
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import (
    BlockSize,
    Cidr,
    Count,
    LoraRank,
    ModuleName,
    Name,
    Percent,
    PipelineParallel,
    Positive,
    Seconds,
    Sequences,
    ServerUrl,
    Size,
    SourcePrefix,
    StepTokens,
    TensorParallel,
    Utilisation,
    kebab,
    replicas_value,
)

CUSTOM_MODELS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": False,
        "required": ["task", "license"],
        "properties": {
            **{kebab(name): {} for name in ModelSpec.model_fields if name not in ("files", "package")},
            "folder": {"type": "string"},
            "task": {"enum": [task.value for task in Task]},
            "dtype": {"enum": [dtype.value for dtype in Dtype]},
            "engine": {"enum": [engine.value for engine in Engine]},
        },
    },
}
"""JSON Schema of `custom-models`: its keys; values are checked when the file is read."""


class Replicas(Section):
    """How many copies of a model run."""

    min: Positive
    max: Positive


ReplicasValue = Annotated[
    Replicas,
    BeforeValidator(replicas_value),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["min", "max"],
                    "properties": {
                        "min": {"type": "integer", "minimum": 1},
                        "max": {"type": "integer", "minimum": 1},
                    },
                },
            ]
        }
    ),
]
"""A number, or `{min, max}`."""


class Trigger(Section):
    """A metric of the engine that the copies of a model follow."""

    metric: EngineMetric
    """What is followed: requests that the engine works on or that wait in it, tokens a second, or the use of
    its key-value cache. Its engine must print it."""
    threshold: Positive
    """As much of it for one copy: requests, tokens a second, or percent of the cache."""


class Scaling(Section):
    """How many copies of a model run, by the requests that it has by way of the gateway."""

    min: Count = 1
    """Fewest copies; with 0 the first request waits until one answers."""
    max: Positive
    """Most copies, for which room is planned."""
    concurrency: Positive | None = None
    """Requests at a time for one copy; `max-num-seqs` when neither this nor `request-rate` is stated."""
    request_rate: Positive | None = None
    """Requests a second, over a minute, for one copy."""
    triggers: tuple[Trigger, ...] = ()
    """Metrics of the engine beside the requests; what needs most copies counts."""
    cooldown: Seconds | None = None
    """Seconds with fewer requests before copies end; twice the cold start, 300 at least, when absent."""


class Canary(Section):
    """Another version of a model, served beside it under its name; what is absent is as the model has it."""

    weight: Percent
    """Percent of the calls by way of the gateway that it takes: 0 takes it out, 100 takes the model out."""
    replicas: ReplicasValue = Replicas(min=1, max=1)
    """A number, 1 when absent, or `{min, max}`."""
    model: str | None = None
    """Model of the catalogue or of `custom-models`."""
    source: str | None = None
    """Where its files are imported from; with another `model` that of the catalogue when absent."""
    context: Positive | None = None
    """Tokens of one sequence."""
    max_num_seqs: Sequences | None = None
    """The engine's limit of concurrent sequences."""
    tensor_parallel: TensorParallel | None = None
    """GPUs of a node that a replica is spread over."""
    gpu_memory_utilization: Utilisation | None = None
    """Share of a GPU that vLLM may fill at most."""
    kv_cache_dtype: CacheDtype | None = None
    """What vLLM keeps its cache as."""
    max_num_batched_tokens: StepTokens | None = None
    """Tokens of one step of vLLM."""
    enforce_eager: Annotated[bool, Field(strict=True)] | None = None
    """Whether vLLM runs without CUDA graphs."""
    prefix_caching: Annotated[bool, Field(strict=True)] | None = None
    """Whether vLLM keeps finished prefixes for the next request."""
    pool: str | None = None
    """Pool it runs in."""


class Prefill(Section):
    """Replicas that read a model's prompts; its own then write the answers. See docs/large-models.md."""

    replicas: Positive = 1
    """How many there are."""
    pool: str | None = None
    """Pool of whole GPUs that they run in; that of the model when absent."""
    tensor_parallel: TensorParallel | None = None
    """GPUs of a node that each is spread over; as many as a replica of the model when absent."""


class Adapter(Section):
    """A LoRA adapter, served beside its model under a name of its own. See docs/adapters.md."""

    name: Name
    """Name by which callers ask for it; no model, canary or other adapter has it."""
    source: str
    """Where its files are imported from, such as `s3://bucket/path`."""
    rank: LoraRank | None = None
    """Its rank, `r` in `adapter_config.json`; what `corral lock --models` read there when absent."""
    target_modules: Annotated[tuple[ModuleName, ...], Field(min_length=1)] | None = None
    """Modules that it changes, such as `q_proj`, as there; what the lock has, else all of the model's, when
    absent."""
    license: Annotated[str, Field(min_length=1)] | None = None
    """SPDX identifier or name of its license; that of its model when absent."""


class ModelSection(Section):
    """A model to serve."""

    name: Name
    """Name by which callers ask for it."""
    model: str
    """Model of the catalogue, listed in `docs/models.md`, or of `custom-models`."""
    source: str | None = None
    """Where its files are imported from, such as `s3://bucket/path`; the catalogue's package when absent."""
    kind: ServingKind = ServingKind.INFERENCE_SERVICE
    """Kind of KServe's object that serves it: `InferenceService`, or `LLMInferenceService`, whose replica may
    span nodes; see docs/large-models.md."""
    engine: Engine | None = None
    """Program that serves it; the catalogue's when absent."""
    engine_version: str | None = None
    """Version of its engine that this file was written for, such as `"0.30.0"`; the plan refuses any but the
    catalogue's, which is the one that runs and is sized."""
    context: Positive | None = None
    """Tokens of one sequence; the model's limit or 8192, whichever is less, when absent."""
    max_num_seqs: Sequences = 32
    """The engine's limit of concurrent sequences."""
    max_tokens: Positive | None = None
    """Most tokens of one answer, whatever a caller asks for; what the context has room for when absent."""
    full_sequences: Positive = 1
    """How many sequences must fit at full context at the same time."""
    tensor_parallel: TensorParallel | None = None
    """GPUs of a node that a replica is spread over; the fewest of 1, 2, 4, 8 that it fits on when absent."""
    pipeline_parallel: PipelineParallel = 1
    """Nodes that a replica spans, with all GPUs of each: vLLM divides the layers into so many stages. More
    than 1 is for kind `LLMInferenceService`."""
    prefill: Prefill | None = None
    """Replicas of their own that read prompts, for kind `LLMInferenceService` and vLLM behind the gateway;
    those that write answers read them, too, when absent."""
    gpu_memory_utilization: Utilisation | None = None
    """Share of a GPU, slice or share that vLLM may fill at most; 0.92 when absent, and less where the driver
    needs the rest."""
    kv_cache_dtype: CacheDtype = CacheDtype.AUTO
    """What vLLM keeps its cache as: `auto` is 16 bits, the `fp8` kinds take half."""
    max_num_batched_tokens: StepTokens | None = None
    """Tokens of one step of vLLM; 8192 on 70 GiB and more, else 2048, when absent."""
    enforce_eager: Annotated[bool, Field(strict=True)] = False
    """Whether vLLM runs without CUDA graphs: slower, and without their memory."""
    prefix_caching: Annotated[bool, Field(strict=True)] | None = None
    """Whether vLLM keeps finished prefixes for the next request; its own default, yes, when absent."""
    block_size: BlockSize | None = None
    """Tokens of one block of vLLM's cache; 16 when absent."""
    load: Load = Load.AUTO
    """How its engine reads the verified files: `stream` reads many parts of them at a time (vLLM with the
    Run:ai Model Streamer), `auto` is the engine's default."""
    local_cache: Annotated[bool, Field(strict=True)] = False
    """Whether every node of its pool keeps its files, so that a new replica fetches nothing."""
    adapters: tuple[Adapter, ...] = ()
    """LoRA adapters that vLLM serves beside it, each by its own name."""
    max_loras: Positive | None = None
    """How many of them are on the GPU at the same time, which memory is kept for; all when absent."""
    replicas: ReplicasValue = Replicas(min=1, max=1)
    """A number, 1 when absent, or `{min, max}`: room is planned for the maximum, and a scaler outside sets
    the number."""
    scaling: Scaling | None = None
    """Copies by requests, in the place of `replicas`; a fixed number when absent."""
    time_to_first_token: Annotated[float, Field(gt=0)] | None = None
    """Seconds in which 95 of 100 answers begin, over 30 days, one of those by which vLLM counts; alerts tell
    when the others spend what is allowed too fast. No objective when absent."""
    priority: Priority = Priority.NORMAL
    """Which models come first when devices or memory are short: a `high` one is scheduled first and evicted
    last, a `low` one gives way; with Kueue, a higher one takes the devices of its tenant's lower ones."""
    pool: str | None = None
    """Pool it runs in; the planner takes the smallest device that fits when absent."""
    tenant: str | None = None
    """Tenant it belongs to; may be absent where there is one tenant."""
    weights: Weights = Weights.REAL
    """`simulated` plans and shows it without import or process; profile `open` alone allows it."""
    canary: Canary | None = None
    """Another version that takes a part of its calls; none when absent."""


class ModelSource(Section):
    """A place that models are imported from, and that is not the platform's own store."""

    name: Name
    """Name of the source, and of the encrypted keys that open it: `corral:source-NAME-access-key` and
    `corral:source-NAME-secret-key`, or `corral:source-NAME-token` for a hub."""
    url: SourcePrefix
    """Beginning of the sources of models that are read so, such as `s3://intake`; the longest one counts."""
    endpoint: ServerUrl | None = None
    """URL of the S3 store or of the hub; that of the cloud, or of Hugging Face, when absent."""
    region: str | None = None
    """Region of the S3 store; `us-east-1` when absent."""
    anonymous: Annotated[bool, Field(strict=True)] = False
    """Whether it is read without a credential."""


class ModelStorage(Section):
    """The object store for model files."""

    kind: StorageKind = StorageKind.SEAWEEDFS
    """`seaweedfs` is deployed; `existing` is any S3 store, opened by a key; `s3` is a bucket of AWS that the
    stack makes beside a cluster of kind `eks`, `gcs` one of Google Cloud beside kind `gke`; both are
    entered by pods' own identity."""
    size: Size | None = None
    """Size of the volume of a deployed store; when absent 50Gi, or more where the models need it."""
    bucket: Name = BUCKET
    """Bucket that holds the models; of kinds `s3` and `gcs` a name that nobody else has."""
    previous_imports: Annotated[int, Field(ge=0, strict=True)] | None = None
    """How many imports of each model stay in the bucket beside that which is served, to go back to without
    another import; when absent 1, and all in a store of kind `existing`, which others may serve from."""
    endpoint: ServerUrl | None = None
    """URL of an existing store, such as `https://minio.example:9000`."""
    networks: tuple[Cidr, ...] = ()
    """Addresses that the host of `endpoint` has: network policies let tenants' pods out to no others. When
    absent the address or the namespace that the URL names, or else all private ones (RFC 1918, 6598)."""
