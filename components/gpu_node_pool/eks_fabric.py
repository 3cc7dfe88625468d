"""AWS's Elastic Fabric Adapter on the nodes of a pool, by which GPUs of several nodes reach each other.

Interfaces as Amazon EC2's User Guide recommends for instances with several network cards
(docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-acc-inst-types, read on 2026-11-28): an ordinary primary
one, and one that is for the fabric alone on each card.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws

from corral.catalogue.instances import CARDS_UNREAD, instances, with_efa
from corral.components._kit import child
from corral.components.gpu_node_pool.cloud import FROM_RESERVATION, CloudPool
from corral.components.gpu_node_pool.eks_nodes import Fabric, SubnetIds, tags
from corral.components.gpu_node_pool.node_labels import EFA_RESOURCE


def fabric(parent: pulumi.Resource, name: str, pool: CloudPool, cluster: pulumi.Input[str]) -> Fabric:
    """Security group and placement group of the pool `name`, in the network of `cluster`."""
    described = aws.eks.get_cluster_output(name=cluster, opts=pulumi.InvokeOutputOptions(parent=parent))
    group = aws.ec2.SecurityGroup(
        f"{name}-fabric",
        description=f"Fabric of GPU nodes {pool.name}: to and from each other alone",
        vpc_id=described.vpc_config.vpc_id,
        tags=tags(pool),
        opts=child(parent),
    )
    rules = {"in": aws.vpc.SecurityGroupIngressRule, "out": aws.vpc.SecurityGroupEgressRule}
    for direction, rule in rules.items():
        rule(
            f"{name}-fabric-{direction}",
            security_group_id=group.id,
            referenced_security_group_id=group.id,
            ip_protocol="-1",
            tags=tags(pool),
            opts=child(parent),
        )
    if pool.purchase in FROM_RESERVATION:
        return Fabric(group.id, None)
    near = aws.ec2.PlacementGroup(f"{name}-fabric", strategy="cluster", tags=tags(pool), opts=child(parent))
    return Fabric(group.id, near.name)


def with_fabric(template: dict[str, Any], pool: CloudPool, own: Fabric) -> dict[str, Any]:
    """Arguments of a launch template, with the interfaces of the fabric beside the primary one."""
    placed = (
        {}
        if own.placement is None
        else {"placement": aws.ec2.LaunchTemplatePlacementArgs(group_name=own.placement)}
    )
    interfaces = [
        aws.ec2.LaunchTemplateNetworkInterfaceArgs(
            network_card_index=card,
            # The primary interface has the first place on the first card.
            device_index=0 if card else 1,
            interface_type="efa-only",
            delete_on_termination="true",
            security_groups=[own.group],
        )
        for card in range(pool.instance.efa)
    ]
    return {**template, "network_interfaces": [*template["network_interfaces"], *interfaces], **placed}


def fabric_problems(machine: str, subnets: SubnetIds, *, karpenter: bool, owner: str) -> Iterator[str]:
    """Why the fabric cannot be had on nodes of type `machine`."""
    entry = instances().get(machine)
    if entry is None:
        return  # Said elsewhere.
    if entry.efa == 0:
        fitting = ", ".join(with_efa(entry.gpu)) or "none"
        yield f"{owner}.efa: {machine} has no EFA; with {entry.gpu} these have it: {fitting}"
    elif machine in CARDS_UNREAD:
        yield f"{owner}.efa: how the network cards of {machine} are numbered is unresolved; leave it out"
    if karpenter:
        yield f"{owner}.efa: Karpenter adds interfaces for pods that ask for {EFA_RESOURCE}; leave it out"
    if isinstance(subnets, Sequence) and len(subnets) > 1:
        yield f"{owner}.subnets: {len(subnets)}; the fabric ends with its zone: give the subnet of one"
