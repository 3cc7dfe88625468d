"""docs/promotion.md: plans of two environments differ by what their files differ in, and by nothing else."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.components.existing_cluster.clusters import unexamined
from tests.deploy.eks_stack import built_in, planned
from tests.deploy.test_any_accepted_stack import Served

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promotion.md").read_text()
PRODUCTION = (ROOT / "Pulumi.onprem.yaml").read_text()
Flat = Mapping[str, Any]


def changes(name: str) -> list[tuple[str, str]]:
    """(old, new) lines of the block of the page."""
    (block,) = re.findall(rf"```diff {name}\n(.*?)```", PAGE, re.DOTALL)
    old = [line[1:] for line in block.splitlines() if line.startswith("-")]
    new = [line[1:] for line in block.splitlines() if line.startswith("+")]
    return list(zip(old, new, strict=True))


def changed(text: str, lines: list[tuple[str, str]]) -> str:
    for old, new in lines:
        assert text.count(f"{old}\n") == 1, old
        text = text.replace(f"{old}\n", f"{new}\n")
    return text


STAGING = changed(PRODUCTION, changes("staging"))


def content(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)["config"]["corral:platform"]


@cache
def flat(text: str, stack: str = "production") -> Flat:
    """The plan of a stack file, one value for each path."""
    return dict(_leaves(asdict(planned(content(text), stack)), ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _leaves(one, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _leaves(one, f"{path}[{index}]")
    else:
        yield path.removeprefix("."), value


def difference(one: Flat, other: Flat) -> dict[str, tuple[Any, Any]]:
    paths = one.keys() | other.keys()
    return {path: (one.get(path), other.get(path)) for path in paths if one.get(path) != other.get(path)}


def roots(paths: Mapping[str, Any]) -> set[str]:
    """First parts of paths; of models with the index."""
    return {re.match(r"models\[\d+\]|[a-z_]+", path)[0] for path in paths}  # type: ignore[index]


def test_equal_files_have_plans_that_are_equal_but_for_the_name():
    assert difference(flat(PRODUCTION), flat(PRODUCTION, "staging")) == {"stack": ("production", "staging")}


LAYOUT = {"pools", "models[0]", "models[1]", "models[2]", "shares"}
"""What follows from another layout of slices."""
BY_KEY = {
    "sovereignty": {"region", "storage", "policy"},
    "cluster": {"cluster"},
    "name: slices": {*LAYOUT, "cost"},
    "name: chat": {*LAYOUT, "device_classes"},
}


def test_staging_differs_from_production_by_what_its_lines_say_and_by_nothing_else():
    lines = changes("staging")
    assert len(lines) == len(BY_KEY)
    for (old, new), (key, parts) in zip(lines, BY_KEY.items(), strict=True):
        assert key in old
        alone = flat(changed(PRODUCTION, [(old, new)]))
        assert roots(difference(flat(PRODUCTION), alone)) == parts
    assert roots(difference(flat(PRODUCTION), flat(STAGING))) == set().union(*BY_KEY.values())


def test_a_change_is_the_same_in_both_environments_and_reaches_its_model_alone():
    deltas: list[dict[str, Any]] = []
    for text in (STAGING, PRODUCTION):
        found = difference(flat(text), flat(changed(text, changes("change"))))
        assert roots(found) == {"models[1]", "pools"}, "the slices are as large as before"
        assert {path for path in found if path.startswith("pools")} == {
            path for path in found if path.endswith(".used")
        }
        deltas.append({path: pair for path, pair in found.items() if path.startswith("models")})
    assert deltas[0] == deltas[1]
    assert deltas[0]["models[1].source"] == ("s3://intake/qwen2.5-coder-7b", "s3://intake/qwen3-8b-2026-11")


def test_an_update_with_the_change_touches_the_resources_of_its_model_alone():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        unexamined(patch)
        plans = (
            planned(content(text), "production")
            for text in (PRODUCTION, changed(PRODUCTION, changes("change")))
        )
        before, after = (
            {one.urn: one for one in built_in(made, answers={}, computed={}, found=Served())}
            for made in plans
        )
    touched = {
        urn
        for urn in before.keys() | after.keys()
        if urn not in before or urn not in after or before[urn].inputs != after[urn].inputs
    }
    names = {(after.get(urn) or before[urn]).name for urn in touched}
    assert names == {"code-import", "code-rollout", "code-service"}
