"""What an environment becomes: the decided numbers, names and placements, in plain frozen values.

All memory is in bytes. Tuples keep the order of the stack file.
"""

from dataclasses import dataclass, field

from corral.catalogue.vocabulary import Addon, AddonState, Allocator, Profile
from corral.stacks.planning.results.addons import AddonPlan
from corral.stacks.planning.results.batches import BatchPlan
from corral.stacks.planning.results.cluster import ClusterPlan, SupplyPlan
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.fair_sharing import DeviceClassPlan, FairSharingPlan
from corral.stacks.planning.results.fast_start import ModelCachePlan, PrePullPlan
from corral.stacks.planning.results.gateway import GatewayPlan
from corral.stacks.planning.results.models import ModelPlan, SourcePlan
from corral.stacks.planning.results.pools import PoolPlan
from corral.stacks.planning.results.secrets import SecretsPlan
from corral.stacks.planning.results.sovereignty import AdmissionPlan, Digests, PolicyPlan
from corral.stacks.planning.results.stores import ObservabilityPlan, StoragePlan, VectorDbPlan
from corral.stacks.planning.results.tenants import TenantPlan


@dataclass(frozen=True)
class Plan:
    """Everything that components need, decided; it is only ever made complete."""

    stack: str
    profile: Profile
    region: str
    """Region of a cloud, or name of a site of one's own."""
    country: str | None
    """Country of the site; None: it is none of one's own."""
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
    admission: AdmissionPlan
    """Where the policies hold."""
    digests: Digests
    cost: CostPlan
    """What the pools cost."""
    shares: FairSharingPlan
    """Which GPUs are whose; lent on where addon `kueue` is not off."""
    device_classes: tuple[DeviceClassPlan, ...]
    """DeviceClasses of the program; none where a device plugin hands GPUs out."""
    gateway: GatewayPlan | None = None
    """Where applications outside the cluster call models; None: nowhere."""
    sources: tuple[SourcePlan, ...] = field(default=())
    """Places that its models are imported from."""
    batches: tuple[BatchPlan, ...] = field(default=())
    """Files of requests that models answer on a schedule."""
    model_caches: tuple[ModelCachePlan, ...] = field(default=())
    """What nodes keep of its models, by pool."""
    pre_pulls: tuple[PrePullPlan, ...] = field(default=())
    """Which images nodes hold before a replica comes, by pool."""
    secrets_needed: tuple[str, ...] = field(default=())
    """Keys of encrypted Pulumi config, such as `storage-access-key`, without the namespace `corral:`."""
    secrets: SecretsPlan | None = None
    """Store that has the others; None: there are none."""

    @property
    def secret_commands(self) -> tuple[tuple[str, str], ...]:
        """(key, the command that sets it) of every secret; the value is asked for, not written in a shell."""
        return tuple(
            (key, f"pulumi config set --secret corral:{key} --stack {self.stack}")
            for key in self.secrets_needed
        )

    def state(self, addon: Addon) -> AddonState:
        """Who answers for `addon`."""
        return self.addon(addon).state

    def addon(self, addon: Addon) -> AddonPlan:
        """The plan of `addon`; every addon has one."""
        return next(entry for entry in self.addons if entry.addon is addon)
