"""Section `cluster`: keys that belong to another kind of cluster."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import ClusterKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig


def check_cluster(config: StackConfig) -> Iterator[Problem]:
    """Keys that the kind of cluster does not have."""
    cluster = config.cluster
    if cluster.kind is ClusterKind.EMBEDDED:
        given = {
            "kubeconfig": cluster.kubeconfig,
            "context": cluster.context,
            "kubernetes": cluster.kubernetes,
            "feature-gates": ", ".join(gate.value for gate in cluster.feature_gates) or None,
        }
        reason = "belongs to kind existing; the embedded cluster brings its own"
    else:
        given = {"plane": cluster.plane}
        reason = "belongs to kind embedded"
    for key, value in given.items():
        if value is not None:
            yield Problem(f"cluster.{key}", value, reason)
