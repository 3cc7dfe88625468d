"""A pool that Karpenter fills: its NodePool and EC2NodeClass, on the cluster given as Kubernetes provider."""

from collections.abc import Awaitable
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from corral.components._kit import child
from corral.components.gpu_node_pool.cloud import FROM_RESERVATION, CloudPool
from corral.components.gpu_node_pool.cloud_args import CloudPurchase
from corral.components.gpu_node_pool.eks_nodes import EksNodes, SubnetIds, priced, tags, volumes
from corral.components.gpu_node_pool.node_labels import TAINT

NODE_CLASS = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass"}
CAPACITY_TYPE = {
    CloudPurchase.ON_DEMAND: "on-demand",
    CloudPurchase.SPOT: "spot",
    CloudPurchase.RESERVED: "reserved",
    CloudPurchase.CAPACITY_BLOCK: "reserved",
}
RESERVATION_TYPE = {CloudPurchase.RESERVED: "default", CloudPurchase.CAPACITY_BLOCK: "capacity-block"}
IDLE = "10m"
"""How long a node stays empty before it goes."""


def karpenter_pool(
    parent: pulumi.Resource, name: str, pool: CloudPool, nodes: EksNodes
) -> pulumi.Output[str]:
    """The NodePool's name, once it is made."""
    access = aws.eks.AccessEntry(
        f"{name}-access",
        cluster_name=nodes.cluster,
        principal_arn=nodes.role.arn,
        type="EC2_LINUX",
        tags=tags(pool),
        opts=child(parent),
    )
    node_class = kubernetes.apiextensions.CustomResource(
        f"{name}-class",
        api_version="karpenter.k8s.aws/v1",
        kind=NODE_CLASS["kind"],
        metadata={"name": pool.name, "labels": pool.labels},
        spec=class_spec(pool, nodes),
        opts=child(parent, depends_on=[*nodes.role.rights, access]),
    )
    made = kubernetes.apiextensions.CustomResource(
        f"{name}-pool",
        api_version="karpenter.sh/v1",
        kind="NodePool",
        metadata={"name": pool.name, "labels": pool.labels, **_annotations(pool)},
        spec=pool_spec(pool),
        opts=child(parent, depends_on=[node_class]),
    )
    return made.id.apply(lambda _: pool.name)


def _annotations(pool: CloudPool) -> dict[str, Any]:
    return {} if pool.node_hour is None else {"annotations": priced(pool)}


def class_spec(pool: CloudPool, nodes: EksNodes) -> dict[str, Any]:
    """`spec` of the EC2NodeClass: what the machines are."""
    reserved = pool.purchase in FROM_RESERVATION
    return {
        **_image(nodes),
        "role": nodes.role.name,
        "subnetSelectorTerms": _by_id(nodes.subnets),
        "securityGroupSelectorTerms": [{"id": group} for group in nodes.security_groups],
        "associatePublicIPAddress": False,
        "metadataOptions": {
            "httpEndpoint": "enabled",
            "httpTokens": "required",
            "httpPutResponseHopLimit": 1,
        },
        "blockDeviceMappings": [
            {"deviceName": device, "ebs": _encrypted(gib, pool)}
            for device, gib in volumes(pool, nodes).items()
        ],
        "tags": tags(pool),
        **({"capacityReservationSelectorTerms": [{"id": pool.reservation}]} if reserved else {}),
    }


def _by_id(subnets: SubnetIds) -> pulumi.Input[list[dict[str, Any]]]:
    if isinstance(subnets, pulumi.Output | Awaitable):
        return pulumi.Output.from_input(subnets).apply(lambda ids: [{"id": one} for one in ids])
    return [{"id": one} for one in subnets]


def _image(nodes: EksNodes) -> dict[str, Any]:
    if nodes.custom is not None:
        return {
            "amiFamily": "Custom",
            "amiSelectorTerms": [{"id": nodes.custom["id"]}],
            "userData": nodes.custom["user_data"],
        }
    return {"amiSelectorTerms": [{"alias": f"{nodes.image.value}@{nodes.release or 'latest'}"}]}


def _encrypted(gib: int, pool: CloudPool) -> dict[str, Any]:
    key = {} if pool.disk_key is None else {"kmsKeyID": pool.disk_key}
    return {
        "volumeSize": f"{gib}Gi",
        "volumeType": "gp3",
        "encrypted": True,
        "deleteOnTermination": True,
        **key,
    }


def pool_spec(pool: CloudPool) -> dict[str, Any]:
    """`spec` of the NodePool: which pods the machines are for, and how many there may be."""
    startup = {"startupTaints": pool.startup_taints} if pool.startup_taints else {}
    return {
        "template": {
            "metadata": {"labels": {**pool.labels, **pool.mig_label, **pool.product_label}},
            "spec": {
                "nodeClassRef": {**NODE_CLASS, "name": pool.name},
                "requirements": [_among(key, value) for key, value in _required(pool).items()],
                "taints": [TAINT],
                **startup,
            },
        },
        "limits": {"nvidia.com/gpu": str(pool.maximum * pool.instance.gpus)},
        # Moving a model means loading it again: only what is empty goes.
        "disruption": {"consolidationPolicy": "WhenEmpty", "consolidateAfter": IDLE},
    }


def _required(pool: CloudPool) -> dict[str, str]:
    kind = RESERVATION_TYPE.get(pool.purchase)
    return {
        "node.kubernetes.io/instance-type": pool.machine,
        "karpenter.sh/capacity-type": CAPACITY_TYPE[pool.purchase],
        **({} if kind is None else {"karpenter.k8s.aws/capacity-reservation-type": kind}),
    }


def _among(key: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": "In", "values": list(values)}
