"""The cluster of a stack, for commands that read or change it by kubectl."""

import os

from corral.embedded.engine import drift
from corral.stacks.planning.results.plan import Plan


def kubectl_of(plan: Plan, stack: str) -> drift.Kubectl:
    """The kubectl that reaches the cluster of a stack."""
    if not plan.cluster.capabilities.started_here:
        from corral.cli import existing

        return existing.kubectl_of(plan.cluster)
    from corral.cli.running import started
    from corral.embedded.toolchain import tool

    plane = started(plan.cluster.plane or stack)
    private = {"KUBECONFIG": str(plane.kubeconfig), "KUBECACHEDIR": str(plane.run / "kubectl")}
    return drift.Kubectl([str(tool("kubectl"))], {**os.environ, **private})
