"""Corral: a sovereign, self-hosted LLM platform on Kubernetes, as a Pulumi program.

Components and the types of their arguments are imported from here; `__init__.pyi` lists them. Each is loaded
when it is first used, so that a program without a cloud never loads that cloud's SDK.
"""

import importlib
import re
from functools import cache
from pathlib import Path
from typing import Any

_beside = Path(__file__).parent
if not (_beside / "catalogue").is_dir():
    # A checkout that does not keep links: the rooms are at its top.
    __path__.append(str(_beside.parents[1]))


@cache
def _exports() -> dict[str, str]:
    text = (_beside / "__init__.pyi").read_text()
    return {name: module for module, name in re.findall(r"^from (\S+) import (\w+) as", text, re.MULTILINE)}


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in _exports():
        raise AttributeError(f"module 'corral' has no attribute {name!r}")
    try:
        value = getattr(importlib.import_module(_exports()[name]), name)
    except ModuleNotFoundError as missing:
        sdk = missing.name or ""
        if not sdk.startswith("pulumi_"):
            raise
        extra = sdk.removeprefix("pulumi_").partition(".")[0]
        raise ImportError(f"corral.{name} needs {sdk}: pip install 'corral[{extra}]'") from missing
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_exports()})
