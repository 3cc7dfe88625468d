import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.commands import helm_template

Render = Callable[[Path, str, Mapping[str, Any]], str]


@pytest.fixture
def upstream_charts() -> Path:
    """Folder with Chart.yaml and values.yaml of upstream's charts."""
    root = Path(os.environ.get("CORRAL_UPSTREAM", Path(__file__).parents[3] / "shared" / "upstream"))
    if not (root / "charts").is_dir():
        pytest.skip(f"no upstream data in {root}; set CORRAL_UPSTREAM")
    return root / "charts"


@pytest.fixture
def render() -> Render:
    """`helm template` of a folder under values: the rendered text, or the refusal."""

    def helm(folder: Path, name: str, values: Mapping[str, Any]) -> str:
        try:
            return helm_template(name, folder, values, "--kube-version", "1.35.4", namespace="here")
        except AssertionError as refusal:
            return f"refused: {refusal}"

    return helm


def objects(text: str) -> list[dict[str, Any]]:
    """Objects of a rendered text."""
    assert not text.startswith("refused"), text
    return [entry for entry in yaml.load_all(text, Loader=yaml.CSafeLoader) if entry]
