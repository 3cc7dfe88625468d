"""`corral plan --cluster`: what an existing cluster has and lacks, and the exit code for CI."""

import contextlib
import importlib
import io
import json
import subprocess
from pathlib import Path

import pytest
from tests.cli.documents import validate
from tests.components.existing_cluster.clusters import NODES, WHOLE, kubeconfig, listed, node, serving

from corral.cli import cluster_check
from corral.cli.main import main

STACK = """config:
  corral:platform:
    sovereignty: {profile: open, region: embedded}
    cluster: {kind: KIND, kubeconfig: ./site.yaml}
    gpu-pools:
      - {name: whole, gpu: H100-80GB, nodes: {names: [gpu-0]}, gpus-per-node: 1}
    models: [{name: chat, model: llama-3.1-8b, weights: simulated}]
"""


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (tmp_path / "Pulumi.site.yaml").write_text(STACK.replace("KIND", "existing"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plan_alone_asks_no_cluster_and_says_so(checkout, capsys):
    assert main(["plan", "-s", "site"]) == 0
    line = "not checked: `corral plan -s site --cluster` reads what it has and lacks"
    assert line in capsys.readouterr().out


@pytest.fixture
def in_process(monkeypatch) -> None:
    """What looks at a cluster runs in the process of the test, which has imported Pulumi already."""

    def run(command, *, cwd, **_options):
        _python, _m, module, file, *words = command
        assert cwd == Path(file).parent
        with contextlib.redirect_stdout(io.StringIO()) as out:
            code = importlib.import_module(module).main(Path(file), words)
        return subprocess.CompletedProcess(command, code, out.getvalue())

    monkeypatch.setattr(cluster_check.subprocess, "run", run)


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize(
    ("nodes", "code", "line"),
    [
        (WHOLE[NODES], 0, "fine: nodes: node gpu-0 has GPUs"),
        (listed(node("cpu-0")), 1, "refused: nodes: there is no node gpu-0; there are cpu-0"),
    ],
)
def test_a_cluster_that_is_reached_gives_a_line_for_each_finding(checkout, capsys, nodes, code, line):
    with serving({**WHOLE, NODES: nodes}) as server:
        (checkout / "site.yaml").write_text(kubeconfig(server))
        assert main(["plan", "-s", "site", "--cluster"]) == code
        out = capsys.readouterr().out
        assert f"Cluster {server}" in out and line in out and "fine: version: the cluster is v1.35.1" in out
        main(["plan", "-s", "site", "--cluster", "--json"])
    found = json.loads(capsys.readouterr().out)
    validate(found)
    levels = {one["check"]: one["level"] for one in found["cluster_check"]["findings"]}
    assert levels["nodes"] == ("refused" if code else "fine") and levels["dra"] == "fine"


def test_a_cluster_that_nobody_answers_for_is_not_checked_with_the_reason_and_the_plan_is_there(
    checkout, capsys
):
    (checkout / "site.yaml").write_text(kubeconfig("http://127.0.0.1:1"))
    assert main(["plan", "-s", "site", "--cluster"]) == 1
    out = capsys.readouterr().out
    assert "not checked: http://127.0.0.1:1 does not answer: " in out and "Models" in out


@pytest.mark.usefixtures("in_process")
def test_a_cluster_that_the_stack_makes_itself_is_not_checked(checkout, capsys):
    text = STACK.replace("KIND, kubeconfig: ./site.yaml", "embedded").replace("names: [gpu-0]", "names: [n]")
    (checkout / "Pulumi.own.yaml").write_text(text)
    assert main(["plan", "-s", "own", "--cluster"]) == 1
    assert (
        "not checked: a cluster of kind embedded is made by Corral, after the plan" in capsys.readouterr().out
    )
