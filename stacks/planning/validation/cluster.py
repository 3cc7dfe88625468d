"""Section `cluster`: keys that belong to another kind of cluster."""

from collections.abc import Callable, Iterator

from corral.catalogue.clusters import ClusterCapabilities, clusters
from corral.catalogue.vocabulary import Cloud, SharingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig

UNLABELLED = (SharingKind.WHOLE, SharingKind.MIG_DYNAMIC)
"""Ways of sharing for which a node carries no label."""


def check_cluster(config: StackConfig) -> Iterator[Problem]:
    """Keys that the kind of cluster does not have."""
    cluster = config.cluster
    selector = ", ".join(f"{key}={value}" for key, value in cluster.node_selector.items()) or None
    taints = ", ".join(one.key for one in cluster.tolerations) or None
    gates = ", ".join(gate.value for gate in cluster.feature_gates) or None
    caches = ", ".join(cluster.dns_addresses) or None
    encrypts = cluster.pod_encryption and cluster.pod_encryption.value
    settings: tuple[tuple[str, str | None, Callable[[ClusterCapabilities], bool]], ...] = (
        ("kubeconfig", cluster.kubeconfig, lambda one: one.reached_by_kubeconfig),
        ("stack", cluster.stack, lambda one: one.reached_by_kubeconfig),
        ("context", cluster.context, lambda one: one.reached_by_kubeconfig),
        ("storage-class", cluster.storage_class, lambda one: one.reached_by_kubeconfig),
        ("node-selector", selector, lambda one: one.reached_by_kubeconfig),
        ("tolerations", taints, lambda one: one.reached_by_kubeconfig),
        ("pod-encryption", encrypts, lambda one: not one.started_here),
        ("dns-addresses", caches, lambda one: not one.started_here),
        ("kubernetes", cluster.kubernetes, lambda one: one.states_kubernetes),
        ("feature-gates", gates, lambda one: one.states_gates),
        ("eks", cluster.eks and "a section", lambda one: one.cloud is Cloud.AWS),
        ("gke", cluster.gke and "a section", lambda one: one.cloud is Cloud.GCP),
        ("plane", cluster.plane, lambda one: one.started_here),
    )
    own = f"; the {cluster.kind.value} cluster brings its own" if cluster.capabilities.started_here else ""
    for key, value, takes in settings:
        if value is not None and not takes(cluster.capabilities):
            kinds = ", ".join(kind.value for kind, one in clusters().items() if takes(one))
            yield Problem(f"cluster.{key}", value, f"belongs to kind {kinds}{own}")
    if cluster.deletion_protection and not cluster.capabilities.protects_data:
        why = f"kind {cluster.kind.value} protects nothing: leave it out"
        yield Problem("cluster.deletion-protection", "true", why)
    if cluster.stack is not None and cluster.kubeconfig is not None:
        yield Problem(
            "cluster.kubeconfig", cluster.kubeconfig, "cluster.stack hands one out: use one of both"
        )
    if cluster.stack is not None:
        yield from _made_elsewhere(config)


def _made_elsewhere(config: StackConfig) -> Iterator[Problem]:
    """Pools without names, whose nodes the other stack makes and labels."""
    for index, pool in enumerate(config.gpu_pools):
        path, nodes = f"gpu-pools[{index}]", pool.nodes
        if nodes.names:
            continue
        if nodes.min != nodes.max:
            stated = f"min {nodes.min}, max {nodes.max}"
            yield Problem(f"{path}.nodes", stated, "as many as the other stack has: use min = max")
        if pool.sharing.kind not in UNLABELLED:
            yield Problem(
                f"{path}.sharing",
                pool.sharing.kind.value,
                "its label is written to nodes by their names: use nodes: {names: […]}, or whole",
            )
