"""What a stack's existing cluster has and lacks, without engine.

`python -m corral.stacks.deploy.clusters.examine Pulumi.onprem.yaml [probe]` prints it as JSON; with `probe`
its NetworkPolicies are tried as well.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from corral.catalogue.images import image
from corral.components.existing_cluster import (
    ClusterFinding,
    ClusterUnreachable,
    ProbePods,
    examined,
)
from corral.components.existing_cluster.connection import Connection
from corral.components.existing_cluster.probe import Probed, probe
from corral.components.supply import reference, spelled_nodes
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import read_lock
from corral.stacks.deploy.clusters.existing import reached, requirements
from corral.stacks.deploy.clusters.kubeconfig import KubeconfigError
from corral.stacks.deploy.component_args.context import plain_supply
from corral.stacks.planning.planner import plan as plan_of
from corral.stacks.planning.results.plan import Plan

PROBE = "probe"


class Examined(TypedDict):
    """What is known of a stack's cluster."""

    server: str
    """Address of its API; empty where it was not read."""
    findings: Sequence[ClusterFinding]
    unchecked: str
    """Why it was not read; empty where it was."""


def examine(plan: Plan, *, tried: bool) -> Examined:
    """What the cluster of `plan` has and lacks; `tried`: its NetworkPolicies are tried."""
    cluster = plan.cluster
    if not cluster.capabilities.reached_by_kubeconfig:
        return _unchecked(f"a cluster of kind {cluster.kind.value} is made by Corral, after the plan")
    if cluster.stack is not None:
        return _unchecked(
            f"its kubeconfig is an output of stack {cluster.stack}, which a preview alone reads"
        )
    try:
        found = reached(cluster)
        if found is None:
            return _unchecked("neither cluster.kubeconfig nor KUBECONFIG names a file")
        trial = _Trial(plan) if tried else None
        seen = examined(found.path, found.context, requirements(plan), trial)
    except (KubeconfigError, ClusterUnreachable) as error:
        return _unchecked(str(error))
    return {"server": seen.state.server, "findings": seen.findings, "unchecked": ""}


def _unchecked(reason: str) -> Examined:
    return {"server": "", "findings": (), "unchecked": reason}


class _Trial:
    def __init__(self, plan: Plan):
        supply = plain_supply(plan)
        self._pods = ProbePods(reference(image("tools"), supply), spelled_nodes(supply))

    def __call__(self, connection: Connection) -> Probed:
        return probe(connection, self._pods, lambda line: print(line, file=sys.stderr, flush=True))


def main(path: Path, words: Sequence[str]) -> int:
    made = plan_of(read(path), stack_of(path), read_lock(path), pinned=False)
    print(json.dumps(examine(made, tried=PROBE in words)))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
