import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.charts.conftest import objects
from tests.charts.in_use import uses
from tests.charts.keys import changed, defaults, leaves, unknown

from corral.catalogue.charts import chart, charts
from corral.embedded.toolchain import chart as real_chart

STAND_INS = Path(__file__).parents[2] / "embedded" / "charts"
NAMES = sorted(path.parent.name for path in STAND_INS.glob("*/Chart.yaml"))
IN_USE = uses()
ON_STAND_IN = [use for use in IN_USE if use.chart in NAMES and use.embedded]
REAL = ("kyverno", "kserve-resources", "kueue", "cert-manager", "dra-driver-nvidia-gpu")
ON_REAL = [use for use in IN_USE if use.chart in REAL and use.embedded]


def about(name: str) -> dict:
    return yaml.safe_load((STAND_INS / name / "Chart.yaml").read_text())


def own_values(name: str) -> dict:
    return yaml.safe_load((STAND_INS / name / "values.yaml").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_has_the_version_of_the_chart_it_stands_for_and_says_what_it_is(name):
    found = about(name)
    assert found["name"] == name
    assert found["version"] == chart(name).version, "values that fit one version may not fit another"
    assert found["annotations"]["corral.dev/stand-in"] == "true"


def test_every_chart_whose_values_are_tested_is_in_the_catalogue():
    assert {use.chart for use in IN_USE} <= set(charts())


@pytest.mark.parametrize("use", ON_STAND_IN, ids=str)
def test_a_stand_in_lists_every_key_that_we_set(use):
    text = (STAND_INS / use.chart / "values.yaml").read_text()
    known = {path for path, _ in leaves(own_values(use.chart))}

    def listed(path):
        return any(path[: len(k)] == k or k[: len(path)] == path for k in known) or f"# {path[-1]}:" in text

    missing = [".".join(path) for path, _ in leaves(use.values) if not listed(path)]
    free = [path for path in missing if path.startswith(("config.", "containerSecurityContext."))]
    assert set(missing) == set(free)


def dead_keys(render, folder, use):
    before = render(folder, use.chart, use.values)
    objects(before)
    assert before == render(folder, use.chart, use.values), "a chart that renders by chance proves nothing"
    return [
        ".".join(path)
        for path, _ in leaves(use.values)
        if render(folder, use.chart, changed(use.values, path)) == before
    ]


@pytest.mark.engine
@pytest.mark.parametrize("use", ON_STAND_IN, ids=str)
def test_every_value_we_set_changes_what_a_stand_in_renders(use, render):
    assert dead_keys(render, STAND_INS / use.chart, use) == []


LARGE = 40_000
"""Bytes of a template from which rendering it takes long: what has as many is the schema of a type."""


@pytest.fixture(scope="module")
def without_large_types(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A copy of a real chart that lacks its large resource definitions.

    Values that change all definitions change the small ones; one that changed a large one alone would be
    reported as dead.
    """

    def large(folder: str, names: list[str]) -> list[str]:
        paths = [Path(folder, name) for name in names]
        return [
            one.name
            for one in paths
            if one.suffix == ".yaml"
            and "templates" in one.parts
            and one.stat().st_size > LARGE
            and "kind: CustomResourceDefinition\n" in one.read_text()
        ]

    def copy(name: str) -> Path:
        target = tmp_path_factory.getbasetemp() / "charts-without-large-types" / name
        if not target.exists():
            source = real_chart(name)
            assert source is not None
            shutil.copytree(source, target, ignore=large)
        return target

    return copy


@pytest.mark.engine
@pytest.mark.parametrize("use", ON_REAL, ids=str)
def test_every_value_we_set_changes_what_the_real_chart_renders(use, render, without_large_types):
    assert dead_keys(render, without_large_types(use.chart), use) == []


@pytest.mark.upstream
@pytest.mark.parametrize("use", [use for use in IN_USE if use.values], ids=str)
def test_every_value_we_set_is_a_key_of_the_upstream_chart(use, upstream_charts):
    if not (upstream_charts / use.chart / "values.yaml").is_file():
        pytest.skip(f"no upstream values of {use.chart}")
    assert unknown(upstream_charts, use.chart, use.values) == []


@pytest.mark.upstream
def test_a_misspelt_key_is_noticed(upstream_charts):
    wrong = {"migManager": {"config": {"nmae": "x"}}, "devicePlugins": {"enabled": False}}
    assert unknown(upstream_charts, "gpu-operator", wrong) == ["migManager.config.nmae", "devicePlugins"]


@pytest.mark.upstream
@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_has_upstreams_keys_with_upstreams_defaults(name, upstream_charts):
    theirs = defaults(upstream_charts, name)
    ours = dict(leaves(own_values(name)))
    different = {path: value for path, value in ours.items() if path in theirs and theirs[path] != value}
    assert different == {}
    assert unknown(upstream_charts, name, own_values(name)) == []


@pytest.mark.engine
@pytest.mark.parametrize("use", ON_STAND_IN, ids=str)
def test_every_object_of_a_stand_in_says_so(use, render):
    rendered = objects(render(STAND_INS / use.chart, use.chart, use.values))
    silent = [
        (entry["kind"], entry["metadata"]["name"])
        for entry in rendered
        if entry["metadata"].get("labels", {}).get("corral.dev/stand-in") != "true"
    ]
    assert rendered and silent == []
