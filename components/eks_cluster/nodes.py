"""Nodes for what the platform itself runs: a managed group of machines without GPUs."""

import re
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from corral.components._aws import encrypted_disk, private_instances, service_role
from corral.components._kit import COMPONENT_LABEL
from corral.components.eks_cluster.args import EksSystemNodes
from corral.components.eks_cluster.control_plane import security_group
from corral.components.eks_cluster.keys import ClusterKeys
from corral.components.eks_cluster.network import ClusterNetwork
from corral.components.eks_cluster.site import COMPONENT, EksSite
from corral.components.gpu_node_pool.eks_nodes import NODE_POLICIES, scaled

DISK_GIB = 100
_GRAVITON = re.compile(r"[a-z]+[0-9]+g[a-z]*\.")
"""Machine types of ARM: a `g` after the number of the generation (EC2, instance type naming conventions)."""


def system_nodes(
    site: EksSite,
    cluster: aws.eks.Cluster,
    nodes: EksSystemNodes,
    keys: ClusterKeys,
    network: ClusterNetwork,
    after: Sequence[pulumi.Resource],
) -> aws.eks.NodeGroup:
    """The group, once what its nodes need is there."""
    role = service_role(site, "nodes", "ec2", policies=NODE_POLICIES)
    template = _launch_template(site, cluster, nodes, keys)
    least = nodes.get("min", len(site.zones))
    most = nodes.get("max", 2 * least)
    return aws.eks.NodeGroup(
        f"{site.name}-system",
        cluster_name=cluster.name,
        version=cluster.version,
        node_role_arn=role.arn,
        subnet_ids=network.subnets,
        ami_type=_image(nodes["instance_type"]),
        capacity_type="ON_DEMAND",
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(min_size=least, max_size=most, desired_size=least),
        labels={COMPONENT_LABEL: COMPONENT},
        launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
            id=template.id, version=template.latest_version.apply(str)
        ),
        update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable=1),
        region=site.region,
        tags=site.tagged(),
        opts=site.child(
            depends_on=[*role.rights, *network.ways, *after],
            ignore_changes=scaled(least, most),
        ),
    )


def _image(machine: str) -> str:
    return "AL2023_ARM_64_STANDARD" if _GRAVITON.match(machine) else "AL2023_x86_64_STANDARD"


def _launch_template(
    site: EksSite, cluster: aws.eks.Cluster, nodes: EksSystemNodes, keys: ClusterKeys
) -> aws.ec2.LaunchTemplate:
    disk = encrypted_disk(nodes.get("disk_gib", DISK_GIB), keys.disks)
    confidential = aws.ec2.LaunchTemplateCpuOptionsArgs(amd_sev_snp="enabled")
    return aws.ec2.LaunchTemplate(
        f"{site.name}-system-template",
        instance_type=nodes["instance_type"],
        cpu_options=confidential if nodes.get("confidential", False) else None,
        block_device_mappings=[
            aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=disk)
        ],
        region=site.region,
        tags=site.tagged(),
        opts=site.child(),
        **private_instances([security_group(cluster)], site.tagged("system")),
    )
