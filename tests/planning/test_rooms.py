"""Imports of the rooms that parse, plan and report."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from tests.stacks.stack_files import ROOT

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


CONFIG = sorted((ROOT / "stacks" / "config").rglob("*.py"))


@pytest.mark.parametrize("path", CONFIG, ids=lambda path: path.name)
def test_configuration_parses_and_does_not_plan(path: Path):
    for name in imports(path):
        rooms = ("corral.catalogue", "corral.controls", "corral.stacks.config")
        assert not name.startswith("corral.") or name.startswith(rooms), name


PLANNING = sorted((ROOT / "stacks" / "planning").rglob("*.py"))


@pytest.mark.parametrize("path", PLANNING, ids=lambda path: path.name)
def test_planning_takes_no_fact_from_its_validation(path: Path):
    validation = ROOT / "stacks" / "planning" / "validation"
    if path != ROOT / "stacks" / "planning" / "planner.py" and validation not in path.parents:
        assert not [name for name in imports(path) if ".validation" in name]
