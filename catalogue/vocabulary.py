"""The closed word lists: each axis once, under the word that stands in the stack file."""

from enum import StrEnum

from corral.catalogue.addon_names import Addon as Addon

TENANT_LABEL = "corral.dev/tenant"
"""On a tenant's namespace, and on what is made for that tenant elsewhere: its name."""
CLASS_LABEL = "corral.dev/data-class"
"""On a namespace or a workload: how far its data may travel, a word of `DataClass`."""


class Profile(StrEnum):
    """Sovereignty profile: one word for residency, sources, registries and keys; each adds to the last."""

    OPEN = "open"
    EU_RESIDENT = "eu-resident"
    EU_CONTROLLED = "eu-controlled"
    EU_SOVEREIGN = "eu-sovereign"
    AIR_GAPPED = "air-gapped"


class AdmissionScope(StrEnum):
    """Where the policies at admission hold."""

    NAMESPACES = "namespaces"
    CLUSTER = "cluster"


class ClusterKind(StrEnum):
    """Where the cluster comes from; not which distribution it is."""

    EMBEDDED = "embedded"
    EXISTING = "existing"
    EKS = "eks"
    GKE = "gke"


class Egress(StrEnum):
    """Ways from the network of a cluster to the internet."""

    NONE = "none"
    NAT = "nat"


class ReleaseChannel(StrEnum):
    """Release channels of GKE, by which Google upgrades a cluster."""

    RAPID = "rapid"
    REGULAR = "regular"
    STABLE = "stable"
    EXTENDED = "extended"


class Platform(StrEnum):
    """What the GPU nodes of a cluster are: machine and system image; not where the cluster comes from."""

    BARE_METAL = "bare-metal"
    PREINSTALLED = "preinstalled"
    EKS_AL2023 = "eks-al2023"
    EKS_BOTTLEROCKET = "eks-bottlerocket"
    EKS_UBUNTU = "eks-ubuntu"
    GKE_COS = "gke-cos"
    GKE_UBUNTU = "gke-ubuntu"


class DriverSource(StrEnum):
    """Who brings the kernel driver, or another piece of GPU software, onto a GPU node."""

    NODE_IMAGE = "node-image"
    OPERATOR = "operator"


class Vendor(StrEnum):
    """Who makes a GPU, and so whose driver and operator serve it."""

    NVIDIA = "nvidia"
    AMD = "amd"


class SharingKind(StrEnum):
    """How one physical GPU is divided among pods."""

    WHOLE = "whole"
    MIG = "mig"
    MIG_DYNAMIC = "mig-dynamic"
    TIME_SLICING = "time-slicing"
    MPS = "mps"


class Allocator(StrEnum):
    """What hands the GPUs of a cluster out to pods; two of them would give a GPU away twice."""

    DRA_DRIVER = "dra-driver"
    DEVICE_PLUGIN = "device-plugin"


class FeatureGate(StrEnum):
    """A gate of Kubernetes, by its own name, that something here depends on; not a gate of a driver."""

    PARTITIONABLE_DEVICES = "DRAPartitionableDevices"


class DataClass(StrEnum):
    """How far the data that a tenant works on may travel."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Purchase(StrEnum):
    """How a pool's machines are paid for; not who runs them."""

    ON_DEMAND = "on-demand"
    SPOT = "spot"
    RESERVED = "reserved"
    OWNED = "owned"


class Fabric(StrEnum):
    """A network beside the ordinary one, by which GPUs of several nodes reach each other."""

    EFA = "efa"
    """AWS's Elastic Fabric Adapter."""


class Currency(StrEnum):
    """What amounts of money are counted in."""

    EUR = "EUR"
    USD = "USD"


class Cloud(StrEnum):
    """Who rents out an instance type."""

    AWS = "aws"
    GCP = "gcp"
    OCI = "oci"


class Engine(StrEnum):
    """The program that serves a model; not the runtime object that configures it."""

    LLAMA_CPP = "llama.cpp"
    TEXT_EMBEDDINGS = "text-embeddings"
    VLLM = "vllm"


class EngineMetric(StrEnum):
    """What an engine says of its own work, of which copies of a model can be made to follow."""

    RUNNING = "running-requests"
    WAITING = "waiting-requests"
    PROMPT_TOKENS = "prompt-tokens"
    GENERATED_TOKENS = "generated-tokens"
    CACHE_USAGE = "kv-cache-usage"


class Priority(StrEnum):
    """Which models go before others when there is not enough for all."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Task(StrEnum):
    """What callers ask of a model."""

    CHAT = "chat"
    CODE = "code"
    EMBEDDING = "embedding"
    RERANK = "rerank"


class Dtype(StrEnum):
    """What a model's weights are stored as; not what its cache is."""

    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    FP8_BLOCK = "fp8-block"
    FBGEMM_FP8 = "fbgemm-fp8"
    INT8 = "int8"
    INT4 = "int4"
    MXFP4 = "mxfp4"
    NVFP4 = "nvfp4"
    NF4 = "nf4"
    Q4_1 = "Q4_1"


class CacheDtype(StrEnum):
    """What the key-value cache is kept as; `auto` is 16 bits."""

    AUTO = "auto"
    BFLOAT16 = "bfloat16"
    FP8 = "fp8"
    FP8_E4M3 = "fp8_e4m3"
    FP8_E5M2 = "fp8_e5m2"


class Load(StrEnum):
    """How an engine reads weights from disk; `auto` is its own default."""

    AUTO = "auto"
    STREAM = "stream"


class ServingKind(StrEnum):
    """Kind of KServe's object that serves a model."""

    INFERENCE_SERVICE = "InferenceService"
    LLM_INFERENCE_SERVICE = "LLMInferenceService"


class Weights(StrEnum):
    """Whether a model's weights are imported, or its pods only stand for them."""

    REAL = "real"
    SIMULATED = "simulated"


class Scaler(StrEnum):
    """What changes the number of a model's replicas, by KServe's word for it (`autoscalerClass`)."""

    NONE = "none"
    EXTERNAL = "external"


class VectorEngine(StrEnum):
    """Which program stores vectors."""

    PGVECTOR = "pgvector"
    QDRANT = "qdrant"


class StorageKind(StrEnum):
    """Where model files lie: a store that the platform deploys, one that is there, or a cloud's own."""

    SEAWEEDFS = "seaweedfs"
    EXISTING = "existing"
    S3 = "s3"
    GCS = "gcs"


class SecretProvider(StrEnum):
    """What keeps secrets outside the cluster: Vault or OpenBao, or the secret manager of a cloud."""

    VAULT = "vault"
    AWS = "aws"
    GCP = "gcp"


class PodEncryption(StrEnum):
    """What encrypts between pods on different machines: the network itself, a mesh with mutual TLS, the cloud
    between its machines, or nothing, on a single machine or on several."""

    WIREGUARD = "wireguard"
    IPSEC = "ipsec"
    MESH = "mesh"
    CLOUD = "cloud"
    SINGLE_NODE = "single-node"
    NONE = "none"


class AddonState(StrEnum):
    """Who answers for an addon: this stack, somebody else, or nobody because it is left out."""

    MANAGED = "managed"
    EXISTING = "existing"
    OFF = "off"


class TokenUnit(StrEnum):
    """A window in which tokens are counted, in Envoy Gateway's words."""

    MINUTE = "Minute"
    DAY = "Day"
    MONTH = "Month"
    """30 days, counted from 1970 on."""


class AlertReceiver(StrEnum):
    """Who alerts are sent to, by an address that is a secret."""

    WEBHOOK = "webhook"
    SLACK = "slack"


class TaintEffect(StrEnum):
    """What a taint does to pods that do not tolerate it."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class SourceScheme(StrEnum):
    """Scheme of the URI that a stack imports a model from."""

    PACKAGE = "package"
    FILE = "file"
    S3 = "s3"
    GCS = "gs"
    OCI = "oci"
    HUB = "hf"
