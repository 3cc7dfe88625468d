"""A cluster on EKS, from sections `cluster` and `sovereignty`."""

import re

from corral.catalogue.aws import partition_of
from corral.stacks.config.stack_config import Cluster, Eks
from corral.stacks.planning.results.eks import EksNodesPlan, EksPlan

LONGEST = 100
"""Characters of a cluster's name."""


def eks_plan(cluster: Cluster, region: str, stack: str) -> EksPlan | None:
    """What a cluster of kind `eks` is made of; None: it is of another kind."""
    section = cluster.eks
    if section is None:
        return None
    return EksPlan(
        name=section.name or cluster_name(stack),
        region=region,
        partition=str(partition_of(region)),
        version=str(cluster.kubernetes),
        zones=tuple(sorted(section.zones)),
        admins=section.admins,
        nodes=_nodes(section),
        cidr=section.network.cidr,
        egress=section.network.egress,
        api_clients=section.network.api_clients,
        keys=section.keys.stated(),
        log_days=section.log_days,
        tags=section.tags,
    )


def cluster_name(stack: str) -> str:
    """Name in AWS of the cluster of `stack`, which may have characters that such a name has not.

    >>> cluster_name("eks-eu"), cluster_name("eks.eu")
    ('corral-eks-eu', 'corral-eks-eu')
    """
    return f"corral-{re.sub('[^A-Za-z0-9_-]', '-', stack)}"[:LONGEST]


def least_nodes(section: Eks) -> int:
    """Fewest system nodes: one in each zone unless the stack file has it."""
    return section.system_nodes.min or len(section.zones)


def most_nodes(section: Eks) -> int:
    """Most system nodes."""
    return section.system_nodes.max or 2 * least_nodes(section)


def _nodes(section: Eks) -> EksNodesPlan:
    nodes = section.system_nodes
    return EksNodesPlan(
        instance=nodes.instance,
        minimum=least_nodes(section),
        maximum=most_nodes(section),
        disk_gib=nodes.disk_gib,
        confidential=nodes.confidential,
    )
