"""Any cluster that a kubeconfig leads to."""

import os

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import Addon, AddonState, Profile
from corral.components.existing_cluster import Requirements, suitable
from corral.stacks.deploy.clusters.handed_out import handed_out
from corral.stacks.deploy.clusters.kubeconfig import KubeconfigError, Target, target
from corral.stacks.deploy.clusters.named_nodes import NamedNodes
from corral.stacks.deploy.clusters.protocol import Cluster
from corral.stacks.deploy.load import setting
from corral.stacks.planning.results.cluster import ClusterPlan
from corral.stacks.planning.results.plan import Plan

VARIABLE = "KUBECONFIG"


class ExistingCluster(NamedNodes):
    """A cluster of somebody else's."""

    def __init__(self, plan: Plan):
        self.provider = _provider(plan)
        self.capabilities = plan.cluster.capabilities
        self.charts = setting("charts")
        self.storage_class = plan.cluster.storage_class


def connect(plan: Plan) -> Cluster:
    """The cluster of `plan`; its context and server are logged, since they are about to be changed.

    It is examined before anything is made: what is less than it should be is logged.

    Raises:
        pulumi.RunError: a kubeconfig cannot be read, or has no such context; the cluster is not reached, or
            lacks what the plan needs.
    """
    return ExistingCluster(plan)


def _provider(plan: Plan) -> kubernetes.Provider:
    cluster = plan.cluster
    if cluster.stack is not None:
        kubeconfig = handed_out(cluster.stack, plan, lambda text: _examine(plan, text, cluster.context))
        return kubernetes.Provider(
            "cluster", kubeconfig=kubeconfig, context=cluster.context, enable_secret_mutable=True
        )
    try:
        found = reached(cluster)
    except KubeconfigError as error:
        raise pulumi.RunError(str(error)) from None
    if found is None:
        context = cluster.context or "current context"
        pulumi.log.info(f"cluster: {context} of the kubeconfig that Pulumi's provider finds")
        return kubernetes.Provider(
            "cluster", kubeconfig=cluster.kubeconfig, context=cluster.context, enable_secret_mutable=True
        )
    pulumi.log.info(f"cluster: context {found.context}, server {found.server}")
    # The provider takes one path; of several, the one whose context is meant.
    path, context = (
        (cluster.kubeconfig or found.path, cluster.context) if found.alone else (found.path, found.context)
    )
    _examine(plan, found.path, found.context)
    return kubernetes.Provider("cluster", kubeconfig=path, context=context, enable_secret_mutable=True)


def _examine(plan: Plan, kubeconfig: str, context: str | None) -> None:
    suitable("cluster", kubeconfig, context, requirements(plan))


def requirements(plan: Plan) -> Requirements:
    """What `plan` needs of a cluster that is there."""
    return Requirements(
        dra=plan.state(Addon.DRA_DRIVER) is not AddonState.OFF,
        storage_class=plan.cluster.storage_class,
        gpu_nodes=[node.name for pool in plan.pools for node in pool.nodes],
        encryption=plan.cluster.pod_encryption,
        dns_addresses=plan.cluster.dns_addresses,
        regions=plan.admission.places,
        network_policies=plan.profile is not Profile.OPEN,
    )


def reached(cluster: ClusterPlan) -> Target | None:
    """Where the kubeconfig leads; None: the provider looks in its default places."""
    if cluster.kubeconfig is not None:
        return target("cluster.kubeconfig", [cluster.kubeconfig], cluster.context)
    variable = os.environ.get(VARIABLE, "")
    if not variable or "\n" in variable or variable.lstrip().startswith("{"):
        return None  # The provider also takes a kubeconfig's content here.
    return target(VARIABLE, [path for path in variable.split(os.pathsep) if path], cluster.context)
