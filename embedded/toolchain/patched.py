"""Modules that are built with changes of ours: fewer files, other lines in some, and files beside theirs."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from corral.embedded.toolchain.chartfiles import copy_writable
from corral.embedded.toolchain.errors import ToolchainError


def copy_without(module: Path, copy: Path, *left_out: str) -> None:
    """A writable copy of a read-only module, less files and folders of names such as `*_test.go`."""
    copy_writable(module, copy)
    for pattern in left_out:
        for entry in [*copy.rglob(pattern)]:
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)


def patch(source: Path, root: Path, title: str = "") -> None:
    """Put the lines of `replaced.yaml` of `source` in the place of others below `root`, and `patch` beside.

    Raises:
        ToolchainError: a file has no such lines; `title` begins the message.
    """
    replaced: list[Mapping[str, str]] = yaml.safe_load((source / "replaced.yaml").read_text())
    for change in replaced:
        file, old = root / change["file"], change["old"]
        text = file.read_text()
        if old not in text:
            raise ToolchainError(f"{title}no {old!r} in {change['file']}")
        file.write_text(text.replace(old, change["new"]))
    if (beside := source / "patch").exists():
        shutil.copytree(beside, root, dirs_exist_ok=True)
        shutil.rmtree(beside)
