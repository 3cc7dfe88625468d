"""Generated files of the checkout are as their modules make them, and CONTRIBUTING names each command."""

import importlib
import re
from pathlib import Path

import pytest

from corral.catalogue.files import GeneratedFiles

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("catalogue", "controls", "components", "stacks", "policy", "tools", "cli")
MODULES = [
    "corral." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
    if "GENERATED = GeneratedFiles(" in path.read_text()
]


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_generates_is_fresh(module: str):
    generated: GeneratedFiles = importlib.import_module(module).GENERATED
    assert generated.module == module
    assert generated.texts and generated.stale() == [], f"run: python -m {module} --write"


def test_every_command_that_refreshes_files_is_in_the_guide():
    named = re.findall(r"python -m (\S+) --write", (ROOT / "CONTRIBUTING.md").read_text())
    assert len(MODULES) > 4 and sorted(named) == sorted(MODULES)
