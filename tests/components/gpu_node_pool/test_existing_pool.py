"""Nodes that are there: what others have written on them stays, and is refused where it is in the way."""

from typing import Any

import pulumi
import pytest
from tests.components.harness import Graph, build

from corral.components.gpu_node_pool import ExistingGpuNodePool
from corral.components.gpu_node_pool.node_labels import TAINT

MAINTENANCE = {"key": "maintenance", "value": "yes", "effect": "NoSchedule"}
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


def node(
    labels: dict[str, str] | None = None, manager: str | None = None, taints: list[Any] | None = None
) -> dict[str, Any]:
    fields = {"f:metadata": {"f:labels": {f"f:{label}": {} for label in labels or {}}}}
    managed = [] if manager is None else [{"manager": manager, "operation": "Update", "fieldsV1": fields}]
    return {
        "metadata": {"name": "n0", "labels": labels or {}, "managedFields": managed},
        "spec": {} if taints is None else {"taints": taints},
    }


def marked(there: dict[str, Any], pool: str = "slices", **more: Any) -> Graph:
    args = {"pool": pool, "nodes": [{"name": "n0", "mig_config": "sevenths"}], **more}
    return build(lambda: ExistingGpuNodePool("pool", args), found={"n0": there})


@pytest.mark.parametrize("label", ["corral.dev/pool", "nvidia.com/mig.config", "corral.dev/component"])
def test_a_label_that_somebody_else_has_set_to_another_value_is_refused_in_one_line(label):
    there = node({label: "theirs"}, manager="kubectl-label")
    with pytest.raises(pulumi.RunError) as refused:
        marked(there)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"node n0: label {label} is 'theirs' already, by kubectl-label; pool slices needs")
    assert f"`kubectl label node n0 {label}-`" in line


def test_a_label_without_a_manager_came_with_the_node_and_is_somebody_else_s():
    with pytest.raises(pulumi.RunError, match=r"corral\.dev/pool is 'theirs' already, by somebody else"):
        marked(node({"corral.dev/pool": "theirs"}))


@pytest.mark.parametrize(
    ("labels", "manager"),
    [
        ({"corral.dev/pool": "slices"}, "kubectl-label"),
        ({"corral.dev/pool": "before"}, "pulumi-kubernetes-1f2e3d4c"),
        ({"nvidia.com/mig.config": "all-disabled"}, "gpu-operator"),
        ({"example.com/rack": "r7"}, "kubectl-label"),
    ],
    ids=["the same value", "a pool of ours", "the operator's default", "another label"],
)
def test_what_is_in_nobody_s_way_is_taken(labels, manager):
    inputs = marked(node(labels, manager)).one("NodePatch").inputs
    assert inputs["metadata"]["name"] == "n0"
    assert inputs["metadata"]["labels"]["corral.dev/pool"] == "slices"


@pytest.mark.parametrize(
    "taints", [None, [TAINT], [UNREACHABLE], [TAINT, UNREACHABLE]], ids=["none", "ours", "state", "both"]
)
def test_a_node_without_taints_of_others_gets_ours(taints):
    assert marked(node(taints=taints)).one("NodePatch").inputs["spec"] == {"taints": [TAINT]}


@pytest.mark.parametrize(
    "more", [[], [TAINT], [{**TAINT, "value": "true"}]], ids=["alone", "ours", "same key"]
)
def test_taints_of_others_are_written_by_nobody_and_so_removed_by_nobody(more):
    inputs = marked(node(taints=[MAINTENANCE, *more])).one("NodePatch").inputs
    assert not inputs.get("spec"), "taints are one value: who writes one of them takes all"


def test_that_our_taint_is_left_out_is_said_once_with_the_command(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda line, *_rest: said.append(line))
    marked(node(taints=[MAINTENANCE]))
    (line,) = said
    assert "keeps the taints of others, maintenance=yes:NoSchedule" in line
    assert "`kubectl taint node n0 nvidia.com/gpu=present:NoSchedule`" in line
    marked(node(taints=[MAINTENANCE, TAINT]))
    assert said == [line]


@pytest.mark.parametrize("taints", [None, [TAINT], [MAINTENANCE]], ids=["none", "ours", "others"])
def test_a_pool_that_is_not_dedicated_writes_no_taint(taints):
    assert not marked(node(taints=taints), dedicated=False).one("NodePatch").inputs.get("spec")
