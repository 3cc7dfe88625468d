"""A cluster that is there: reached, examined, and refused where the platform cannot run on it."""

from corral.components.existing_cluster.args import ClusterFinding, ExistingClusterArgs, FindingLevel
from corral.components.existing_cluster.component import ExistingCluster, suitable
from corral.components.existing_cluster.connection import ClusterUnreachable
from corral.components.existing_cluster.examination import Examination, Requirements, examined
from corral.components.existing_cluster.probe import ProbePods

__all__ = [
    "ClusterFinding",
    "ClusterUnreachable",
    "Examination",
    "ExistingCluster",
    "ExistingClusterArgs",
    "FindingLevel",
    "ProbePods",
    "Requirements",
    "examined",
    "suitable",
]
