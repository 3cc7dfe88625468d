"""The graph of every committed stack, as `python -m corral.stacks.deploy.graph` prints it."""

import json
from pathlib import Path

import pulumi
import pytest
from tests.marks import first_of

from corral.components import _recorded
from corral.stacks.deploy.graph import main

ROOT = Path(__file__).parents[2]
STACKS = sorted(ROOT.glob("Pulumi.*.yaml"))
CLUSTER = {"eks-eu": "EksCluster", "eks-eusc": "EksCluster", "gke-eu": "GkeCluster"}
"""Component that makes the cluster of a stack; that of the others is there before."""


@pytest.mark.parametrize("file", first_of(STACKS), ids=lambda file: file.name.split(".")[1])
def test_a_committed_stack_prints_the_cluster_that_it_makes_and_its_models(file, capsys):
    assert main(file) == 0
    printed = json.loads(capsys.readouterr().out)
    made = {one["type"].removeprefix("corral:index:") for one in printed}
    assert made & set(CLUSTER.values()) == {CLUSTER.get(file.name.split(".")[1])} - {None}
    assert {"KServe", "Model"} <= made


def test_a_function_of_a_cloud_without_an_answer_is_named(monkeypatch):
    token = "aws:ec2/getPrefixList:getPrefixList"
    monkeypatch.setattr(
        _recorded, "ANSWERS", {key: one for key, one in _recorded.ANSWERS.items() if key != token}
    )
    with pytest.raises((pulumi.RunError, LookupError), match=token):
        main(ROOT / "Pulumi.eks-eu.yaml")
