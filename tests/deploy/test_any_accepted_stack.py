"""Whatever the plan accepts is shown and built; whatever it refuses is answered in lines."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from rich.console import Console
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import Graph, build
from tests.deploy.eks_stack import built as built_on_eks
from tests.deploy.gke_stack import built as built_on_gke
from tests.deploy.test_platform import started, write_kubeconfig
from tests.stacks.any_stack import LARGE, bounded, eks_files, gke_files, stack_files, wild_files
from tests.stacks.lines import told

from corral.cli.documents import plan_document
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.config.stack_config import REGISTRY_AUTH
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

pytestmark = pytest.mark.exhaustive
FEW_BUILT = 4
"""Graphs of the plain tests; each takes a second."""


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A kubeconfig for stacks on existing clusters, and a started plane for the others."""
    home = tmp_path_factory.mktemp("any")
    path = home / "kubeconfig"
    write_kubeconfig(path, "https://cluster.example.eu:6443")
    with pytest.MonkeyPatch.context() as patch:
        started(home, patch)
        unexamined(patch)
        yield path


def planned(content: Any) -> Plan | None:
    """The plan of `content`; None: it was refused, in lines."""
    try:
        return plan(parse(content), "dev")
    except StackErrors as error:
        told(str(error).split("\n") if error.problems else [])
        return None


def on_a_cluster(content: dict[str, Any], kubeconfig: Path) -> dict[str, Any]:
    """`content` on the cluster of this test, whatever file and context it names."""
    cluster = {
        key: value for key, value in content["cluster"].items() if key not in ("context", "plane", "stack")
    }
    if cluster["kind"] == "existing":
        cluster["kubeconfig"] = str(kubeconfig)
    else:
        cluster.pop("kubeconfig", None)
    return {**content, "cluster": cluster}


class Served(dict[str, Any]):
    """State of any object that an existing addon has."""

    def __missing__(self, key: str) -> dict[str, Any]:
        versions = [{"name": name, "served": True} for name in ("v1", "v1beta1", "v1beta2", "v1alpha1")]
        policy = {"devicePlugin": {"enabled": True}, "migManager": {"config": {"name": "corral-mig-parted"}}}
        return {"spec": {"versions": versions, **policy}, "metadata": {"name": key}}


def built(made: Plan) -> Graph:
    secrets = {f"corral:{key}": "ab" * 32 for key in made.secrets_needed}
    if f"corral:{REGISTRY_AUTH}" in secrets:
        secrets[f"corral:{REGISTRY_AUTH}"] = json.dumps({"auths": {"registry.example.eu": {"auth": "YTpi"}}})
    return build(lambda: Platform(made), secret_config=secrets, found=Served(), stack="dev")


@bounded(15)
@given(wild_files())
def test_a_wild_stack_is_planned_or_refused_in_lines(content: Any):
    planned(content)


ACCEPTED: list[str] = []


@bounded(40)
@given(stack_files())
def test_what_the_plan_accepts_is_shown_and_built(kubeconfig: Path, content: dict[str, Any]):
    made = planned(on_a_cluster(content, kubeconfig))
    if made is None:
        return
    render(made, Console(file=io.StringIO(), width=100))
    assert made.stack in page(made)
    json.dumps(asdict(plan_document(made)), default=str)
    ACCEPTED.append(made.profile.value)
    if len(ACCEPTED) <= FEW_BUILT or LARGE:
        graph = built(made)
        names = {one.name for one in graph}
        assert {model.name for model in made.models} <= names
        assert {pool.name for pool in made.pools} <= names


ON_EKS: list[str] = []


@bounded(20)
@given(eks_files())
def test_what_the_plan_accepts_on_eks_is_shown_and_built(content: dict[str, Any]):
    made = planned(content)
    if made is None:
        return
    render(made, Console(file=io.StringIO(), width=100))
    ON_EKS.append(made.profile.value)
    if len(ON_EKS) <= FEW_BUILT or LARGE:
        graph = built_on_eks(made, found=Served())
        assert {model.name for model in made.models} <= {one.name for one in graph}
        assert {f"{pool.name}-nodes" for pool in made.pools} <= {one.name for one in graph.of("NodeGroup")}


ON_GKE: list[str] = []


@bounded(20)
@given(gke_files())
def test_what_the_plan_accepts_on_gke_is_shown_and_built(content: dict[str, Any]):
    made = planned(content)
    if made is None:
        return
    render(made, Console(file=io.StringIO(), width=100))
    ON_GKE.append(made.profile.value)
    if len(ON_GKE) <= FEW_BUILT // 2 or LARGE:
        graph = built_on_gke(made, found=Served())
        assert {model.name for model in made.models} <= {one.name for one in graph}
        assert {f"{pool.name}-nodes" for pool in made.pools} <= {one.name for one in graph.of("NodePool")}


def test_enough_of_what_is_generated_is_accepted():
    """Runs last: plans that nobody accepts prove nothing."""
    assert len(ACCEPTED) >= FEW_BUILT
    assert ON_EKS
    assert ON_GKE
