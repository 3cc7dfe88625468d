"""What an environment becomes: the decided numbers, names and placements, in plain frozen values.

All memory is in bytes. Tuples keep the order of the stack file.
"""

from dataclasses import dataclass, field

from corral.catalogue.clusters import ClusterCapabilities, capabilities
from corral.catalogue.vocabulary import (
    Addon,
    AddonState,
    Allocator,
    ClusterKind,
    DataClass,
    Engine,
    InstalledBy,
    Platform,
    Profile,
    SharingKind,
    StorageKind,
    Task,
    VectorEngine,
    Weights,
)
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.fair_sharing import DeviceClassPlan, FairSharingPlan


@dataclass(frozen=True)
class ClusterPlan:
    """How the cluster is reached."""

    kind: ClusterKind
    kubeconfig: str | None
    """Path; None: the plane's (embedded) or the one Pulumi's Kubernetes provider is configured with."""
    context: str | None
    plane: str | None
    """Name of the embedded plane; None for every other kind, and for the plane named like the stack."""
    platform: Platform
    """What its GPU nodes are."""
    precompiled_driver: int | None
    """Branch of drivers compiled beforehand; None: each node compiles the operator's, or brings its own."""

    @property
    def capabilities(self) -> ClusterCapabilities:
        """What a cluster of this kind can do."""
        return capabilities(self.kind)


@dataclass(frozen=True)
class SupplyPlan:
    """Where charts and images come from."""

    registry: str | None
    """Mirror that replaces every registry host; None: each from its own source."""
    pull_secret: str | None


@dataclass(frozen=True)
class ChartPlan:
    """One chart of an addon, as pinned in the catalogue (key `name`)."""

    name: str
    version: str
    installed_by: InstalledBy


@dataclass(frozen=True)
class AddonPlan:
    """One addon of the platform."""

    addon: Addon
    state: AddonState
    namespace: str
    charts: tuple[ChartPlan, ...] = ()
    """Empty: made of plain objects, without a chart."""


@dataclass(frozen=True)
class SlicePlan:
    """One device of a GPU as the plan fills it: a MIG slice, or the whole GPU."""

    profile: str | None
    """MIG profile such as `1g.5gb`; None: the whole GPU."""
    usable: int
    """Bytes a process can really use."""
    model: str | None = None
    """Name of the model planned here; None: free."""
    used: int = 0
    """Bytes the model is planned to use."""


@dataclass(frozen=True)
class GpuPlan:
    """One physical GPU; the index counts within its node."""

    node: str
    index: int
    slices: tuple[SlicePlan, ...]


@dataclass(frozen=True)
class MigDevices:
    """One entry of a mig-parted configuration: the same layout on some GPUs of a node."""

    devices: tuple[int, ...] | None
    """GPU indices; None: all of the node."""
    layout: tuple[tuple[str, int], ...]
    """(profile, count) pairs; empty: MIG is off on these GPUs."""


@dataclass(frozen=True)
class MigConfig:
    """A named mig-parted configuration that nodes are labelled with."""

    name: str
    entries: tuple[MigDevices, ...]


@dataclass(frozen=True)
class NodePlan:
    """One node of a pool; `name` is the Kubernetes node's, or `<pool>-<n>` where nodes are made on demand."""

    name: str
    mig_config: str | None
    """Name of a MigConfig of the pool; None: whole GPUs."""


@dataclass(frozen=True)
class Proof:
    """Why the slices of a pool need the GPUs they are on.

    No GPU can be cut into slices that weigh more than `capacity`; all slices in use weigh `total`.
    """

    weights: tuple[tuple[str, int], ...]
    """Weight of a slice by profile; those of its memory or compute slices, or others that count for more."""
    capacity: int
    total: int
    exhausted: int | None = None
    """With so many GPUs every layout was tried, in vain; None: not needed, or the stack file fixes them."""

    @property
    def bound(self) -> int:
        """GPUs below which the slices weigh too much."""
        return -(-self.total // self.capacity)


@dataclass(frozen=True)
class Guarantee:
    """Why slices that are cut on demand find their place in whatever order pods come and go.

    Wherever slices lie: those on a GPU without a place for one more of `profile` weigh at least `least`; all
    slices but one weigh `total`.
    """

    profile: str
    """The profile that the others can keep out of most GPUs."""
    weights: tuple[tuple[str, int], ...]
    """Weight of a slice by profile, of those in use."""
    least: int
    total: int
    full: int
    """GPUs that the others can keep full for it at most."""

    @property
    def needed(self) -> int:
        """GPUs with which every slice always finds its place."""
        return self.full + 1


@dataclass(frozen=True)
class Recut:
    """A replica that got its slice by moving others, because that saves one GPU."""

    model: str
    moved: tuple[str, ...]
    """Models that stand before it in the stack file, or are the same, and lie elsewhere without it."""


@dataclass(frozen=True)
class PoolPlan:
    """A pool of equal GPU nodes."""

    name: str
    gpu: str
    """Catalogue key, such as `A100-40GB`."""
    product_label: str
    """Value of the node label `nvidia.com/gpu.product`."""
    nodes: tuple[NodePlan, ...]
    existing: bool
    """True: the stack file names the nodes; False: `minimum` to `maximum` of them are made on demand."""
    minimum: int
    maximum: int
    gpus_per_node: int
    sharing: SharingKind
    mig_configs: tuple[MigConfig, ...]
    gpus: tuple[GpuPlan, ...]
    lower_bound: int
    """GPUs without which the demand cannot fit."""
    proof: Proof | None = None
    """Of the lower bound, and of what lies between it and the GPUs used; None: whole GPUs are counted."""
    recuts: tuple[Recut, ...] = ()
    """In the order of the stack file."""
    shares: int = 1
    """Equal shares that each GPU goes into; 1 where it is whole or cut into slices."""
    guarantee: Guarantee | None = None
    """Of slices cut on demand, whose `gpus` are one way to cut among many; None: nothing is cut on demand."""


@dataclass(frozen=True)
class FilePlan:
    """One file of a model; an import that finds another hash is refused."""

    name: str
    sha256: str
    size: int


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

    @property
    def used(self) -> int:
        return self.weights + self.kv_cache + self.activation + self.overhead

    @property
    def free(self) -> int:
        return self.usable - self.used


@dataclass(frozen=True)
class Placement:
    """Where the plan puts one replica; the scheduler decides among equal devices."""

    node: str
    gpu: int
    """Index of its first GPU on the node."""
    profile: str | None


@dataclass(frozen=True)
class ModelPlan:
    """A served model."""

    name: str
    """Name of the InferenceService, and the model name that callers use."""
    namespace: str
    tenant: str
    model: str
    """Catalogue key."""
    task: Task
    license: str
    engine: Engine
    runtime: str
    """Name of the ClusterServingRuntime."""
    image: str
    args: tuple[str, ...]
    """Every sizing flag of the engine, passed explicitly."""
    port: int
    weights: Weights
    source: str
    """URI that the import reads."""
    files: tuple[FilePlan, ...]
    """Empty where weights are simulated or no hash is known."""
    storage_path: str
    """Key prefix inside the bucket, without slashes at the ends."""
    claim: ClaimPlan | ResourcePlan
    """What a replica asks for: a claim of a DRA driver, a resource of a device plugin."""
    device: str
    """The device of one replica in words: `1g.5gb`, `2 GPUs`, `1/4 GPU`."""
    pool: str
    product_label: str
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
    placements: tuple[Placement, ...]
    """Empty where slices are cut on demand: any GPU of the pool."""
    service: str
    """In-cluster host name of the predictor, without port."""

    @property
    def whole(self) -> bool:
        """Whether a replica has whole GPUs to itself."""
        match self.claim:
            case ClaimPlan():
                return self.claim.profile is None
            case ResourcePlan():
                return self.claim.name == "nvidia.com/gpu"


@dataclass(frozen=True)
class StoragePlan:
    """The object store that holds models."""

    kind: StorageKind
    bucket: str
    size_gib: int
    endpoint: str
    """URL inside the cluster."""
    region: str
    image: str | None
    """None: the store exists."""


@dataclass(frozen=True)
class VectorDbPlan:
    """The vector database."""

    engine: VectorEngine
    namespace: str
    replicas: int
    size_gib: int
    vectors: int
    """Vectors expected."""
    dimensions: int
    image: str | None
    """None: the chart brings its image."""
    secret: str
    """Key of the encrypted configuration that holds its credential."""


@dataclass(frozen=True)
class ObservabilityPlan:
    """Metrics, dashboards and alerts."""

    namespace: str
    retention_days: int
    size_gib: int


@dataclass(frozen=True)
class TenantPlan:
    """A tenant and the namespace its models live in."""

    name: str
    namespace: str
    data_class: DataClass | None
    models: tuple[str, ...]
    limits: tuple[tuple[str, int], ...] = ()
    """(DeviceClass or extended resource, most of it, whether in use or waited with); empty: without limit."""


@dataclass(frozen=True)
class PolicyPlan:
    """What the profile demands; the controls take these as parameters."""

    profile: Profile
    regions: tuple[str, ...]
    """Allowed regions; empty: any."""
    digests_required: bool
    repositories: tuple[str, ...]
    """Image repositories (`host/path`) that the catalogue names, after mirroring."""
    source_schemes: tuple[str, ...]


@dataclass(frozen=True)
class Pins:
    """How far the catalogue's images and charts are pinned by digest."""

    resolved: int
    unresolved: tuple[str, ...]
    """Names of what this plan uses and has no digest."""


@dataclass(frozen=True)
class Plan:
    """Everything that components need, decided; it is only ever made complete."""

    stack: str
    profile: Profile
    region: str
    cluster: ClusterPlan
    allocator: Allocator
    """What hands the GPUs out."""
    supply: SupplyPlan
    addons: tuple[AddonPlan, ...]
    """In the order in which they are installed."""
    pools: tuple[PoolPlan, ...]
    models: tuple[ModelPlan, ...]
    storage: StoragePlan
    vector_db: VectorDbPlan | None
    observability: ObservabilityPlan | None
    tenants: tuple[TenantPlan, ...]
    policy: PolicyPlan
    pins: Pins
    tools_image: str
    cost: CostPlan
    """What the pools cost."""
    shares: FairSharingPlan
    """Which GPUs are whose; lent on where addon `kueue` is not off."""
    device_classes: tuple[DeviceClassPlan, ...]
    """DeviceClasses of the program; none where a device plugin hands GPUs out."""
    secrets_needed: tuple[str, ...] = field(default=())
    """Keys of encrypted Pulumi config, such as `storage-access-key`, without the namespace `corral:`."""

    def state(self, addon: Addon) -> AddonState:
        """Who answers for `addon`."""
        return self.addon(addon).state

    def addon(self, addon: Addon) -> AddonPlan:
        """The plan of `addon`; every addon has one."""
        return next(entry for entry in self.addons if entry.addon is addon)
