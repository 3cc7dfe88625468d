"""What an environment wants: the object `corral:platform` of a stack file, typed and frozen."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from corral.catalogue.addons import config_secrets
from corral.catalogue.clusters import ClusterCapabilities, capabilities
from corral.catalogue.gpus import gpus, served
from corral.catalogue.models import ModelSpec, models
from corral.catalogue.vocabulary import (
    Addon,
    AddonState,
    AdmissionScope,
    AlertReceiver,
    CacheDtype,
    ClusterKind,
    Currency,
    DataClass,
    Dtype,
    Engine,
    FeatureGate,
    Platform,
    Profile,
    Purchase,
    SharingKind,
    StorageKind,
    TaintEffect,
    Task,
    VectorEngine,
    Weights,
)
from corral.controls.models.sources import BUCKET
from corral.stacks.config.errors import ConfigErrors
from corral.stacks.config.values import (
    DYNAMIC,
    SHARED,
    Amount,
    BlockSize,
    Count,
    Devices,
    Image,
    LabelKey,
    LabelValue,
    Name,
    NodeName,
    Number,
    ObjectName,
    Positive,
    Registry,
    Sequences,
    ServerUrl,
    Share,
    Size,
    SourcePrefix,
    SpaceName,
    StepTokens,
    TensorParallel,
    Utilisation,
    Version,
    kebab,
    mig_given,
    replicas_given,
    sharing_given,
)

__all__ = ["SECRETS", "SETTINGS", "ConfigErrors", "StackConfig"]

REGISTRY_AUTH = "registry-auth"
"""Key of the mirror's credentials, which nobody but its owner can make."""

ALERTS_URL = "alerts-url"
"""Key of the address that alerts are sent to."""

SECRETS = (*config_secrets(), REGISTRY_AUTH, ALERTS_URL)
"""Keys of encrypted configuration, in the namespace `corral`."""

SETTINGS = {
    "charts": "Folder with unpacked charts by name; a chart that it lacks comes from mirror or registry.",
}
"""Plain keys beside `platform`, in the namespace `corral`: facts of the machine that deploys."""

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
CATALOGUE_ONLY: dict[str, Any] = {
    "if": {"not": {"required": ["custom-models"]}},
    "then": {"properties": {"models": {"items": {"properties": {"model": {"enum": list(models())}}}}}},
}
"""JSON Schema: a model is one of the catalogue where the file defines none."""


class Section(BaseModel):
    """A mapping of the stack file: frozen, kebab-case, without unknown keys."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=kebab, use_attribute_docstrings=True
    )


class Admission(Section):
    """Where the policies at admission hold."""

    scope: AdmissionScope
    """`namespaces`: in those with the label `corral.dev/policies: enforced`, as Corral's own have it;
    `cluster`: in all but the exempt ones."""
    exempt: tuple[SpaceName, ...] = ()
    """Namespaces without policies where the scope is the cluster, beside `kube-system`; those of Kubernetes
    but `default` when empty."""


class Sovereignty(Section):
    """What must stay where."""

    profile: Profile
    """One word that fixes residency, sources, registries and digests."""
    region: str
    """Region that everything lies in; `embedded` on this machine."""
    registry: Registry | None = None
    """Mirror that every image and chart comes from, such as `registry.example.eu/mirror`; charts of HTTPS
    repositories lie below its `charts/`."""
    pull_secret: Name | None = None
    """Name of the Secret that `corral:registry-auth` is written to, in each namespace of the stack."""
    admission: Admission | None = None
    """Where the policies at admission hold; a cluster started here: everywhere, any other: in labelled
    namespaces, when absent."""


class Toleration(Section):
    """A taint that pods bear."""

    key: LabelKey
    """Key of the taint."""
    value: LabelValue | None = None
    """Its value; any when absent."""
    effect: TaintEffect | None = None
    """Its effect; each when absent."""


class Cluster(Section):
    """Where the cluster comes from."""

    kind: ClusterKind
    """`embedded` is started on this machine; `existing` is any cluster with a kubeconfig."""
    kubeconfig: str | None = None
    """Path of the kubeconfig of an existing cluster; absent: the one Pulumi's provider finds."""
    context: str | None = None
    """Context within the kubeconfig."""
    plane: str | None = None
    """Name of the embedded plane; the stack's name when absent."""
    platform: Platform | None = None
    """What the GPU nodes of an existing cluster are, see docs/platforms.md; `bare-metal` when absent."""
    precompiled_driver: Annotated[int, Field(strict=True, ge=100, le=9999)] | None = None
    """Branch of drivers compiled beforehand, such as 580; when absent each node compiles the operator's."""
    storage_class: ObjectName | None = None
    """Storage class of every volume in an existing cluster; the cluster's default when absent."""
    node_selector: dict[LabelKey, LabelValue] = {}
    """Labels of the nodes of an existing cluster that Corral's own pods run on; any node when absent. What
    runs on each GPU node, and models, go by their pools."""
    tolerations: tuple[Toleration, ...] = ()
    """Taints of those nodes that Corral's own pods bear."""
    kubernetes: Version | None = None
    """Version of an existing cluster, such as `"1.34.2"`; needed where it decides what can be asked for."""
    feature_gates: tuple[FeatureGate, ...] = ()
    """Gates that are on in an existing cluster though off by default in its version; a cloud that manages the
    control plane seldom lets one choose."""

    @property
    def capabilities(self) -> ClusterCapabilities:
        """What a cluster of this kind can do."""
        return capabilities(self.kind)


class Nodes(Section):
    """The nodes of a pool: named, or a range made on demand."""

    names: tuple[NodeName, ...] = ()
    """Names of nodes that exist."""
    min: Count | None = None
    """Fewest nodes."""
    max: Positive | None = None
    """Most nodes."""


class Sharing(Section):
    """How a GPU is divided."""

    mig: Annotated[str | tuple[dict[str, Positive], ...] | None, BeforeValidator(mig_given)] = None
    """`auto`, a named configuration, or slices per profile: once for all GPUs of a node, or once per GPU; or
    `dynamic`, where the DRA driver cuts a slice when a pod comes."""
    time_slicing: Share | None = None
    """Models take turns on a GPU, N of them; nothing but the plan keeps each to its share of the memory."""
    mps: Share | None = None
    """Models run side by side on a GPU, N of them; the driver keeps each to its share of the memory."""

    @property
    def kind(self) -> SharingKind:
        """Which way is chosen."""
        ways = {
            SharingKind.MIG_DYNAMIC: self.mig if self.mig == DYNAMIC else None,
            SharingKind.MIG: self.mig,
            SharingKind.TIME_SLICING: self.time_slicing,
            SharingKind.MPS: self.mps,
        }
        return next((kind for kind, value in ways.items() if value is not None), SharingKind.WHOLE)

    @property
    def shares(self) -> int:
        """Equal shares that each GPU goes into; 1 where it is whole or cut into slices."""
        return self.time_slicing or self.mps or 1


class Owned(Section):
    """What one node of one's own costs; money in the currency of `budget`, EUR when absent."""

    price: Amount
    """Purchase price."""
    years: Positive
    """Years over which the price is written off, evenly."""
    watts: Amount
    """Power that it draws at the meter, cooling included, in watts."""
    per_kwh: Amount
    """Price of a kilowatt hour."""


class GpuPool(Section):
    """A pool of equal GPU nodes."""

    name: Name
    """Name of the pool, and of the label its nodes carry."""
    gpu: Annotated[str, Field(json_schema_extra={"enum": [key for key in served() if gpus()[key].resolved]})]
    """GPU of the catalogue."""
    nodes: Nodes
    """`{names: […]}` for nodes that exist, `{min, max}` for nodes made on demand."""
    gpus_per_node: Annotated[int, Field(strict=True, ge=1, le=16)]
    """GPUs in each node."""
    sharing: Annotated[
        Sharing,
        BeforeValidator(sharing_given),
        WithJsonSchema(
            {
                "anyOf": [
                    {"const": "whole"},
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "minProperties": 1,
                        "maxProperties": 1,
                        "properties": {
                            **{way: {"type": "integer", "minimum": 2, "maximum": 48} for way in SHARED},
                            "mig": {
                                "anyOf": [
                                    {"type": "string"},
                                    {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "additionalProperties": {"type": "integer", "minimum": 1},
                                        },
                                    },
                                ]
                            },
                        },
                    },
                ]
            }
        ),
    ] = Sharing()
    """`whole`, the default; `mig`: `auto` lets the planner cut, a name or a list of slices fixes it,
    `dynamic` cuts when pods come; or `time-slicing` or `mps` with a number of equal shares."""
    driver: Version | None = None
    """Version of the NVIDIA driver on its nodes, such as `"580.95.05"`; not checked when absent."""
    instance: str | None = None
    """Instance type of its nodes, such as `p5.48xlarge`; with `sovereignty.region` it gives their price."""
    purchase: Purchase = Purchase.ON_DEMAND
    """How its nodes are paid for."""
    price_per_hour: Amount | None = None
    """Price of one node for an hour in place of the catalogue's, in the currency of `budget`."""
    owned: Owned | None = None
    """What one node costs where `purchase` is `owned`."""


class Images(Section):
    """Images of Corral's own that come from elsewhere."""

    tools: Image | None = None
    """Image of the import Jobs, as `registry.example.eu/corral/tools:0.1.0@sha256:…`; `corral/tools` of
    `sovereignty.registry` when absent. See docs/importing.md."""


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


class Replicas(Section):
    """How many copies of a model run."""

    min: Positive
    max: Positive


class ModelSection(Section):
    """A model to serve."""

    name: Name
    """Name by which callers ask for it."""
    model: str
    """Model of the catalogue, listed in `docs/models.md`, or of `custom-models`."""
    source: str | None = None
    """Where its files are imported from, such as `s3://bucket/path`; the catalogue's package when absent."""
    engine: Engine | None = None
    """Program that serves it; the catalogue's when absent."""
    engine_version: str | None = None
    """Version of its engine that this file was written for, such as `"0.30.0"`; the plan refuses any but the
    catalogue's, which is the one that runs and is sized."""
    context: Positive | None = None
    """Tokens of one sequence; the model's limit or 8192, whichever is less, when absent."""
    max_num_seqs: Sequences = 32
    """The engine's limit of concurrent sequences."""
    full_sequences: Positive = 1
    """How many sequences must fit at full context at the same time."""
    tensor_parallel: TensorParallel | None = None
    """GPUs of a node that a replica is spread over; the fewest of 1, 2, 4, 8 that it fits on when absent."""
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
    replicas: Annotated[
        Replicas,
        BeforeValidator(replicas_given),
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
    ] = Replicas(min=1, max=1)
    """A number, 1 when absent, or `{min, max}`: room is planned for the maximum, and a scaler outside sets
    the number."""
    pool: str | None = None
    """Pool it runs in; the planner takes the smallest device that fits when absent."""
    tenant: str | None = None
    """Tenant it belongs to; may be absent where there is one tenant."""
    weights: Weights = Weights.REAL
    """`simulated` plans and shows it without import or process; profile `open` alone allows it."""


class VectorDb(Section):
    """A vector database."""

    engine: VectorEngine
    """`pgvector` on one node, or `qdrant`."""
    vectors: Number = 1_000_000
    """Vectors expected, such as `5M`."""
    dimensions: Positive = 1024
    """Dimensions of one vector."""
    replicas: Positive = 1
    """Nodes of the database; pgvector has one."""
    replication_factor: Positive | None = None
    """Copies of each shard of a qdrant collection; 2 where there are several replicas when absent."""
    size: Size | None = None
    """Size of each replica's volume; `20Gi`, or what its vectors need, when absent."""


class Observability(Section):
    """Metrics, dashboards and alerts."""

    retention_days: Positive = 15
    """Days that metrics are kept."""
    size: Size = "20Gi"
    """Size of the volume for metrics."""
    control_plane: Annotated[bool, Field(strict=True)] = False
    """Whether scheduler, controller manager, etcd and kube-proxy are scraped. Managed clusters hide the first
    three, and kubeadm binds all four to the loopback unless it is told otherwise."""
    alerts: AlertReceiver | None = None
    """Who alerts are sent to: a `webhook` with Alertmanager's JSON, or `slack` and what takes its format, at
    the address `corral:alerts-url`; nobody when absent. See docs/tasks.md."""


class TenantSection(Section):
    """A group of users with a namespace of its own."""

    name: Name
    """Name of the tenant."""
    namespace: Name | None = None
    """Its namespace; the tenant's name when absent."""
    data_class: DataClass | None = None
    """How far its data may travel; models of different classes never share a GPU by time."""
    gpus: dict[str, Devices] | None = None
    """GPUs that are its own, by pool: `{POOL: N}` whole ones or shares, `{POOL: {PROFILE: N}}` slices; what
    its models need at most when absent."""
    weight: Positive | None = None
    """How much of what nobody claims it may have beside the others, 1 when absent; needs `fair-sharing`."""


class FairSharing(Section):
    """How tenants share GPUs: each keeps what is its own, and lends what it does not use."""

    borrowing: Annotated[bool, Field(strict=True)] = True
    """Whether a tenant may use what others leave idle, until they want it back."""
    ready_within: Positive = 60
    """Minutes in which all pods of a workload must be ready; else it gives its GPUs back and waits again."""


class ModelStorage(Section):
    """The object store for model files."""

    kind: StorageKind = StorageKind.SEAWEEDFS
    """`seaweedfs` is deployed; `existing` is any S3 store."""
    size: Size | None = None
    """Size of the volume of a deployed store; when absent 50Gi, or more where the models need it."""
    bucket: Name = BUCKET
    """Bucket that holds the models."""
    endpoint: ServerUrl | None = None
    """URL of an existing store, such as `https://minio.example:9000`."""


class Budget(Section):
    """What the GPU pools may cost."""

    monthly: Amount
    """Ceiling for a month of 730 hours, with every pool at its most nodes; a plan above it is refused."""
    currency: Currency = Currency.EUR
    """Currency of the ceiling, and of every amount that the stack file gives."""
    exchange_rate: Amount | None = None
    """EUR for one USD; the catalogue's when absent."""


class StackConfig(Section):
    """The object `corral:platform`: what one environment wants."""

    model_config = ConfigDict(json_schema_extra=CATALOGUE_ONLY)

    sovereignty: Sovereignty
    """What must stay where."""
    cluster: Cluster
    """Where the cluster comes from."""
    gpu_pools: tuple[GpuPool, ...] = ()
    """Pools of GPU nodes."""
    models: tuple[ModelSection, ...] = ()
    """Models to serve."""
    custom_models: Annotated[dict[Name, ModelSpec], WithJsonSchema(CUSTOM_MODELS)] = {}
    """Models that the catalogue lacks, by name: their facts, or a folder with `config.json` and index."""
    tenants: tuple[TenantSection, ...] = ()
    """Groups of users; one called `models` when absent."""
    fair_sharing: FairSharing | None = None
    """How tenants share GPUs; nothing but their quotas keeps them apart when absent."""
    vector_db: VectorDb | None = None
    """Vector database; none when absent."""
    observability: Observability | None = None
    """Metrics, dashboards and alerts; none when absent."""
    model_storage: ModelStorage = ModelStorage()
    """Object store for model files."""
    model_sources: tuple[ModelSource, ...] = ()
    """Places that models are imported from, each with an endpoint, a region and a credential of its own."""
    images: Images = Images()
    """Images of Corral's own that come from elsewhere."""
    budget: Budget | None = None
    """Ceiling for the cost of the GPU pools; none when absent."""
    addons: dict[Addon, AddonState] = {}
    """Who answers for an addon: `managed` by this stack, `existing` on the cluster, or `off`."""

    @property
    def sections(self) -> frozenset[str]:
        """Sections that the stack file has, or that have a default."""
        return frozenset(kebab(name) for name, value in self if value is not None)

    @property
    def known_models(self) -> Mapping[str, ModelSpec]:
        """All models that this stack may name, by key."""
        return {**models(), **self.custom_models}
