"""What stacks/ may import, what it prints, and that what is generated from it is fresh."""

import ast
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from rich.console import Console
from tests.stacks.stack_files import ROOT, model, planned, stack

from corral.catalogue.vocabulary import AddonState
from corral.stacks.config import json_schema as schema
from corral.stacks.config.loader import read
from corral.stacks.planning.planner import plan
from corral.stacks.reports.terminal.plan import render

STARTS_PULUMI = ROOT / "stacks" / "deploy"
"""Where a plan becomes components, and where Pulumi hands over the stack."""
ALLOWED = ("corral.catalogue", "corral.controls", "corral.stacks")


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


PURE = [path for path in sorted((ROOT / "stacks").rglob("*.py")) if STARTS_PULUMI not in path.parents]


@pytest.mark.parametrize("path", PURE, ids=lambda path: path.name)
def test_a_pure_module_imports_no_pulumi_and_no_room_but_those_it_may(path: Path):
    for name in imports(path):
        assert not name.startswith("pulumi"), name
        assert not name.startswith("corral.") or name.startswith(ALLOWED), name


@pytest.mark.parametrize("path", sorted((ROOT / "catalogue").glob("*.py")), ids=lambda path: path.name)
def test_the_catalogue_imports_nothing_but_itself(path: Path):
    for name in imports(path):
        assert not name.startswith(("pulumi", "kubernetes")), name
        assert not name.startswith("corral.") or name.startswith("corral.catalogue"), name


def test_settings_and_secrets_are_read_by_one_module_each():
    readers = {
        path.relative_to(ROOT)
        for folder in ("stacks", "components", "catalogue", "controls", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if "pulumi.Config(" in path.read_text()
    }
    assert readers == {Path("stacks/deploy/load.py"), Path("stacks/deploy/secrets.py")}


def test_planning_printing_and_drawing_load_no_pulumi():
    program = (
        "import sys, io; from pathlib import Path; from rich.console import Console;"
        "from corral.stacks.config.loader import read; from corral.stacks.planning.planner import plan;"
        "from corral.stacks.reports.terminal.plan import render; from corral.stacks.reports.html import page;"
        "made = plan(read(Path('Pulumi.dev.yaml')), 'dev');"
        "render(made, Console(file=io.StringIO())); page(made);"
        "print([name for name in sys.modules if name.startswith(('pulumi', 'grpc'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def printed(width: int = 80) -> str:
    screen = io.StringIO()
    render(plan(read(ROOT / "Pulumi.dev.yaml"), "dev"), Console(file=screen, width=width, no_color=True))
    return screen.getvalue()


def test_the_plan_fits_80_columns_without_colour():
    text = printed()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text and "…" not in text, "nothing is cut off"


def test_the_plan_shows_every_part_chart_slice_and_model():
    text = printed(120)
    result = plan(read(ROOT / "Pulumi.dev.yaml"), "dev")
    for addon in result.addons:
        assert addon.addon.value in text
        charts = addon.charts if addon.state is AddonState.MANAGED else ()
        assert all(chart.name in text and chart.version in text for chart in charts)
    for one in result.models:
        assert one.name in text and one.model in text and one.engine.value in text
    lines = [
        line for line in text.splitlines() if line.lstrip().startswith(("slices-0/", "1g.5gb", "3g.20gb"))
    ]
    assert len(lines) == sum(len(gpu.slices) for gpu in result.pools[0].gpus)
    assert f"{len(result.pins.unresolved)} of {len(result.pins.unresolved)} digests unresolved" in text
    assert text.count(" *") >= 4, "simulated models are marked"


def test_the_memory_of_a_model_is_shown_in_parts_that_add_up_to_its_device():
    text = printed(120)
    rows = text[text.index("Memory of models") :].splitlines()[2:7]
    result = plan(read(ROOT / "Pulumi.dev.yaml"), "dev")
    for row, one in zip(rows, result.models, strict=True):
        name, *numbers, context, longest, sequences = row.split()
        assert (name, int(context), int(longest)) == (one.name, one.context, one.largest_context)
        assert sequences == (str(one.full_sequences) if one.full_sequences else "-")
        assert sum(map(float, numbers)) == pytest.approx(one.memory.usable / (1 << 30), abs=0.25)


def test_a_plan_of_real_models_alone_speaks_of_no_simulation():
    screen = io.StringIO()
    render(planned(), Console(file=screen, width=80))
    assert "simulated" not in screen.getvalue()


def test_generated_files_are_fresh():
    assert schema.stale() == [], "run: python -m corral.stacks.config.json_schema --write"


def test_a_stale_file_is_found_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(schema, "ROOT", tmp_path)
    monkeypatch.setattr(schema, "SCHEMA", tmp_path / "schema" / "s.json")
    monkeypatch.setattr(schema, "TABLE", tmp_path / "docs" / "t.md")
    monkeypatch.setattr(schema, "MODELS", tmp_path / "docs" / "m.md")
    assert schema.main(["--check"]) == 1
    assert "schema/s.json: stale" in capsys.readouterr().out
    assert not (tmp_path / "schema").exists(), "check writes nothing"
    assert schema.main(["--write"]) == 0
    assert schema.main(["--check"]) == 0


@pytest.fixture(scope="module")
def validator() -> Any:
    content = json.loads((ROOT / "schema" / "stack.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_every_stack_file_satisfies_the_schema_and_names_it(path: Path, validator: Any):
    validator.validate(yaml.safe_load(path.read_text()))
    assert path.read_text().startswith("# yaml-language-server: $schema=schema/stack.schema.json\n")


def test_the_schema_allows_what_pulumi_writes(validator: Any):
    content = {
        "secretsprovider": "passphrase",
        "encryptionsalt": "v1:abc",
        "config": {
            "corral:platform": stack(),
            "corral:grafana-password": {"secure": "v1:xyz"},
            "kubernetes:context": "x",
        },
    }
    validator.validate(content)


@pytest.mark.parametrize(
    "change",
    [
        {"corral:platform": stack(modles=[])},
        {"corral:platform": stack(models=[model(replicas=0)])},
        {"corral:platform": stack(models=[model(model="lama")])},
        {"corral:platform": stack(custom_models={"ours": {"task": "chat", "license": "MIT", "layer": 3}})},
        {"corral:platform": stack(model_storage={"size": "50GB"})},
        {"corral:platform": stack(addons={"kservee": "off"})},
        {"corral:grafana-password": "plain"},
        {"corral:unknown": 1},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(change: dict[str, Any], validator: Any):
    content = {"config": {"corral:platform": stack(), **change}}
    assert list(validator.iter_errors(content))


def test_every_key_of_the_model_has_a_meaning_in_the_table():
    rows = [line for line in schema.table().splitlines() if line.startswith("| `")]
    assert len(rows) > 40
    assert not [row for row in rows if row.rstrip(" |").endswith("|") or row.endswith("|  |")]
