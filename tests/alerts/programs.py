"""Programs of Prometheus and Alertmanager that judge what is written for them."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def found(name: str) -> str | None:
    """Path of a program beside this interpreter, else on PATH."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def needs(name: str) -> pytest.MarkDecorator:
    """A mark of tests that need a program, which `make` brings."""
    return pytest.mark.skipif(found(name) is None, reason=f"there is no {name} on PATH: `make {name}`")


def run(name: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The program's verdict, with what it says on either channel as `stdout`."""
    return subprocess.run(
        [str(found(name)), *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
