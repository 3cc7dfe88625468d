"""The resource graph of a stack, as the program registers it, without engine, cluster or secrets.

`python -m corral.stacks.deploy.graph Pulumi.onprem.yaml [KIND]` prints it as JSON, on a cluster of another
kind where one is named. Digests that are not resolved yet are no problem here.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes

from corral.catalogue.vocabulary import ClusterKind
from corral.components._recorded import TEXT, Recorded, registered
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import read_lock
from corral.stacks.config.stack_config import REGISTRY_AUTH
from corral.stacks.deploy.clusters import connect
from corral.stacks.deploy.clusters.named_nodes import NamedNodes
from corral.stacks.deploy.clusters.protocol import Cluster
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan as plan_of
from corral.stacks.planning.results.plan import Plan

WRONG = 2


class UnreachedCluster(NamedNodes):
    """A cluster that is there before the stack, and that nobody asks."""

    def __init__(self, plan: Plan):
        self.provider = kubernetes.Provider("cluster", context=plan.cluster.context)
        self.capabilities = plan.cluster.capabilities
        self.charts: str | None = None
        self.storage_class = plan.cluster.storage_class


def graph(plan: Plan) -> list[Recorded]:
    """What the program registers for `plan`; charts come from mirror or upstream, never from a folder."""

    def program() -> None:
        for name, value in Platform(plan, _cluster(plan)).outputs.items():
            pulumi.export(name, value)

    secrets = {f"corral:{key}": TEXT for key in plan.secrets_needed}
    if f"corral:{REGISTRY_AUTH}" in secrets:
        secrets[f"corral:{REGISTRY_AUTH}"] = json.dumps({"auths": {"registry": {}}})
    return registered(program, secrets, project="corral", stack=plan.stack, secrets=secrets)


def _cluster(plan: Plan) -> Cluster:
    known = plan.cluster.capabilities
    before = known.reached_by_kubeconfig or known.started_here
    return UnreachedCluster(plan) if before else connect(plan)


def main(path: Path, kind: ClusterKind | None = None) -> int:
    try:
        config = read(path) if kind is None else read(path).on_kind(kind)
        made = plan_of(config, stack_of(path), read_lock(path), pinned=False)
        print(json.dumps([asdict(one) for one in graph(made)]))
    except StackErrors as error:
        print(error, file=sys.stderr)
        return WRONG
    except pulumi.RunError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(ClusterKind, sys.argv[2:])))
