"""Served models: device requests, memory in bytes, placements."""

from collections.abc import Mapping
from dataclasses import dataclass

from corral.catalogue.quantities import GIB
from corral.catalogue.serving_kinds import ServedNames, served_names
from corral.catalogue.unsafe_files import unsafe
from corral.catalogue.vocabulary import Engine, EngineMetric, Priority, Scaler, ServingKind, Task, Weights


@dataclass(frozen=True)
class FilePlan:
    """One file of a model; an import that finds another hash is refused."""

    name: str
    sha256: str
    size: int = 0
    """Bytes; 0: not known."""


@dataclass(frozen=True)
class SourcePlan:
    """A place that models are imported from, and that is not the platform's own store."""

    name: str
    url: str
    endpoint: str | None
    region: str | None
    secrets: tuple[str, ...]
    """Keys of encrypted configuration that open it; none: it is read without."""


@dataclass(frozen=True)
class ClaimPlan:
    """The device request of one replica."""

    device_class: str
    profile: str | None
    """MIG profile; None: whole GPUs."""
    product: str | None
    """DRA attribute `productName` of a whole GPU; None where the profile decides."""
    count: int


@dataclass(frozen=True)
class ResourcePlan:
    """The extended resource that one replica asks for."""

    name: str
    """Such as `nvidia.com/gpu`."""
    count: int


@dataclass(frozen=True)
class MemoryPlan:
    """Memory of one device under one replica, in bytes."""

    usable: int
    weights: int
    kv_cache: int
    activation: int
    overhead: int
    """Outside the allocator, and what the engine leaves free."""
    adapters: int = 0
    """LoRA adapters, whichever of them are called."""

    @property
    def used(self) -> int:
        return self.weights + self.adapters + self.kv_cache + self.activation + self.overhead

    @property
    def free(self) -> int:
        return self.usable - self.used


@dataclass(frozen=True)
class ColdStart:
    """What a replica takes from nothing to its first answer, in seconds; its node and image are there."""

    size: int
    """Bytes of its files."""
    fetch: int
    """From the store to the node."""
    verify: int
    """SHA-256 of every file."""
    load: int
    """From the node's disk into its GPUs."""
    engine: int | None
    """Imports, compilation and graphs; None: nobody said how long this engine takes."""
    network_mbps: int
    """MB/s between store and node."""
    network_assumed: bool
    """Whether the instance type is not known, and so its network."""
    node_fetch: int | None = None
    """From the store to each node, once and before a replica comes; None: each replica fetches for itself."""
    streamed: bool = False
    """Whether many parts of the files are read into its GPUs at a time."""

    @property
    def seconds(self) -> int:
        return self.fetch + self.verify + self.load + (self.engine or 0)


@dataclass(frozen=True)
class ReplicaPlacement:
    """Where the plan puts one replica; the scheduler decides among equal devices."""

    node: str
    gpu: int
    """Index of its first GPU on the node."""
    profile: str | None


@dataclass(frozen=True)
class TriggerPlan:
    """A metric of the engine that replicas follow."""

    metric: EngineMetric
    threshold: int
    """As much of it for one replica: requests, tokens a second, or percent of its cache."""


@dataclass(frozen=True)
class ScalingPlan:
    """How the number of a model's replicas follows the requests that it has."""

    concurrency: int | None
    """Requests at a time for one replica; None: not what is counted."""
    request_rate: int | None
    """Requests a second for one replica; None: not what is counted."""
    cooldown: int
    """Seconds with fewer requests before replicas end."""
    triggers: tuple[TriggerPlan, ...] = ()
    """What is followed beside."""


@dataclass(frozen=True)
class AdapterPlan:
    """A LoRA adapter, which its model's engine serves under a name of its own."""

    name: str
    """Model name that callers use."""
    source: str
    """URI that the import reads."""
    license: str
    rank: int
    files: tuple[FilePlan, ...]
    """Empty where weights are simulated, or where the import takes what the source holds."""
    origin: SourcePlan | None
    """What opens its source; None: nothing is needed."""
    storage_path: str
    """Key prefix inside the bucket, without slashes at the ends."""


@dataclass(frozen=True)
class PrefillPlan:
    """Replicas of a model that read its prompts; the model's own then write the answers."""

    name: str
    """What pools and tables call them."""
    replicas: int
    args: tuple[str, ...]
    """As those of the model are."""
    claim: ClaimPlan | ResourcePlan
    """What one of them asks for."""
    device: str
    """Its devices in words."""
    pool: str
    memory: MemoryPlan
    """Of each of its devices."""
    host_memory_gib: int
    """Memory of its server on the host."""
    largest_context: int
    """Tokens of the longest prompt that its devices hold; with `full_sequences` of them."""
    full_sequences: int
    """Prompts at full context that it keeps at the same time, those not yet handed over among them."""
    placements: tuple[ReplicaPlacement, ...]


@dataclass(frozen=True)
class ModelPlan:
    """A served model."""

    name: str
    """Name of the object that serves it, and, unless it is a canary, the model name that callers use."""
    namespace: str
    tenant: str
    model: str
    """Catalogue key."""
    task: Task
    license: str
    engine: Engine
    args: tuple[str, ...]
    """Every sizing flag of the engine, passed explicitly."""
    environment: Mapping[str, str]
    """Variables of the engine."""
    weights: Weights
    source: str
    """URI that the import reads."""
    files: tuple[FilePlan, ...]
    """Empty where weights are simulated, or where the import takes what the source holds."""
    origin: SourcePlan | None
    """What opens its source; None: nothing is needed."""
    storage_path: str
    """Key prefix inside the bucket, without slashes at the ends."""
    claim: ClaimPlan | ResourcePlan
    """What a replica asks for: a claim of a DRA driver, a resource of a device plugin."""
    device: str
    """The device of one replica in words: `1g.5gb`, `2 GPUs`, `1/4 GPU`."""
    pool: str
    replicas_min: int
    replicas_max: int
    context: int
    """Tokens of one sequence."""
    max_num_seqs: int
    memory: MemoryPlan
    host_memory_gib: int
    """Memory of its server on the host."""
    largest_context: int
    """Tokens of the longest sequence that its devices hold; with `full_sequences` of them."""
    full_sequences: int
    """Sequences at full context that fit at the same time; 0: an encoder keeps none."""
    placements: tuple[ReplicaPlacement, ...]
    """One for each node of a replica; empty where slices are cut on demand: any GPU of the pool."""
    service: str
    """In-cluster host name of its Service, without port."""
    cold_start: ColdStart
    """What a new replica takes to its first answer."""
    adapters: tuple[AdapterPlan, ...] = ()
    """LoRA adapters that it is served with."""
    adapter_slots: int = 0
    """How many of them are on its devices at the same time."""
    notes: tuple[str, ...] = ()
    """What the plan of its memory lowered or does not know."""
    canary_of: str | None = None
    """Model whose calls it takes a part of; None: it is no canary."""
    weight: int | None = None
    """Percent of those calls."""
    scaling: ScalingPlan | None = None
    """What its replicas follow; None: nothing of this platform changes their number."""
    local_cache: bool = False
    """Whether every node of its pool keeps its files."""
    max_tokens: int | None = None
    """Most tokens of an answer; None: as many as the context has room for."""
    priority: Priority = Priority.NORMAL
    time_to_first_token: float | None = None
    """Seconds in which 95 of 100 answers begin; None: no objective."""
    kind: ServingKind = ServingKind.INFERENCE_SERVICE
    """Kind of the object that serves it."""

    nodes: int = 1
    """Nodes that a replica spans; `claim` is what it asks for on each."""

    prefill: PrefillPlan | None = None
    """Replicas that read its prompts; None: its own do."""

    @property
    def names(self) -> ServedNames:
        """What is made of that object."""
        return served_names(self.kind, self.name, self.nodes, prefill=self.prefill is not None)

    @property
    def workloads(self) -> tuple["ModelPlan | PrefillPlan", ...]:
        """What has pods, devices and memory of its own."""
        return (self,) if self.prefill is None else (self, self.prefill)

    @property
    def files_gib(self) -> int:
        """Its files in GiB, rounded up."""
        return -(-self.cold_start.size // GIB)

    @property
    def unlocked(self) -> bool:
        """Whether the import takes whatever its source holds."""
        return self.weights is Weights.REAL and not self.files

    @property
    def unlocked_names(self) -> tuple[str, ...]:
        """It, and those of its adapters, of which the import takes whatever the source holds."""
        real = self.weights is Weights.REAL
        adapters = tuple(one.name for one in self.adapters if real and not one.files)
        return (self.name, *adapters) if self.unlocked else adapters

    @property
    def unsafe(self) -> tuple[str, ...]:
        """Files that run code where they are read."""
        return tuple(file.name for file in self.files if unsafe(file.name) is not None)

    @property
    def scaler(self) -> Scaler:
        """What changes the number of its replicas."""
        return Scaler.NONE if self.replicas_min == self.replicas_max else Scaler.EXTERNAL

    @property
    def whole(self) -> bool:
        """Whether a replica has whole GPUs to itself."""
        match self.claim:
            case ClaimPlan():
                return self.claim.profile is None
            case ResourcePlan():
                return self.claim.name == "nvidia.com/gpu"
