"""A managed node group, its launch template, and what the cluster autoscaler reads of it at zero nodes."""

import base64
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from corral.components._aws import encrypted_disk, private_instances
from corral.components._kit import child
from corral.components.gpu_node_pool.cloud import FROM_RESERVATION, CloudPool
from corral.components.gpu_node_pool.cloud_args import CloudPurchase
from corral.components.gpu_node_pool.eks_fabric import with_fabric
from corral.components.gpu_node_pool.eks_nodes import EksImage, EksNodes, priced, scaled, tags, volumes
from corral.components.gpu_node_pool.node_labels import EFA_RESOURCE, TAINT

AMI_TYPE = {
    EksImage.AL2023: "AL2023_x86_64_NVIDIA",
    EksImage.BOTTLEROCKET: "BOTTLEROCKET_x86_64_NVIDIA",
}
CAPACITY_TYPE = {
    CloudPurchase.ON_DEMAND: "ON_DEMAND",
    CloudPurchase.SPOT: "SPOT",
    CloudPurchase.RESERVED: "ON_DEMAND",
    CloudPurchase.CAPACITY_BLOCK: "CAPACITY_BLOCK",
}
"""A reservation is drawn on by on-demand instances that name it."""
TEMPLATE = "k8s.io/cluster-autoscaler/node-template"
"""Prefix of tags that describe a node of a group that has none."""


def managed_group(parent: pulumi.Resource, name: str, pool: CloudPool, nodes: EksNodes) -> pulumi.Output[str]:
    """The node group's name, once it is made."""
    template = _launch_template(parent, name, pool, nodes)
    group = aws.eks.NodeGroup(
        f"{name}-nodes",
        cluster_name=nodes.cluster,
        node_role_arn=nodes.role.arn,
        subnet_ids=nodes.subnets,
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(
            min_size=pool.minimum, max_size=pool.maximum, desired_size=pool.desired
        ),
        # A template with an image of its own leaves no type to choose.
        ami_type=None if nodes.custom else AMI_TYPE[nodes.image],
        release_version=None if nodes.custom else nodes.release,
        capacity_type=CAPACITY_TYPE[pool.purchase],
        labels={**pool.labels, **pool.mig_label},
        taints=[aws.eks.NodeGroupTaintArgs(**taint) for taint in pool.taints],
        launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
            id=template.id, version=template.latest_version.apply(str)
        ),
        # Spare machines with GPUs are seldom there: a node goes before the next one comes.
        update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable=1, update_strategy="MINIMAL"),
        tags={**tags(pool), **priced(pool)},
        opts=child(
            parent, depends_on=list(nodes.role.rights), ignore_changes=scaled(pool.minimum, pool.maximum)
        ),
    )
    _described(parent, name, template_tags(pool, nodes), group)
    return group.node_group_name


def _launch_template(
    parent: pulumi.Resource, name: str, pool: CloudPool, nodes: EksNodes
) -> aws.ec2.LaunchTemplate:
    private = private_instances(nodes.security_groups, tags(pool))
    if nodes.fabric is not None:
        private = with_fabric(private, pool, nodes.fabric)
    return aws.ec2.LaunchTemplate(
        f"{name}-template",
        instance_type=pool.machine,
        block_device_mappings=[
            aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
                device_name=device, ebs=encrypted_disk(gib, pool.disk_key)
            )
            for device, gib in volumes(pool, nodes).items()
        ],
        tags=tags(pool),
        opts=child(parent),
        **private,
        **_reserved(pool),
        **_own_image(nodes),
    )


def _reserved(pool: CloudPool) -> dict[str, Any]:
    if pool.purchase not in FROM_RESERVATION:
        return {}
    specification = aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs(
        capacity_reservation_target=aws.ec2.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs(
            capacity_reservation_id=pool.reservation
        )
    )
    market = aws.ec2.LaunchTemplateInstanceMarketOptionsArgs(market_type="capacity-block")
    block = pool.purchase is CloudPurchase.CAPACITY_BLOCK
    return {
        "capacity_reservation_specification": specification,
        **({"instance_market_options": market} if block else {}),
    }


def _own_image(nodes: EksNodes) -> dict[str, Any]:
    if nodes.custom is None:
        return {}
    user_data = pulumi.Output.from_input(nodes.custom["user_data"])
    return {
        "image_id": nodes.custom["id"],
        "user_data": user_data.apply(lambda text: base64.b64encode(text.encode()).decode()),
    }


def template_tags(pool: CloudPool, nodes: EksNodes) -> dict[str, str]:
    """What the cluster autoscaler must know of a node before there is one: labels, taint and resources."""
    labels = {**pool.labels, **pool.mig_label, **pool.product_label}
    fabric = {} if nodes.fabric is None else {EFA_RESOURCE: pool.instance.efa}
    return {
        **{f"{TEMPLATE}/label/{key}": value for key, value in labels.items()},
        f"{TEMPLATE}/taint/{TAINT['key']}": f"{TAINT['value']}:{TAINT['effect']}",
        **{f"{TEMPLATE}/resources/{key}": str(count) for key, count in {**pool.resources, **fabric}.items()},
    }


def _described(
    parent: pulumi.Resource, name: str, described: Mapping[str, str], group: aws.eks.NodeGroup
) -> None:
    scaling_group = group.resources[0].autoscaling_groups[0].name
    for key, value in described.items():
        aws.autoscaling.Tag(
            f"{name}-{key.removeprefix(TEMPLATE).strip('/').replace('/', '-')}",
            autoscaling_group_name=scaling_group,
            tag=aws.autoscaling.TagTagArgs(key=key, value=value, propagate_at_launch=False),
            opts=child(parent),
        )
