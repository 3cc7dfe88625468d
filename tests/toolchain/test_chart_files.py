"""Charts made from module files."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from corral.embedded.toolchain.chartfiles import CopiedChart, DefinitionsChart, Subchart
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.workshop import ModulePin

APP = ModulePin("example.test/app", "v1.19.1", "h1:app")
API = ModulePin("example.test/api", "v0.0.1", "h1:api")
DEFINITION = "---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: "
WIDGETS = """widgets
  annotations: {say: '{{ braces }}'}
spec:
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        description: A widget, told at length.
        type: object
        properties:
          description: {type: string, description: What it is for.}
          operator: {type: string, enum: [=, '!=']}
          since: {default: 2026-01-01}
          parts:
            type: array
            items: {type: object, description: One part.}
"""


@pytest.fixture
def modules(tmp_path: Path) -> dict[ModulePin, Path]:
    """Two read-only module folders: a chart with dependencies, and the subchart that it lacks."""
    app, api = tmp_path / "app", tmp_path / "api"
    chart = {
        "apiVersion": "v2",
        "name": "app",
        "version": "3.9.1",
        "dependencies": [
            {"name": "inner", "version": "3.9.1"},
            {"name": "api", "version": "0.0.1-alpha.4", "repository": "https://charts.example.test"},
            {"name": "extra", "version": "1.0.0", "repository": "https://charts.example.test"},
        ],
    }
    files = {
        app / "charts/app/Chart.yaml": yaml.safe_dump(chart),
        app / "charts/app/Chart.lock": "dependencies: []\n",
        app / "charts/app/charts/inner/Chart.yaml": "apiVersion: v2\nname: inner\nversion: 3.9.1\n",
        api / "charts/api/Chart.yaml": "apiVersion: v2\nname: api\nversion: v0.0.0\n",
        app / "crds/widgets.yaml": DEFINITION + WIDGETS,
        app / "crds/policy.yaml": "apiVersion: v1\nkind: ConfigMap\n",
    }
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(0o444)
    return {APP: app, API: api}


def test_a_copied_chart_names_only_dependencies_that_lie_in_it(
    modules: dict[ModulePin, Path], tmp_path: Path
) -> None:
    chart = CopiedChart("app", APP, "charts/app", (Subchart(API, "charts/api"),), frozenset({"extra"}))
    chart.make(modules, tmp_path / "out")
    described = yaml.safe_load((tmp_path / "out" / "Chart.yaml").read_text())
    assert described["dependencies"] == [
        {"name": "inner", "version": "3.9.1"},
        {"name": "api", "version": "0.0.1-alpha.4"},
    ]
    inner = yaml.safe_load((tmp_path / "out" / "charts" / "api" / "Chart.yaml").read_text())
    assert inner["version"] == "0.0.1-alpha.4"
    assert not (tmp_path / "out" / "Chart.lock").exists()


def test_a_chart_without_changes_is_copied_as_it_is(modules: dict[ModulePin, Path], tmp_path: Path) -> None:
    CopiedChart("app", APP, "charts/app").make(modules, tmp_path / "out")
    copied = tmp_path / "out" / "Chart.yaml"
    assert copied.read_text() == (modules[APP] / "charts/app/Chart.yaml").read_text()
    copied.write_text("writable")


def test_definitions_become_a_chart_of_the_modules_version(
    modules: dict[ModulePin, Path], tmp_path: Path
) -> None:
    DefinitionsChart("app-crds", APP, "crds/*.yaml").make(modules, tmp_path / "out")
    described = yaml.safe_load((tmp_path / "out" / "Chart.yaml").read_text())
    assert (described["name"], described["version"], described["appVersion"]) == (
        "app-crds",
        "1.19.1",
        "v1.19.1",
    )
    assert [path.name for path in (tmp_path / "out" / "templates").iterdir()] == ["widgets.yaml"]


def test_a_module_without_definitions_is_an_error(modules: dict[ModulePin, Path], tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match=r"example.test/app@v1\.19\.1 has no gone"):
        DefinitionsChart("app-crds", APP, "gone/*.yaml").make(modules, tmp_path / "out")


def test_a_definition_is_rendered_as_it_is_but_for_descriptions(
    modules: dict[ModulePin, Path], tmp_path: Path, render: Callable[[Path], str]
) -> None:
    DefinitionsChart("app-crds", APP, "crds/*.yaml").make(modules, tmp_path / "out")
    (rendered,) = yaml.safe_load_all(render(tmp_path / "out"))
    assert rendered["metadata"]["annotations"]["say"] == "{{ braces }}"
    schema = rendered["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema == {
        "type": "object",
        "properties": {
            "description": {"type": "string"},
            "operator": {"type": "string", "enum": ["=", "!="]},
            "since": {"default": "2026-01-01"},
            "parts": {"type": "array", "items": {"type": "object"}},
        },
    }
