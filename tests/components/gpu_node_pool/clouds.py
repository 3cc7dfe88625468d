"""What the clouds answer, and pools that they would make."""

from collections.abc import Callable
from typing import Any

from tests.components.harness import Graph, build

from corral.components.gpu_node_pool.eks import EksGpuNodePool
from corral.components.gpu_node_pool.gke import GkeGpuNodePool

KEY = "arn:aws:kms:eu-central-1:1:key/k"
GOOGLE_KEY = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"
CLUSTER = "projects/p/locations/europe-west4/clusters/models"
LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
ANSWERS = {
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:index/getServicePrincipal:getServicePrincipal": {"name": "ec2.amazonaws.com"},
    "aws:eks/getCluster:getCluster": {
        "vpcConfig": {"clusterSecurityGroupId": "sg-cluster", "vpcId": "vpc-1"}
    },
}
COMPUTED: dict[str, dict[str, Any]] = {
    LAUNCH_TEMPLATE: {"latestVersion": 3},
    "aws:ec2/placementGroup:PlacementGroup": {"name": "near"},
    "aws:iam/role:Role": {"arn": "arn:aws:iam::1:role/nodes", "name": "nodes"},
    "aws:eks/nodeGroup:NodeGroup": {
        "nodeGroupName": "chat-nodes-1",
        "resources": [{"autoscalingGroups": [{"name": "eks-chat-nodes-1"}]}],
    },
    "gcp:serviceaccount/account:Account": {
        "email": "nodes@p.iam.gserviceaccount.com",
        "member": "serviceAccount:nodes@p.iam.gserviceaccount.com",
        "project": "p",
    },
    "gcp:container/nodePool:NodePool": {"name": "chat-nodes-1"},
}
PLUGIN = {"dra_driver": "off"}
"""A device plugin hands out the GPUs."""


def eks_args(**more: Any) -> dict[str, Any]:
    return {
        "pool": "chat",
        "gpu": "H100-80GB",
        "instance_type": "p5.48xlarge",
        "cluster": "models",
        "subnets": ["subnet-a"],
        "disk": {"key": KEY},
        **more,
    }


def gke_args(**more: Any) -> dict[str, Any]:
    return {
        "pool": "chat",
        "gpu": "H100-80GB",
        "machine_type": "a3-highgpu-8g",
        "cluster": CLUSTER,
        "zone": "europe-west4-b",
        "disk": {"key": GOOGLE_KEY},
        **more,
    }


def graph_of(program: Callable[[], Any], **answers: dict[str, Any]) -> Graph:
    return build(program, answers={**ANSWERS, **answers}, computed=COMPUTED)


def eks(**more: Any) -> Graph:
    return graph_of(lambda: EksGpuNodePool("chat", eks_args(**more)))


def gke(**more: Any) -> Graph:
    return graph_of(lambda: GkeGpuNodePool("chat", gke_args(**more)))
