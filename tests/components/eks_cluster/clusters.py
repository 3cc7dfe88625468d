"""Clusters on EKS as tests make them, in either partition, and what AWS's provider says of them."""

from typing import Any

from tests.components.harness import Graph, build

from corral.components.eks_cluster import EksCluster

ACCOUNT = "111122223333"
FRANKFURT, BRANDENBURG = "eu-central-1", "eusc-de-east-1"
PARTITIONS = {FRANKFURT: "aws", BRANDENBURG: "aws-eusc"}
IRELAND = "eu-west-1"
"""A region where EC2 has SEV-SNP."""
_PARTITION = {**PARTITIONS, IRELAND: "aws"}


def cluster_args(region: str = FRANKFURT, **more: Any) -> dict[str, Any]:
    return {
        "region": region,
        "zones": [f"{region}a", f"{region}b"],
        "version": "1.35",
        "admins": {"platform": f"arn:{_PARTITION[region]}:iam::{ACCOUNT}:role/platform"},
        "nodes": {"instance_type": "m7i.xlarge"},
        **more,
    }


def answers(region: str) -> dict[str, dict[str, Any]]:
    """As terraform-provider-aws has them: internal/service/meta/service_principal_data_source.go, 2121ce7."""
    return {
        "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
        "aws:index/getServicePrincipal:getServicePrincipal": {
            "name": "service.amazonaws.com",
            "id": f"service.{region}.amazonaws.com",
        },
        "aws:ec2/getPrefixList:getPrefixList": {"cidrBlocks": ["192.0.2.0/24", "198.51.100.0/24"]},
    }


def log_group(name: str) -> str:
    """Name in AWS of the group that the program calls `name`: `models-flows`."""
    cluster, _, part = name.rpartition("-")
    return f"/aws/vpc/{cluster}/flows" if part == "flows" else f"/aws/eks/{cluster}/cluster"


def computed(region: str) -> dict[str, Any]:
    partition = _PARTITION[region]
    return {
        "aws:kms/key:Key": lambda name: {
            "arn": f"arn:{partition}:kms:{region}:{ACCOUNT}:key/{name}",
            "keyId": name,
        },
        "aws:iam/role:Role": lambda name: {
            "arn": f"arn:{partition}:iam::{ACCOUNT}:role/{name}",
            "name": name,
        },
        "aws:cloudwatch/logGroup:LogGroup": lambda name: {
            "arn": f"arn:{partition}:logs:{region}:{ACCOUNT}:log-group:{log_group(name)}"
        },
        "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 3},
        "aws:ec2/eip:Eip": lambda name: {"allocationId": f"{name}-allocation"},
        "aws:eks/cluster:Cluster": {
            "endpoint": "https://0123.gr7.eks.test",
            "certificateAuthority": {"data": "Q0E="},
            "vpcConfig": {"clusterSecurityGroupId": "sg-cluster"},
        },
    }


def eks(region: str = FRANKFURT, *, preview: bool = False, **more: Any) -> Graph:
    return build(
        lambda: EksCluster("models", cluster_args(region, **more)),
        preview=preview,
        answers=answers(region),
        computed=computed(region),
    )
