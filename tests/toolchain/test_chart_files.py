"""Charts made from module files."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from corral.embedded.toolchain.builder import ModulePin
from corral.embedded.toolchain.chartfiles import CopiedChart, DefinitionsChart, Subchart
from corral.embedded.toolchain.envoy_gateway import EnvoyGatewayChart, GatewayDefinitionsChart
from corral.embedded.toolchain.errors import ToolchainError

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


GATEWAY = ModulePin("example.test/gateway", "v1.9.0", "h1:gateway")


@pytest.fixture
def gateway(tmp_path: Path) -> Path:
    """A module with a chart as Envoy Gateway's has it before its release, and its definitions."""
    chart = tmp_path / "gateway" / "charts" / "gateway-helm"
    (chart / "crds").mkdir(parents=True)
    (chart / "Chart.yaml").write_text('name: gateway-helm\nversion: v0.0.0-latest\nappVersion: "latest"\n')
    (chart / "values.tmpl.yaml").write_text("image: ${GatewayImage}\npullPolicy: ${GatewayImagePullPolicy}\n")
    (chart / "crds" / "gateways.yaml").write_text(DEFINITION + WIDGETS)
    return tmp_path / "gateway"


def test_a_chart_that_only_a_release_completes_gets_its_version_and_its_values(gateway: Path, tmp_path: Path):
    made = tmp_path / "made"
    EnvoyGatewayChart("gateway-helm", GATEWAY, "charts/gateway-helm").make({GATEWAY: gateway}, made)
    described = yaml.safe_load((made / "Chart.yaml").read_text())
    assert (described["version"], described["appVersion"]) == ("v1.9.0", "v1.9.0")
    assert yaml.safe_load((made / "values.yaml").read_text()) == {
        "image": "docker.io/envoyproxy/gateway:v1.9.0",
        "pullPolicy": "IfNotPresent",
    }
    assert not (made / "values.tmpl.yaml").exists()


def test_a_chart_of_two_projects_definitions_has_those_of_the_one_that_is_on(
    modules: dict[ModulePin, Path], gateway: Path, tmp_path: Path
):
    made = tmp_path / "made"
    chart = GatewayDefinitionsChart(
        "crds", GATEWAY, "charts/*/crds/*.yaml", DefinitionsChart("api", APP, "crds/*.yaml")
    )
    assert set(chart.modules) == {GATEWAY, APP}
    chart.make(modules | {GATEWAY: gateway}, made)
    assert {file.name: file.read_text().partition("\n")[0] for file in (made / "templates").iterdir()} == {
        "gateways.yaml": "{{ if .Values.crds.envoyGateway.enabled }}",
        "widgets.yaml": "{{ if .Values.crds.gatewayAPI.enabled }}",
    }
    assert yaml.safe_load((made / "values.yaml").read_text()) == {
        "crds": {"envoyGateway": {"enabled": False}, "gatewayAPI": {"enabled": False}}
    }
