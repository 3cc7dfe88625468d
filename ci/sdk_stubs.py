"""Stubs of what this project uses of the SDKs of AWS and Google: `python ci/sdk_stubs.py FOLDER`.

An SDK's module brings some hundred others with it, tens of megabytes that a type checker would read for five
names. The stubs hold those names and what their signatures refer to, with the SDK's own signatures: the
checker says the same in half the time. Without the folder it reads the SDKs themselves.
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
SDKS = {"aws": "pulumi_aws", "gcp": "pulumi_gcp"}
"""Package by the name under which modules import it."""
SOURCES = (
    *("__main__.py", "catalogue", "controls", "stacks", "components", "policy", "tools", "embedded", "cli"),
    *("bench", "docs/examples"),
)
USE = re.compile(r"\b(aws|gcp)\.(?:([a-z_0-9]+)\.)?([A-Z]\w*|get_\w+)")
NAME = re.compile(r"(?:\b_(?P<module>[a-z0-9]+)\.|\b(?P<outputs>outputs)\.|(?<![\w.]))(?P<name>[A-Za-z_]\w*)")
HEADER = """import builtins as _builtins
from enum import Enum
from typing import Any, Awaitable, Callable, Mapping, NotRequired, Optional, Sequence, TypedDict, Union
from typing import overload

import pulumi
import pulumi.runtime
"""
Key = tuple[str, str]
"""Module of an SDK, "" for its root, and a name in it; those of `outputs` begin with `outputs.`."""


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
def folder_of(package: str) -> Path:
    """Where `package` is installed."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    return Path(spec.origin).parent


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
            if one.name not in ("_internal_init", "get") and (one.name not in overloaded or _overload(one)):
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
        known = definitions(folder_of(package) / module)
        if name in made[module] or name not in known:
            continue
        text = made[module][name] = stub(known[name])
        for one in NAME.finditer(text):
            if one["module"]:
                if (folder_of(package) / one["module"]).is_dir():
                    queue.append((one["module"], one["name"]))
            else:
                own = name.startswith("outputs.") and f"outputs.{one['name']}" in known
                queue.append((module, f"outputs.{one['name']}" if one["outputs"] or own else one["name"]))
    return made


def write(folder: Path, package: str, made: dict[str, dict[str, str]]) -> None:
    """`made` as files below `folder`."""
    modules = sorted(one for one in made if one)
    for module, texts in made.items():
        place = folder / package / module
        place.mkdir(parents=True, exist_ok=True)
        body = "\n\n".join(texts[name] for name in sorted(texts) if not name.startswith("outputs."))
        others = [one for one in modules if f"_{one}." in body]
        imports = "".join(f"from {package} import {one} as _{one}\n" for one in others)
        if module:
            imports += "from . import outputs\n"
            outputs = "\n\n".join(texts[name] for name in sorted(texts) if name.startswith("outputs."))
            (place / "outputs.pyi").write_text(
                f"{HEADER}from . import outputs\nfrom . import *\n\n{outputs}\n"
            )
        else:
            imports += "".join(f"from {package} import {one} as {one}\n" for one in modules)
        (place / "__init__.pyi").write_text(f"{HEADER}{imports}\n{body}\n")


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
