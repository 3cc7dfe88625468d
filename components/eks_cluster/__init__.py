"""A private cluster on EKS, with its network, keys and system nodes."""

from corral.components.eks_cluster.args import (
    EksClusterArgs,
    EksEgress,
    EksKeys,
    EksNetwork,
    EksSystemNodes,
)
from corral.components.eks_cluster.component import EksCluster

__all__ = ["EksCluster", "EksClusterArgs", "EksEgress", "EksKeys", "EksNetwork", "EksSystemNodes"]
