"""Stubs of what this project uses of Pulumi's SDKs: `python ci/sdk_stubs.py FOLDER`.

An SDK's module brings some hundred others with it, tens of megabytes that a type checker would read for five
names. The stubs hold those names and what their signatures refer to, with the SDK's own signatures: the
checker says the same in a fraction of the time. Without the folder it reads the SDKs themselves.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import re
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SDKS = {"aws": "pulumi_aws", "gcp": "pulumi_gcp", "kubernetes": "pulumi_kubernetes"}
"""Package by the name under which modules import it."""
SOURCES = (
    *("__main__.py", "catalogue", "controls", "stacks", "components", "policy", "tools", "embedded", "cli"),
    *("bench", "docs/examples"),
)
USE = re.compile(r"\b(aws|gcp|kubernetes)\.(?:([a-z_0-9.]+)\.)?([A-Z]\w*|get_\w+)")
NAME = re.compile(
    r"(?:\b_(?P<module>[a-z0-9]+(?:\.v\d\w*)?)\.|(?<![\w.]))(?P<outputs>outputs\.)?(?P<name>[A-Za-z_]\w*)"
)
HEADER = """import builtins as _builtins
from enum import Enum
from typing import Any, Awaitable, Callable, Literal, Mapping, NotRequired, Optional, Sequence, TypedDict
from typing import Union, overload

import pulumi
import pulumi.runtime
"""
Key = tuple[str, str]
"""Module of an SDK (`compute`, `core.v1`, "" for its root), and a name in it (`outputs.…` of its outputs)."""


def used() -> dict[str, set[Key]]:
    """Names of each SDK that the sources use."""
    found: dict[str, set[Key]] = defaultdict(set)
    for source in SOURCES:
        path = ROOT / source
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            text = file.read_text()
            for alias, module, name in USE.findall(text):
                if f"import {SDKS[alias]} as {alias}" in text:
                    found[SDKS[alias]].add((module, name))
    return found


@cache
def folder_of(package: str, module: str = "") -> Path:
    """Where `module` of `package` is installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    return Path(spec.origin).parent.joinpath(*module.split("."))


@cache
def definitions(folder: Path) -> dict[str, str]:
    """Text of each class and function in `folder` by name, those of outputs.py as `outputs.…`."""
    found: dict[str, str] = {}
    for file in sorted(folder.glob("*.py")):
        prefix, decorators = "outputs." if file.name == "outputs.py" else "", ""
        for text in re.split(r"\n(?=(?:@|class |def |[A-Za-z_(]))", file.read_text()):
            if named := re.match(r"(?:class|def) (\w+)", text):
                found.setdefault(f"{prefix}{named[1]}", decorators + text)
            decorators = f"{text}\n" if text.startswith("@") else ""
    return found


def stub(text: str) -> str:
    """`text` of a class or function without what is no signature."""
    [node] = ast.parse(text).body
    for one in ast.walk(node):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            one.body = [ast.Expr(ast.Constant(...))]
        elif isinstance(one, ast.ClassDef):
            one.body = list(_members(one)) or [ast.Expr(ast.Constant(...))]
    return ast.unparse(node)


def _members(class_: ast.ClassDef) -> Iterator[ast.stmt]:
    overloaded = {one.name for one in class_.body if isinstance(one, ast.FunctionDef) and _overload(one)}
    for one in class_.body:
        if isinstance(one, ast.FunctionDef):
            if one.name != "_internal_init" and (one.name not in overloaded or _overload(one)):
                yield one
        elif not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
            yield one


def _overload(function: ast.FunctionDef) -> bool:
    return any(isinstance(one, ast.Name) and one.id == "overload" for one in function.decorator_list)


def stubs(package: str, names: set[Key]) -> dict[str, dict[str, str]]:
    """By module of `package`, the stub of each of `names` and of what these refer to."""
    made: dict[str, dict[str, str]] = defaultdict(dict)
    queue = sorted(names)
    while queue:
        module, name = queue.pop()
        known = definitions(folder_of(package, module))
        if name in made[module] or name not in known:
            continue
        text = made[module][name] = stub(known[name])
        for one in NAME.finditer(text):
            there, prefix = one["module"], one["outputs"] or ""
            if there:
                if folder_of(package, there).is_dir():
                    queue.append((there, prefix + one["name"]))
            else:
                own = name.startswith("outputs.") and f"outputs.{one['name']}" in known
                queue.append((module, ("outputs." if own else prefix) + one["name"]))
    return made


def write(folder: Path, package: str, made: dict[str, dict[str, str]]) -> None:
    """`made` as files below `folder`."""
    inside: dict[str, set[str]] = {"": set()}
    for module in made:
        steps = module.split(".") if module else []
        for depth, step in enumerate(steps):
            inside.setdefault(".".join(steps[:depth]), set()).add(step)
            inside.setdefault(".".join(steps[: depth + 1]), set())
    for module, submodules in inside.items():
        texts = made.get(module, {})
        place = folder.joinpath(package, *filter(None, module.split(".")))
        place.mkdir(parents=True, exist_ok=True)
        here = ".".join(filter(None, (package, module)))
        body = "\n\n".join(texts[name] for name in sorted(texts) if not name.startswith("outputs."))
        outputs = "\n\n".join(texts[name] for name in sorted(texts) if name.startswith("outputs."))
        imports = "".join(f"from {here} import {one} as {one}\n" for one in sorted(submodules))
        if module and texts:
            imports += "from . import outputs as outputs\n"
            own = f"{_aliases(package, inside, outputs)}from . import outputs\nfrom . import *\n"
            (place / "outputs.pyi").write_text(f"{HEADER}{own}\n{outputs}\n")
        imports += _aliases(package, inside, body)
        (place / "__init__.pyi").write_text(f"{HEADER}{imports}\n{body}\n")


def _aliases(package: str, inside: dict[str, set[str]], text: str) -> str:
    """Imports of the modules of `package` that `text` calls `_core` and the like."""
    return "".join(
        f"from {package} import {one} as _{one}\n" for one in sorted(inside[""]) if f"_{one}." in text
    )


def main() -> None:
    """Make the stubs in the folder of the first argument anew where SDKs, uses or this file have changed."""
    folder, names = Path(sys.argv[1]), used()
    versions = {package: importlib.metadata.version(package) for package in names}
    uses = sorted((package, sorted(keys)) for package, keys in names.items())
    state = f"{Path(__file__).read_text()}{sorted(versions.items())}{uses}"
    digest, stamp = hashlib.sha256(state.encode()).hexdigest(), folder / "digest"
    if stamp.is_file() and stamp.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    for package, keys in names.items():
        keys |= {("", "Provider")}
        write(folder, package, stubs(package, keys))
    stamp.write_text(digest)


if __name__ == "__main__":
    main()
