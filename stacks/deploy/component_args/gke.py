"""Arguments of GkeCluster and of the GPU node pools on it."""

from corral.catalogue.vocabulary import AddonState
from corral.components.gke_cluster import (
    GkeCluster,
    GkeClusterArgs,
    GkeControlPlaneKeys,
    GkeKeys,
    GkeNetwork,
    GkeSystemNodes,
)
from corral.components.gke_model_bucket import GkeModelBucketArgs
from corral.components.gpu_node_pool.gke import GkeGpuNodePoolArgs
from corral.stacks.deploy.component_args.cloud_buckets import (
    MODELS_KEY,
    bucket_readers,
    bucket_sources,
    bucket_writers,
)
from corral.stacks.deploy.component_args.cloud_pools import pool_capacity, pool_devices, pool_layouts
from corral.stacks.planning.results.cost import CostPlan
from corral.stacks.planning.results.gke import GkeControlPlaneKeysPlan, GkePlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import PoolPlan


def gke_cluster_args(plan: GkePlan, *, dra: bool, protect: bool) -> GkeClusterArgs:
    """The cluster, with its network, keys, logs and system nodes; `dra`: GPUs are handed out by claim."""
    nodes: GkeSystemNodes = {
        "machine_type": plan.nodes.machine,
        "min": plan.nodes.minimum,
        "max": plan.nodes.maximum,
        "disk_gib": plan.nodes.disk_gib,
        "disk_type": plan.nodes.disk_type,
        "confidential": plan.nodes.confidential,
    }
    network: GkeNetwork = {
        "nodes": plan.network.nodes,
        "pods": plan.network.pods,
        "services": plan.network.services,
        "egress": plan.network.egress.value,
        "api_clients": list(plan.network.api_clients),
    }
    args: GkeClusterArgs = {
        "cluster_name": plan.name,
        "project": plan.project,
        "region": plan.region,
        "version": plan.version,
        "nodes": nodes,
        "network": network,
        "keys": _keys(plan),
        "channel": plan.channel.value,
        "own_issuer": plan.own_issuer,
        "restrict_locations": plan.restrict_locations,
        "dra": dra,
        "log_days": plan.log_days,
        "labels": dict(plan.labels),
        "protect": protect,
        # Whether the rest may go or not: the lock is for ever.
        "lock_logs": True,
    }
    if plan.zones:
        args["zones"] = list(plan.zones)
    if plan.control_plane_keys is not None:
        args["control_plane_keys"] = _control_plane_keys(plan.control_plane_keys)
    return args


def gke_bucket_args(plan: Plan, gke: GkePlan, *, protect: bool) -> GkeModelBucketArgs:
    """The bucket of models, and who enters it: imports write, and each model reads as its own account."""
    args: GkeModelBucketArgs = {
        "project": gke.project,
        "region": gke.region,
        "readers": bucket_readers(plan),
        "writers": bucket_writers(plan),
        "sources": bucket_sources(plan),
        "bucket": plan.storage.bucket,
        "labels": dict(gke.labels),
        "protect": protect,
    }
    if MODELS_KEY in gke.keys:
        args["key"] = gke.keys[MODELS_KEY]
    if gke.key_project is not None:
        args["key_project"] = gke.key_project
    return args


def gke_pool_args(
    pool: PoolPlan,
    cost: CostPlan,
    cluster: GkeCluster,
    *,
    signed_driver: bool,
    dra_driver: AddonState,
) -> list[GkeGpuNodePoolArgs]:
    """The nodes of a pool: a node pool for each of its MIG layouts, in the order of the plan.

    `signed_driver`: its kernel modules are loaded under secure boot.
    """
    return [
        {
            "pool": pool.name,
            "gpu": pool.gpu,
            "machine_type": str(pool.instance),
            "cluster": cluster.cluster_id,
            "zone": str(pool.zone),
            "disk": {"key": cluster.disk_key},
            "size": {"min": count, "max": count},
            "capacity": pool_capacity(pool, cost),
            "devices": pool_devices(layout, dra_driver),
            "secure_boot": signed_driver,
            "signed_driver": signed_driver,
        }
        for layout, count in pool_layouts(pool).items()
    ]


def _keys(plan: GkePlan) -> GkeKeys:
    keys: GkeKeys = {}
    if plan.key_project is not None:
        keys["project"] = plan.key_project
    for purpose in ("secrets", "logs", "disks"):
        if purpose in plan.keys:
            keys[purpose] = plan.keys[purpose]
    return keys


def _control_plane_keys(plan: GkeControlPlaneKeysPlan) -> GkeControlPlaneKeys:
    return {
        "cluster_ca": plan.cluster_ca,
        "aggregation_ca": plan.aggregation_ca,
        "etcd_api_ca": plan.etcd_api_ca,
        "etcd_peer_ca": plan.etcd_peer_ca,
        "control_plane_disk_encryption_key": plan.control_plane_disks,
        "gkeops_etcd_backup_encryption_key": plan.etcd_backups,
        "service_account_signing_keys": list(plan.token_signing),
        "service_account_verification_keys": list(plan.token_verification),
    }
