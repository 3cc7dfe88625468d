"""A platform on the cluster of another stack: what is read of it, and when."""

from typing import Any

import pulumi
import pytest
import yaml
from tests.components.existing_cluster.clusters import DRA, WHOLE, serving, unexamined
from tests.components.existing_cluster.clusters import kubeconfig as leading_to
from tests.components.harness import Graph, build
from tests.deploy.test_platform import SECRETS, content

from corral.components.existing_cluster import component
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.deploy import clusters
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.scope import cluster_lines

STACK = "organization/clusters/eu"
REAL = component.examined
TEXT = yaml.safe_dump({"current-context": "models"})
FACTS = {"region": "embedded", "platform": "bare-metal", "storage-class": "corral-encrypted"}


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch):
    """The servers of these kubeconfigs are not there, and nobody looks for them."""
    unexamined(monkeypatch)


def stated(**cluster: Any) -> dict[str, Any]:
    made = content()
    made["cluster"] = {"kind": "existing", "stack": STACK, "storage-class": "corral-encrypted", **cluster}
    return made


def planned(**cluster: Any) -> Plan:
    return plan(parse(stated(**cluster)), "platform")


def refused(one: dict[str, Any]) -> list[str]:
    with pytest.raises(StackErrors) as error:
        plan(parse(one), "platform")
    return str(error.value).splitlines()


def built(made: Plan, *, whole: bool = False, **outputs: Any) -> Graph:
    """The graph of `made`, or of its cluster alone, where the other stack has `outputs`."""
    secret = [key for key in outputs if key == "kubeconfig"]
    found = {STACK: {"name": STACK, "outputs": outputs, "secretOutputNames": secret}}
    return build(
        lambda: Platform(made) if whole else clusters.connect(made),
        secret_config=SECRETS,
        found=found,
        stack="platform",
    )


def test_the_kubeconfig_of_the_other_stack_is_the_provider_s_and_stays_a_secret():
    graph = built(planned(), whole=True, kubeconfig=TEXT, cluster=FACTS)
    (provider,) = graph.of("pulumi:providers:kubernetes")
    assert provider.inputs["kubeconfig"] == TEXT
    assert "kubeconfig" in provider.secrets
    assert [one.inputs["name"] for one in graph.of("pulumi:pulumi:StackReference")] == [STACK]
    objects = [one for one in graph if one.type.startswith("kubernetes:")]
    assert len(objects) > 80
    assert [one.name for one in objects if "providers:kubernetes::cluster::" not in one.provider] == []
    assert [one for one in graph.of("StackReference") if TEXT in str(one.inputs)] == []


@pytest.mark.parametrize("outputs", [{}, {"kubeconfig": None}, {"kubeconfig": " "}, {"kubeconfig": {"a": 1}}])
def test_a_stack_that_hands_no_kubeconfig_out_ends_the_run_with_one_line(outputs):
    with pytest.raises(pulumi.RunError) as error:
        built(planned(), **outputs)
    assert str(error.value) == (
        f"cluster.stack: {STACK}: it has no output kubeconfig yet: bring it up first, and let its program "
        "export kubeconfig as text"
    )


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            {"region": "europe-west3"},
            f"sovereignty.region: embedded: stack {STACK} has europe-west3: use that",
        ),
        ({"platform": "gke-ubuntu"}, f"cluster.platform: bare-metal: stack {STACK} has gke-ubuntu: use that"),
        (
            {"storage-class": "ceph"},
            f"cluster.storage-class: corral-encrypted: stack {STACK} has ceph: use that",
        ),
        (
            "eu",
            f"cluster.stack: {STACK}: its output cluster is no mapping: use region, platform, storage-class",
        ),
    ],
)
def test_what_the_other_stack_says_of_its_cluster_is_what_the_stack_file_says(facts, line):
    with pytest.raises(pulumi.RunError) as error:
        built(planned(), kubeconfig=TEXT, cluster=facts)
    assert str(error.value) == line


def test_a_class_of_volumes_that_the_other_stack_has_is_named():
    made = stated()
    del made["cluster"]["storage-class"]
    with pytest.raises(
        pulumi.RunError, match=r"^cluster\.storage-class: absent: stack .* has corral-encrypted"
    ):
        built(plan(parse(made), "platform"), kubeconfig=TEXT, cluster=FACTS)


def test_facts_that_it_does_not_hand_out_are_not_missed():
    assert built(planned(), kubeconfig=TEXT).of("pulumi:providers:kubernetes")


def test_the_cluster_behind_the_output_is_examined_before_anything_is_made(monkeypatch):
    monkeypatch.setattr(component, "examined", REAL)
    line = r"^cluster: dra: resource\.k8s\.io serves nothing"
    with serving({**WHOLE, DRA: None}) as server, pytest.raises(pulumi.RunError, match=line):
        built(planned(), kubeconfig=leading_to(server))


def test_the_plan_says_what_it_cannot_decide():
    lines = list(cluster_lines(planned().cluster))
    assert lines[:2] == [
        f"reaches its cluster by output kubeconfig of stack {STACK}",
        "only a preview tells whether that output is there, where it leads to, and whether the cluster has "
        "what the platform needs",
    ]


POOL = {"name": "whole", "gpu": "H100-80GB", "nodes": {"min": 1, "max": 1}, "gpus-per-node": 4}


def on_made_nodes(**pool: Any) -> dict[str, Any]:
    made = stated()
    models = [one for one in made["models"] if one["model"] != "smollm2-135m"]
    return {**made, "gpu-pools": [{**POOL, "nodes": {"min": 2, "max": 2}, **pool}], "models": models[:2]}


def test_nodes_that_the_other_stack_makes_have_their_labels_from_there():
    graph = built(plan(parse(on_made_nodes()), "platform"), whole=True, kubeconfig=TEXT)
    assert graph.of("NodePatch") == [] == graph.of("ExistingGpuNodePool")
    assert len(graph.of("Model")) == 2


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (stated(kubeconfig="~/k"), "cluster.kubeconfig: ~/k: cluster.stack hands one out: use one of both"),
        (stated(stack="eu"), "cluster.stack: eu: use ORGANIZATION/PROJECT/STACK, such as"),
        (
            {**stated(), "cluster": {"kind": "embedded", "stack": STACK}},
            f"cluster.stack: {STACK}: belongs to kind existing; the embedded cluster brings its own",
        ),
        (
            on_made_nodes(nodes={"min": 1, "max": 2}),
            "gpu-pools[0].nodes: min 1, max 2: as many as the other stack has: use min = max",
        ),
        (
            on_made_nodes(sharing={"mig": "auto"}),
            "gpu-pools[0].sharing: mig: its label is written to nodes by their names: use nodes:",
        ),
    ],
)
def test_what_does_not_go_with_another_stack_is_refused_in_one_line(one, line):
    found = refused(one)
    assert len(found) == 1 and found[0].startswith(line), found
