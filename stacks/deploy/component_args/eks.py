"""Arguments of EksCluster and of the GPU node pools on it."""

from collections.abc import Sequence
from typing import cast

import pulumi

from corral.catalogue.vocabulary import AddonState, Fabric, Platform
from corral.components.eks_cluster import EksCluster, EksClusterArgs, EksKeys, EksNetwork, EksSystemNodes
from corral.components.eks_model_bucket import EksModelBucketArgs
from corral.components.gpu_node_pool.eks import EksGpuNodePoolArgs
from corral.components.gpu_node_pool.eks_nodes import EksImage
from corral.stacks.deploy.component_args.cloud_buckets import (
    MODELS_KEY,
    bucket_readers,
    bucket_sources,
    bucket_writers,
)
from corral.stacks.deploy.component_args.cloud_pools import pool_capacity, pool_devices, pool_layouts
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.eks import EksPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import PoolPlan

IMAGES = {Platform.EKS_AL2023: EksImage.AL2023, Platform.EKS_BOTTLEROCKET: EksImage.BOTTLEROCKET}


def eks_cluster_args(plan: EksPlan, *, dra: bool, protect: bool) -> EksClusterArgs:
    """The cluster, with its network, keys and system nodes; `dra`: GPUs are handed out by claim."""
    nodes: EksSystemNodes = {
        "instance_type": plan.nodes.instance,
        "min": plan.nodes.minimum,
        "max": plan.nodes.maximum,
        "disk_gib": plan.nodes.disk_gib,
        "confidential": plan.nodes.confidential,
    }
    network: EksNetwork = {
        "cidr": plan.cidr,
        "egress": plan.egress.value,
        "api_clients": list(plan.api_clients),
    }
    return {
        "cluster_name": plan.name,
        "region": plan.region,
        "zones": list(plan.zones),
        "version": plan.version,
        "admins": dict(plan.admins),
        "nodes": nodes,
        "network": network,
        "keys": cast(EksKeys, {key: arn for key, arn in plan.keys.items() if key in EksKeys.__annotations__}),
        "dra": dra,
        "log_days": plan.log_days,
        "tags": dict(plan.tags),
        "protect": protect,
    }


def eks_bucket_args(
    plan: Plan, eks: EksPlan, cluster: pulumi.Input[str], *, protect: bool
) -> EksModelBucketArgs:
    """The bucket of models, and who enters it: imports write, and each model reads as its own account."""
    args: EksModelBucketArgs = {
        "region": eks.region,
        "cluster": cluster,
        "readers": bucket_readers(plan),
        "writers": bucket_writers(plan),
        "sources": [*bucket_sources(plan)],
        "bucket": plan.storage.bucket,
        "tags": dict(eks.tags),
        "protect": protect,
    }
    if MODELS_KEY in eks.keys:
        args["key"] = eks.keys[MODELS_KEY]
    return args


def eks_pool_args(
    pool: PoolPlan,
    cost: CostPlan,
    cluster: EksCluster,
    zones: Sequence[str],
    *,
    platform: Platform,
    dra_driver: AddonState,
) -> list[EksGpuNodePoolArgs]:
    """The nodes of a pool: a group for each of its MIG layouts, in the order of the plan."""
    chosen = zones if pool.fabric is None else [str(pool.zone)]
    subnets = [cluster.subnets[zones.index(zone)] for zone in chosen]
    return [
        {
            "pool": pool.name,
            "gpu": pool.gpu,
            "instance_type": str(pool.instance),
            "cluster": cluster.name,
            "subnets": list(subnets),
            "disk": {"key": cluster.disk_key},
            "size": {"min": count, "max": count},
            "capacity": pool_capacity(pool, cost),
            "devices": pool_devices(layout, dra_driver),
            "image": IMAGES[platform],
            "security_groups": [cluster.security_group],
            "efa": pool.fabric is Fabric.EFA,
        }
        for layout, count in pool_layouts(pool).items()
    ]
