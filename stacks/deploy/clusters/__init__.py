"""Where a plan is deployed to: a module per cluster kind, named by its word in the stack file."""

from collections.abc import Callable
from importlib import import_module

from corral.stacks.deploy.clusters.protocol import Cluster
from corral.stacks.planning.results.plan import Plan


def connect(plan: Plan) -> Cluster:
    """The cluster of `plan`; only its own kind's module is imported.

    Raises:
        pulumi.RunError: the cluster cannot be reached as the stack file describes it.
    """
    connected: Callable[[Plan], Cluster] = import_module(f"{__name__}.{plan.cluster.kind.value}").connect
    return connected(plan)
