import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

Render = Callable[[Path, str, Mapping[str, Any]], str]


@pytest.fixture
def upstream_charts() -> Path:
    """Folder with Chart.yaml and values.yaml of upstream's charts."""
    root = Path(os.environ.get("CORRAL_UPSTREAM", Path(__file__).parents[3] / "shared" / "upstream"))
    if not (root / "charts").is_dir():
        pytest.skip(f"no upstream data in {root}; set CORRAL_UPSTREAM")
    return root / "charts"


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """`helm template` of a folder under values: the rendered text, or the refusal."""
    from corral.embedded.toolchain import tool

    def helm(folder: Path, name: str, values: Mapping[str, Any]) -> str:
        file = tmp_path / "values.json"
        file.write_text(json.dumps(values))
        command = [tool("helm"), "template", name, folder, "--namespace", "here", "--values", file]
        run = subprocess.run(
            [*map(str, command), "--kube-version", "1.35.4"], capture_output=True, text=True, timeout=60
        )
        return run.stdout if run.returncode == 0 else f"refused: {run.stderr}"

    return helm


def objects(text: str) -> list[dict[str, Any]]:
    """Objects of a rendered text."""
    assert not text.startswith("refused"), text
    return [entry for entry in yaml.load_all(text, Loader=yaml.CSafeLoader) if entry]
