"""`corral exit`: how a stack is left, and what other clusters need of its file."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.stacks.stack_files import problems

from corral.catalogue.exit import ExitTest, exits
from corral.catalogue.vocabulary import ClusterKind
from corral.cli.main import main
from corral.stacks.config.errors import Problem
from corral.stacks.reports.exit import (
    ExitRegister,
    OtherCluster,
    cluster_lines,
    other_cluster,
    register_lines,
)

ROOT = Path(__file__).parents[2]
RELEASE = {"name": "x", "namespace": "n", "chart": "oci://registry.example.eu/mirror/charts/qdrant@sha256:0"}


def resource(token: str, **inputs) -> dict:
    return {"type": token, "name": "x", "urn": token, "parent": "", "read": False, "inputs": inputs}


def test_the_most_bound_comes_first_and_releases_go_by_their_chart():
    graph = [
        resource("kubernetes:core/v1:Secret"),
        resource("kubernetes:helm.sh/v3:Release", **RELEASE),
        resource("aws:s3/bucket:Bucket"),
        resource("aws:s3/bucketPolicy:BucketPolicy"),
        {**resource("aws:eks/cluster:Cluster"), "read": True},
    ]
    lines, unknown = register_lines(graph)
    assert [(one.name, one.resources) for one in lines] == [("S3", 2), ("Qdrant", 1), ("Kubernetes", 1)]
    assert lines[0].tested == "untested" and unknown == ()


def test_the_site_s_own_test_is_shown_unless_the_repository_s_is_later():
    graph = [
        resource("kubernetes:serving.kserve.io/v1beta1:InferenceService"),
        resource("kubernetes:kueue.x-k8s.io/v1beta2:Cohort"),
        resource("kubernetes:cert-manager.io/v1:Issuer"),
    ]
    kueue = exits()["Kueue"].tested
    assert isinstance(kueue, ExitTest)
    own = {
        "KServe": ExitTest(date=date(2026, 10, 1), by="record 17"),
        "Kueue": ExitTest(date=kueue.date - timedelta(1), by="record 18"),
    }
    tested = {one.name: one.tested for one in register_lines(graph, own)[0]}
    assert tested == {
        "KServe": "2026-10-01: record 17 (stack file)",
        "Kueue": f"{kueue.date}: {kueue.by}",
        "cert-manager": "untested",
    }


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ({"Qdrnt": {"date": "2026-10-01", "by": "record 17"}}, "Qdrant"),
        ({"Kubernetes": {"date": "2026-10-01", "by": "record 17"}}, "no entry"),
        ({"Qdrant": {"date": "2999-10-01", "by": "record 17"}}, "in the future"),
        ({"Qdrant": {"date": "soon", "by": "record 17"}}, "exit-tests.Qdrant.date"),
    ],
)
def test_a_test_of_no_entry_or_of_no_day_yet_is_refused(tests, said):
    assert any(said in one for one in problems(exit_tests=tests))


def test_a_type_that_the_register_lacks_is_named():
    assert register_lines([resource("aws:sagemaker/endpoint:Endpoint")])[1] == (
        "aws:sagemaker/endpoint:Endpoint",
    )


def test_what_differs_on_another_cluster_is_a_line_each():
    here = [resource("kubernetes:core/v1:Secret"), resource("kubernetes:core/v1:NodePatch")]
    there = [resource("kubernetes:core/v1:Secret"), resource("aws:eks/nodeGroup:NodeGroup")]
    problem = Problem("gpu-pools[0].nodes", "names", "nodes are made on demand")
    register = ExitRegister(
        "site",
        ClusterKind.EXISTING,
        (),
        (),
        (
            other_cluster(ClusterKind.EKS, here, there),
            other_cluster(ClusterKind.EMBEDDED, here, here),
            OtherCluster(ClusterKind.GKE, (problem,)),
        ),
    )
    assert list(cluster_lines(register)) == [
        "eks: planned as it is",
        "  more: aws:eks/nodeGroup:NodeGroup",
        "  less: kubernetes:core/v1:NodePatch",
        "embedded: planned as it is, with the same types",
        "gke: 1 keys differ",
        "  gpu-pools[0].nodes: names: nodes are made on demand",
    ]


@pytest.mark.exhaustive
def test_the_committed_site_is_left_by_this_register(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["exit", "-s", "onprem", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    register = document["register"]
    names = {one["name"]: one for one in register["lines"]}
    assert document["kind"] == "Exit" and {"KServe", "Qdrant", "Kyverno", "Kubernetes"} <= set(names)
    assert all(
        one["replacement"] and one["export"] for one in names.values() if one["portability"] != "portable"
    )
    others = {one["kind"]: one for one in register["clusters"]}
    assert set(others) == {one.value for one in ClusterKind} - {"existing"}
    assert others["embedded"] == {"kind": "embedded", "problems": [], "added": [], "removed": []}
    for one in others.values():
        assert one["problems"] or one["kind"] == "embedded" or one["added"]


def test_a_register_without_a_type_ends_with_1(capsys, monkeypatch):
    from corral.cli import exit as command

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(command, "graph_of", lambda *_: [resource("kubernetes:example.com/v1:Thing")])
    assert main(["exit", "-s", "onprem"]) == 1
    assert "kubernetes:example.com/v1:Thing: not in the register" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["exit", "bundle"])
def test_a_stack_without_a_file_is_said_in_one_line(command, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    more = ["--out", str(tmp_path / "out")] if command == "bundle" else []
    assert main([command, "-s", "nowhere", *more]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
