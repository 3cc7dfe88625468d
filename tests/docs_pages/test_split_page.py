"""docs/split.md: its program makes a cluster and hands out what its stack file then reads."""

import re
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from tests.components.eks_cluster.sdk import wrong_inputs
from tests.components.gke_cluster.clusters import ANSWERS
from tests.components.harness import build
from tests.deploy.eks_stack import locks, resolved
from tests.deploy.gke_stack import computed

from corral.stacks.config.loader import parse
from corral.stacks.deploy.clusters.handed_out import CLUSTER, KUBECONFIG, stated
from corral.stacks.planning.planner import plan

PAGE = (Path(__file__).parents[2] / "docs" / "split.md").read_text()


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def test_what_the_program_hands_out_is_what_the_stack_file_says(monkeypatch: pytest.MonkeyPatch):
    exports: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", lambda name, value: exports.update({name: value}))
    graph = build(lambda: exec(block("python"), {}), answers=ANSWERS, computed=computed())
    made = [one for one in graph if one.type.startswith("gcp:")]
    assert {
        one.name: wrong_inputs(one.type, one.inputs) for one in made if wrong_inputs(one.type, one.inputs)
    } == {}
    config = parse(yaml.safe_load(block("yaml")))
    with resolved():
        planned = plan(config, "platform", locks(config))
    assert set(exports) == {KUBECONFIG, CLUSTER}
    assert exports[CLUSTER] == {key: value for key, (_, value) in stated(planned).items()}
    assert graph.one("StorageClass").object_name == planned.cluster.storage_class
    (pool,) = planned.pools
    nodes = graph.one("NodePool", f"{pool.name}-nodes").inputs
    assert nodes["nodeConfig"]["labels"]["corral.dev/pool"] == pool.name
    assert nodes["nodeCount"] == len(pool.nodes)
    assert nodes["nodeConfig"]["guestAccelerators"][0]["count"] == pool.gpus_per_node
