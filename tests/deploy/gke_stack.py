"""The committed stack on GKE, planned and built as tests need it."""

from collections.abc import Mapping
from typing import Any

from tests.components.gke_cluster.clusters import ANSWERS, COMPUTED, PROJECT
from tests.components.harness import Graph
from tests.deploy import eks_stack

from corral.stacks.planning.results.plan import Plan

STACK = "gke-eu"
POOL = "gcp:container/nodePool:NodePool"
ACCOUNT = "gcp:serviceaccount/account:Account"


def content() -> dict[str, Any]:
    return eks_stack.content(STACK)


def planned(stated: Mapping[str, Any] | None = None) -> Plan:
    """The plan of the committed stack, or of `stated`, with all digests and locks."""
    return eks_stack.planned(content() if stated is None else stated, STACK)


def built(made: Plan, *, preview: bool = False, found: Mapping[str, Any] | None = None) -> Graph:
    """The graph of `made`, as Google's provider answers."""
    return eks_stack.built_in(made, preview=preview, found=found, answers=ANSWERS, computed=computed())


def computed() -> dict[str, Any]:
    """What Google's provider adds to resources."""
    return {**COMPUTED, POOL: lambda name: {"name": name}, ACCOUNT: _account}


def _account(name: str) -> dict[str, Any]:
    """What Google says of an account, in the project of its provider."""
    return {**COMPUTED[ACCOUNT](name), "project": PROJECT}
