"""Each stand-in chart beside what upstream's chart prints for the same values."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.charts.conftest import objects

pytestmark = [pytest.mark.upstream, pytest.mark.engine]
STAND_INS = Path(__file__).parents[2] / "embedded" / "charts"
NAMES = sorted(path.parent.name for path in STAND_INS.glob("*/Chart.yaml"))


def stated(name: str, what: str) -> dict[str, str]:
    """`Kind/name` patterns with their reasons, of the chart's own header."""
    about = yaml.safe_load((STAND_INS / name / "Chart.yaml").read_text())
    return yaml.safe_load(about["annotations"].get(f"corral.dev/{what}", "{}"))


def keys(documents: list[dict[str, Any]]) -> set[str]:
    """`Kind/name` of each; with `@` the events at which it runs as a hook."""
    found = set[str]()
    for one in documents:
        hook = (one["metadata"].get("annotations") or {}).get("helm.sh/hook")
        found.add(f"{one['kind']}/{one['metadata']['name']}" + (f"@{hook}" if hook else ""))
    return found


def matching(keys: set[str], pattern: str) -> set[str]:
    """A pattern without `@` matches no hook."""
    where, _, hook = pattern.partition("@")
    apart = ((one, *one.partition("@")[::2]) for one in keys)
    return {one for one, name, event in apart if fnmatch(name, where) and event == hook}


def printed(upstream: Path, name: str) -> Iterator[tuple[set[str], dict[str, Any]]]:
    """What upstream's chart prints in each variant, resource types among it, with the values it had."""
    types = {f"CustomResourceDefinition/{file.stem}" for file in (upstream / "crds" / name).glob("*.yaml")}
    for file in sorted((upstream / "rendered").glob(f"*/{name}.yaml")):
        text = yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)
        values = yaml.safe_load(file.with_suffix(".values.yaml").read_text())
        yield keys([one for one in text if one]) | types, values


def differences(name: str, upstream_charts: Path, render: Any) -> tuple[set[str], set[str], set[str]]:
    """Of all variants: what both have, what only upstream's has, what only the stand-in has."""
    files = (STAND_INS / name).glob("crds/*.yaml")
    own = keys([yaml.safe_load(file.read_text()) for file in files])
    both, left, added = set[str](), set[str](), set[str]()
    for theirs, values in printed(upstream_charts.parent, name):
        ours = keys(objects(render(STAND_INS / name, name, values))) | own
        both |= theirs & ours
        left |= theirs - ours
        added |= ours - theirs
    return both, left, added


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_names_all_that_it_leaves_out_and_all_that_it_adds(name, upstream_charts, render):
    both, left, added = differences(name, upstream_charts, render)
    assert both, "they have something in common"
    for what, difference in (("leaves-out", left), ("adds", added)):
        patterns = stated(name, what)
        assert difference - {one for pattern in patterns for one in matching(difference, pattern)} == set(), (
            what
        )
        assert [pattern for pattern in patterns if not matching(difference, pattern)] == [], (
            f"{what}: no longer"
        )
