"""A cluster on GKE that the stack makes."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp
import pulumi_kubernetes as kubernetes

from corral.catalogue.gke import GOOGLE_APIS
from corral.catalogue.stores import CLOUD_STORAGE
from corral.catalogue.vocabulary import Addon, AddonState, StorageKind
from corral.components.gke_cluster import GkeCluster
from corral.components.gke_model_bucket import GkeModelBucket
from corral.components.gpu_node_pool.gke import GkeGpuNodePool
from corral.components.tenancy import Addresses
from corral.stacks.deploy.clusters.protocol import Cluster, ModelBucket
from corral.stacks.deploy.component_args.gke import gke_bucket_args, gke_cluster_args, gke_pool_args
from corral.stacks.deploy.load import setting
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.gke import GkePlan, GoogleRepository
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import PoolPlan

STORAGE_CLASS = "corral-encrypted"
HTTPS = 443
ZONE = "topology.gke.io/zone"
"""What the driver of persistent disks calls a zone."""
READER = "roles/artifactregistry.reader"


class MadeOnGke:
    """Network, keys, cluster and nodes, by one provider of Google Cloud in the region of the plan."""

    def __init__(self, plan: Plan, gke: GkePlan):
        self._plan, self._gke = plan, gke
        self.capabilities = plan.cluster.capabilities
        self.charts = setting("charts")
        self.storage_class = STORAGE_CLASS
        self._gcp = gcp.Provider("gcp", project=gke.project, region=gke.region)
        args = gke_cluster_args(
            gke,
            dra=plan.state(Addon.DRA_DRIVER) is not AddonState.OFF,
            protect=self.capabilities.protects_data,
        )
        self._cluster = GkeCluster("gke", args, pulumi.ResourceOptions(providers=[self._gcp]))
        # Unknown in the first preview, in which the engine then asks this provider nothing.
        self.provider = kubernetes.Provider(
            "cluster",
            kubeconfig=self._cluster.kubeconfig,
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(depends_on=self._reader("system", self._cluster.identity)),
        )
        self._volumes()
        self.model_bucket = self._model_bucket() if plan.storage.kind is StorageKind.GCS else None

    def node_pool(
        self, pool: PoolPlan, cost: CostPlan, opts: pulumi.ResourceOptions
    ) -> Sequence[pulumi.Resource]:
        """The nodes of `pool`; the first node pool has its name, so that a layout changes in place."""
        groups = gke_pool_args(
            pool,
            cost,
            self._cluster,
            signed_driver=self._plan.cluster.precompiled_driver is not None,
            dra_driver=self._plan.state(Addon.DRA_DRIVER),
        )
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[self._gcp]))
        made: list[pulumi.Resource] = []
        for index, args in enumerate(groups, 1):
            name = pool.name if index == 1 else f"{pool.name}-{index}"
            nodes = GkeGpuNodePool(name, args, options)
            made += [nodes, *self._reader(name, nodes.identity)]
        return made

    def _reader(self, name: str, identity: pulumi.Output[str]) -> list[pulumi.Resource]:
        """Leave for the nodes of `identity` to read images, where the mirror is Google's."""
        mirror: GoogleRepository | None = self._gke.mirror
        if mirror is None:
            return []
        return [
            gcp.artifactregistry.RepositoryIamMember(
                f"{name}-images",
                project=mirror.project,
                location=mirror.location,
                repository=mirror.name,
                role=READER,
                member=pulumi.Output.concat("serviceAccount:", identity),
                opts=pulumi.ResourceOptions(provider=self._gcp),
            )
        ]

    def _model_bucket(self) -> ModelBucket:
        """Models in Cloud Storage, which imports and models enter by Workload Identity Federation."""
        args = gke_bucket_args(self._plan, self._gke, protect=self.capabilities.protects_data)
        options = pulumi.ResourceOptions(providers=[self._gcp], depends_on=[self._cluster])
        made = GkeModelBucket("models", args, options)
        addresses: list[Addresses] = [{"cidrs": [GOOGLE_APIS], "port": HTTPS}]
        endpoint = pulumi.Output.from_input(CLOUD_STORAGE)
        return ModelBucket(made.bucket, endpoint, addresses, metadata_server=True)

    def _volumes(self) -> None:
        """A class of volumes under the customer's key, which none of GKE's own has."""
        kubernetes.storage.v1.StorageClass(
            "gke-volumes",
            metadata={"name": STORAGE_CLASS},
            provisioner="pd.csi.storage.gke.io",
            parameters={
                "type": self._gke.nodes.disk_type,
                "disk-encryption-kms-key": self._cluster.disk_key,
            },
            allow_volume_expansion=True,
            allowed_topologies=[{"match_label_expressions": [{"key": ZONE, "values": list(self._gke.zones)}]}]
            if self._gke.zones
            else None,
            volume_binding_mode="WaitForFirstConsumer",
            opts=pulumi.ResourceOptions(parent=self._cluster, provider=self.provider),
        )


def connect(plan: Plan) -> Cluster:
    """The cluster of `plan`, which is made with it."""
    assert plan.cluster.gke is not None, "the plan of kind gke says what it is made of"
    return MadeOnGke(plan, plan.cluster.gke)
