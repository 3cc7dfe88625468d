"""A cluster on EKS that the stack makes."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from corral.catalogue.aws import partitions
from corral.catalogue.vocabulary import Addon, AddonState, StorageKind
from corral.components.eks_cluster import EksCluster
from corral.components.eks_model_bucket import EksModelBucket
from corral.components.gpu_node_pool.eks import EksGpuNodePool
from corral.components.tenancy import Addresses
from corral.stacks.deploy.clusters.protocol import Cluster, ModelBucket
from corral.stacks.deploy.component_args.eks import eks_bucket_args, eks_cluster_args, eks_pool_args
from corral.stacks.deploy.load import setting
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.eks import EksPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import PoolPlan

STORAGE_CLASS = "corral-encrypted"
HTTP, HTTPS = 80, 443
POD_IDENTITY_AGENT = "169.254.170.23/32"
"""Where a pod gets its credentials, on its node (aws/eks-pod-identity-agent, README.md)."""
ZONE = "topology.ebs.csi.aws.com/zone"
"""What the driver of EBS calls a zone."""


class MadeOnEks:
    """Network, keys, cluster and nodes, by one provider of AWS in the region of the plan."""

    def __init__(self, plan: Plan, eks: EksPlan):
        self._plan, self._eks = plan, eks
        self.capabilities = plan.cluster.capabilities
        self.charts = setting("charts")
        self.storage_class = STORAGE_CLASS
        self._aws = aws.Provider("aws", region=eks.region)
        args = eks_cluster_args(
            eks,
            dra=plan.state(Addon.DRA_DRIVER) is not AddonState.OFF,
            protect=self.capabilities.protects_data,
        )
        self._cluster = EksCluster("eks", args, pulumi.ResourceOptions(providers=[self._aws]))
        # Unknown in the first preview, in which the engine then asks this provider nothing.
        self.provider = kubernetes.Provider(
            "cluster", kubeconfig=self._cluster.kubeconfig, enable_secret_mutable=True
        )
        self._volumes()
        self.model_bucket = self._model_bucket() if plan.storage.kind is StorageKind.S3 else None

    def node_pool(
        self, pool: PoolPlan, cost: CostPlan, opts: pulumi.ResourceOptions
    ) -> Sequence[pulumi.Resource]:
        """The nodes of `pool`; the first group has its name, so that a layout changes without new nodes."""
        groups = eks_pool_args(
            pool,
            cost,
            self._cluster,
            self._eks.zones,
            platform=self._plan.cluster.platform,
            dra_driver=self._plan.state(Addon.DRA_DRIVER),
        )
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[self._aws]))
        return [
            EksGpuNodePool(pool.name if index == 1 else f"{pool.name}-{index}", args, options)
            for index, args in enumerate(groups, 1)
        ]

    def _model_bucket(self) -> ModelBucket:
        """Models in S3, which imports and models enter by Pod Identity."""
        args = eks_bucket_args(
            self._plan, self._eks, self._cluster.name, protect=self.capabilities.protects_data
        )
        made = EksModelBucket("models", args, pulumi.ResourceOptions(providers=[self._aws]))
        service = f"{partitions()[self._eks.partition].reverse_suffix}.{self._eks.region}.s3"
        of_s3 = aws.ec2.get_prefix_list_output(
            name=service, region=self._eks.region, opts=pulumi.InvokeOutputOptions(parent=made)
        )
        addresses: list[Addresses] = [
            {"cidrs": of_s3.cidr_blocks.apply(list[str]), "port": HTTPS},
            {"cidrs": [POD_IDENTITY_AGENT], "port": HTTP},
        ]
        return ModelBucket(made.bucket, made.endpoint, addresses)

    def _volumes(self) -> None:
        """A class of volumes under the customer's key, since EKS has none that is the default."""
        kubernetes.storage.v1.StorageClass(
            "eks-volumes",
            metadata={"name": STORAGE_CLASS},
            provisioner="ebs.csi.aws.com",
            parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": self._cluster.disk_key},
            allow_volume_expansion=True,
            allowed_topologies=[
                {"match_label_expressions": [{"key": ZONE, "values": list(self._eks.zones)}]}
            ],
            volume_binding_mode="WaitForFirstConsumer",
            opts=pulumi.ResourceOptions(parent=self._cluster, provider=self.provider),
        )


def connect(plan: Plan) -> Cluster:
    """The cluster of `plan`, which is made with it."""
    assert plan.cluster.eks is not None, "the plan of kind eks says what it is made of"
    return MadeOnEks(plan, plan.cluster.eks)
