"""The cluster and its supply, from sections `cluster` and `sovereignty`."""

from corral.catalogue.vocabulary import Cloud, PodEncryption
from corral.stacks.config.stack_config import Cluster, Sovereignty
from corral.stacks.planning.defaults import node_platform
from corral.stacks.planning.eks import eks_plan
from corral.stacks.planning.gke import gke_plan
from corral.stacks.planning.results.cluster import ClusterPlan, SupplyPlan, TolerationPlan


def cluster_plan(section: Cluster, sovereignty: Sovereignty, stack: str) -> ClusterPlan:
    """How the cluster is reached or made, and what its GPU nodes are."""
    return ClusterPlan(
        section.kind,
        section.kubeconfig,
        section.context,
        section.plane,
        node_platform(section),
        section.precompiled_driver,
        section.storage_class,
        section.node_selector,
        tuple(TolerationPlan(one.key, one.value, one.effect) for one in section.tolerations),
        eks=eks_plan(section, sovereignty.region_name, stack),
        stack=section.stack,
        deletion_protection=section.deletion_protection is not False,
        gke=gke_plan(section, sovereignty, stack),
        pod_encryption=pod_encryption(section),
        dns_addresses=section.dns_addresses,
    )


def pod_encryption(section: Cluster) -> PodEncryption | None:
    """What encrypts between pods on different machines, as far as it is stated or the stack sees to it."""
    if section.pod_encryption is None and section.capabilities.cloud is Cloud.GCP:
        return PodEncryption.CLOUD
    return section.pod_encryption


def supply_plan(section: Sovereignty, tools: str | None) -> SupplyPlan:
    """Where charts and images come from; `tools`: the tools image, where it is not the catalogue's."""
    return SupplyPlan(section.registry, section.pull_secret, tools)
