"""A private cluster on GKE, with its network, keys, logs and system nodes."""

from corral.components.gke_cluster.args import (
    GkeChannel,
    GkeClusterArgs,
    GkeControlPlaneKeys,
    GkeEgress,
    GkeKeys,
    GkeMaintenance,
    GkeNetwork,
    GkeSystemNodes,
)
from corral.components.gke_cluster.component import GkeCluster

__all__ = [
    "GkeChannel",
    "GkeCluster",
    "GkeClusterArgs",
    "GkeControlPlaneKeys",
    "GkeEgress",
    "GkeKeys",
    "GkeMaintenance",
    "GkeNetwork",
    "GkeSystemNodes",
]
