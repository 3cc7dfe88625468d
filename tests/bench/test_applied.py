"""Objects of a stack as Helm and kubectl take them, and what its program imports."""

import json
from pathlib import Path

import pytest
from bench import applied, programs
from bench.applied import SIGNATURE

ROOT = Path(__file__).parents[2]
SECRET = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": json.dumps({"key": "value"})}


def made(kind, **inputs):
    stated = {"apiVersion": "v1", "kind": kind, "metadata": {"name": kind.lower()}, **inputs}
    return {"type": f"kubernetes:core/v1:{kind}", "inputs": {"__defaults": [], **stated}}


CHART = """
Pulled: registry.example.eu/mirror/charts/kserve@sha256:0
Digest: sha256:0
---
kind: ClusterRole
metadata: {name: reader}
---
kind: CustomResourceDefinition
metadata: {name: models}
---
kind: Job
metadata: {name: removal, annotations: {helm.sh/hook: pre-delete}}
"""


def test_objects_of_pulumi_and_of_charts_are_applied_in_plain_and_types_come_first(tmp_path, monkeypatch):
    monkeypatch.setattr(applied, "template", lambda release, _: CHART if release.name == "kserve" else "")
    monkeypatch.setattr(applied.toolchain, "tool", lambda _: Path("helm"))
    state = [
        made("Secret", data=SECRET),
        {**made("ConfigMap"), "external": True},
        made("NamespacePatch"),
        {"type": applied.RELEASE, "inputs": {"chart": "/c", "name": "kserve", "namespace": "kserve"}},
    ]
    file = tmp_path / "objects.json"
    _, count = applied.printed(state, file)
    items = json.loads(file.read_text())["items"]
    assert [one["kind"] for one in items] == ["CustomResourceDefinition", "Secret", "ClusterRole"]
    assert count == len(items)
    assert items[1]["data"] == {"key": "value"} and "__defaults" not in items[1]
    assert items[2]["metadata"] == {"namespace": "kserve", "name": "reader"}


@pytest.mark.exhaustive
def test_what_a_stack_imports_is_what_its_plan_has(monkeypatch):
    edge = programs.imports(ROOT / "Pulumi.edge.yaml")
    assert edge.cloud is None
    assert "corral.stacks.deploy.clusters.existing" in edge.ours
    assert "corral.stacks.deploy.component_args.kserve" in edge.ours
    assert "pulumi_kubernetes.core.v1" in edge.sdks
    assert not [name for name in edge.sdks if name.startswith(("pulumi_aws", "pulumi_gcp"))]
