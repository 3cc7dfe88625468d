"""`corral dashboards`: a page or a document of what Prometheus answers, or a line that says why not."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jsonschema
import pytest
from tests.reports.test_dashboards import CLUSTER

from corral.cli import dashboards as command
from corral.cli import documents
from corral.cli.main import main

STACK = """config:
  corral:platform:
    sovereignty: {profile: open, region: dc-1}
    cluster: {kind: existing}
    observability: {}
"""


class Kubectl:
    """A kubectl before an API server with a Prometheus behind it."""

    problem = ""

    def run(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
        assert arguments[:2] == ["get", "--raw"]
        if self.problem:
            return subprocess.CompletedProcess([], 1, "", self.problem)
        return subprocess.CompletedProcess([], 0, CLUSTER.read(arguments[2]), "")


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kubectl:
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    (tmp_path / "Pulumi.site.yaml").write_text(STACK)
    (tmp_path / "Pulumi.blind.yaml").write_text(STACK.partition("    observability")[0])
    monkeypatch.chdir(tmp_path)
    made = Kubectl()
    monkeypatch.setattr(command, "kubectl_of", lambda plan, stack: made)
    return made


def test_the_page_is_written_and_a_line_says_how_much_of_it_has_data(kubectl, capsys, tmp_path: Path):
    assert main(["-s", "site", "dashboards", "--hours", "0.5"]) == 0
    assert capsys.readouterr().out == "dashboards-site.html: 1 dashboards, 2 of 2 panels have data\n"
    assert (tmp_path / "dashboards-site.html").read_text().startswith("<!DOCTYPE html>")


def test_the_document_has_every_series_and_nothing_is_written_unless_a_file_is_named(
    kubectl, capsys, tmp_path: Path
):
    assert main(["-s", "site", "dashboards", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, json.loads(documents.SCHEMA.read_text()))
    assert found["kind"] == "Dashboards" and found["end"] - found["start"] == pytest.approx(3600)
    assert found["dashboards"][0]["panels"][1]["series"][0]["points"][-1][1] == 2147483648
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.parametrize(
    ("stack", "problem", "code", "why"),
    [
        ("blind", "", 2, "stack blind has no section observability"),
        (
            "site",
            "error: connection refused",
            1,
            "does not answer /apis/monitoring.coreos.com/v1/prometheuses",
        ),
    ],
)
def test_a_platform_that_cannot_be_read_is_one_line(kubectl, capsys, stack, problem, code, why):
    kubectl.problem = problem
    assert main(["-s", stack, "dashboards"]) == code
    said = capsys.readouterr().err
    assert why in said and said.count("\n") == 1


@pytest.mark.parametrize("hours", ["0", "-1", "many", "inf"])
def test_a_time_that_cannot_be_drawn_is_refused(kubectl, capsys, hours):
    with pytest.raises(SystemExit) as refused:
        main(["-s", "site", "dashboards", f"--hours={hours}"])
    assert refused.value.code == 2
    assert "use hours above 0" in capsys.readouterr().err
