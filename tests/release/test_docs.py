"""What README, CONTRIBUTING and docs name is there: links, commands, options, targets of make, variables."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.cli.main import PASSED_ON, build_parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / "docs").glob("*.md"),
)
ROOMS = ("catalogue", "controls", "stacks", "components", "policy", "tools", "embedded", "cli")
VARIABLES = ROOT / "docs" / "environment.md"


def named(page: Path, pattern: str) -> set[str]:
    return set(re.findall(pattern, page.read_text(), re.M))


@pytest.mark.parametrize("page", PAGES, ids=lambda one: one.name)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading_that_are_there(page: Path):
    broken: list[str] = []
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        file = page.parent / target if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def commands() -> dict[str, argparse.ArgumentParser]:
    (sub,) = (one for one in build_parser()._actions if isinstance(one, argparse._SubParsersAction))
    return dict(sub.choices)


def stated_commands() -> Iterator[tuple[Path, str, str]]:
    """Page, command and the rest of it, of every `corral …` in code: a span, or an indented line."""
    for page in PAGES:
        for code in (*re.findall(r"`([^`\n]+)`", page.read_text()), *named(page, r"^ {4}(.+)$")):
            for command, rest in re.findall(
                r"(?:^|[|(] ?)corral (?:-s \S+ )?([a-z]+)\b([^|#]*)", code.strip()
            ):
                yield page, command, rest


def test_every_command_and_option_that_a_page_names_is_there():
    known, stated = commands(), list(stated_commands())
    assert len({command for _page, command, _rest in stated}) > 8
    unknown = [(page.name, command) for page, command, _rest in stated if command not in known]
    assert unknown == []
    options = [
        (page.name, command, option)
        for page, command, rest in stated
        if command not in PASSED_ON
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", rest)
    ]
    assert len(options) > 5
    assert [one for one in options if one[2] not in known[one[1]]._option_string_actions] == []


def test_every_target_of_make_that_a_page_names_is_there():
    targets = named(ROOT / "Makefile", r"^([a-z]+):")
    stated = {
        (page.name, target) for page in PAGES for target in named(page, r"(?:`|^ {4}(?:\$ )?)make ([a-z]+)")
    }
    assert len(stated) > 8
    assert {one for one in stated if one[1] not in targets} == set()


def read_variables(file: Path) -> Iterator[str]:
    """Names of variables that `file` reads of the environment, where they are written out or constants."""
    tree = ast.parse(file.read_text())
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            key = node.slice
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("os.environ.get", "os.getenv"):
            key = node.args[0]
        elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "os.environ":
            key = node.left
        if isinstance(key, ast.Constant):
            yield str(key.value)
        elif isinstance(key, ast.Name) and key.id in constants:
            yield str(constants[key.id])


def test_every_variable_that_is_read_is_on_the_page_of_variables_and_none_beside_them():
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.py")]
    read = {name for file in files for name in read_variables(file)}
    documented = named(VARIABLES, r"`([A-Z][A-Z0-9_]+)`")
    assert {"CORRAL_HOME", "KUBECONFIG", "HF_TOKEN", "HELM_REGISTRY_CONFIG"} <= read
    assert read - documented - {"PATH"} == set()
    tests = (ROOT / "tests").rglob("*.py")
    text = "\n".join(file.read_text() for file in (*files, *tests))
    sources = {f"CORRAL_SOURCE_NAME_{key}" for key in ("ACCESS_KEY", "SECRET_KEY", "TOKEN")}
    assert {name for name in documented - sources - {"SOURCE_"} if name not in text} == set()


@pytest.mark.parametrize("page", [one for one in PAGES if one != VARIABLES], ids=lambda one: one.name)
def test_a_variable_of_ours_that_a_page_names_is_on_the_page_of_variables(page: Path):
    ours = named(page, r"`\$?(CORRAL_[A-Z_]+)`")
    documented = named(VARIABLES, r"`([A-Z][A-Z0-9_]+)`")
    assert {re.sub("_INTAKE_", "_NAME_", name) for name in ours} <= documented
