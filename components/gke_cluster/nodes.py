"""Nodes for what the platform itself runs: a pool of shielded machines without GPUs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi
import pulumi_gcp as gcp

from corral.catalogue.gke import BOOT_DISK, LEAST_NODES, series_of
from corral.components._gcp import GcpSite
from corral.components._kit import COMPONENT_LABEL, fingerprint
from corral.components.gke_cluster.args import GkeSystemNodes
from corral.components.gke_cluster.keys import ClusterKeys
from corral.components.gke_cluster.site import COMPONENT
from corral.components.gpu_node_pool.gke_nodes import NODE_ROLE, SCOPES

DISK_GIB = 100


@dataclass(frozen=True)
class NodeIdentity:
    """The account of nodes, and what gives it its rights."""

    email: pulumi.Output[str]
    rights: pulumi.Resource


def node_identity(site: GcpSite) -> NodeIdentity:
    """An account of the cluster's own, which may do what GKE needs of a node and nothing else."""
    account = gcp.serviceaccount.Account(
        f"{site.name}-nodes",
        project=site.project,
        account_id=f"{site.title[:19].rstrip('-')}-{fingerprint(site.title, site.region)}",
        display_name=f"System nodes of GKE cluster {site.title}",
        opts=site.child(),
    )
    rights = gcp.projects.IAMMember(
        f"{site.name}-nodes-rights",
        project=site.project,
        role=NODE_ROLE,
        member=account.member,
        opts=site.child(),
    )
    return NodeIdentity(account.email, rights)


def machine(
    site: GcpSite, nodes: GkeSystemNodes, keys: ClusterKeys, identity: NodeIdentity
) -> Mapping[str, Any]:
    """How each machine is made, for a pool as well as for the one that a cluster begins with."""
    confidential = {"confidential_nodes": _encrypted(nodes["machine_type"])}
    return {
        "machine_type": nodes["machine_type"],
        "image_type": "COS_CONTAINERD",
        "disk_size_gb": nodes.get("disk_gib", DISK_GIB),
        "disk_type": nodes.get("disk_type", BOOT_DISK),
        "boot_disk_kms_key": keys.disks,
        "labels": {COMPONENT_LABEL: COMPONENT},
        "resource_labels": site.labelled,
        "metadata": {"disable-legacy-endpoints": "true"},
        "service_account": identity.email,
        "oauth_scopes": list(SCOPES),
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "workload_metadata_config": {"mode": "GKE_METADATA"},
        **(confidential if nodes.get("confidential", False) else {}),
    }


def _encrypted(machine: str) -> Mapping[str, Any]:
    """Memory encrypted in use, by AMD's SEV unless the series has another technology, which is then named."""
    series = series_of(machine)
    technology = None if series is None else series.encryption
    named = {} if technology in (None, "SEV") else {"confidential_instance_type": technology}
    return {"enabled": True, **named}


def system_nodes(
    site: GcpSite,
    cluster: gcp.container.Cluster,
    nodes: GkeSystemNodes,
    made: Mapping[str, Any],
    after: Sequence[pulumi.Resource],
) -> gcp.container.NodePool:
    """The pool, between its fewest and most nodes in all zones together."""
    least = nodes.get("min", LEAST_NODES)
    return gcp.container.NodePool(
        f"{site.name}-system",
        name="system",
        project=site.project,
        location=site.region,
        cluster=cluster.id,
        node_config=cast(Any, made),
        initial_node_count=1,
        autoscaling=gcp.container.NodePoolAutoscalingArgs(
            total_min_node_count=least,
            total_max_node_count=nodes.get("max", 2 * least),
            location_policy="BALANCED",
        ),
        network_config=gcp.container.NodePoolNetworkConfigArgs(enable_private_nodes=True),
        management=gcp.container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
        upgrade_settings=gcp.container.NodePoolUpgradeSettingsArgs(
            strategy="SURGE", max_surge=1, max_unavailable=0
        ),
        # The number at the start, in each zone, is one that cannot change without another pool.
        opts=site.child(depends_on=list(after), ignore_changes=["initialNodeCount"]),
    )
