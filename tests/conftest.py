"""Which tests share a process when several run side by side (`-n 2 --dist loadgroup`).

Tests that start planes stay together in two groups, each in the order of its files, since they share planes
and keep a core busy. Of the others each file is a group. (xdist's own `xdist_group` marks have no effect in
pytest 9.2, which no longer takes a test's name from where xdist 3.8 writes the group.)
"""

import gc
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
STACKS = {"components", "e2e", "fair_sharing", "importing", "programs", "tools"}
"""Folders whose planes are one group; those of the other folders are the second."""

RANGES = ("96-172", "174-250")
"""Addresses of the planes of a process: what one stops, no other takes before it is started again."""
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) or "CORRAL_RANGES" not in os.environ:
    os.environ["CORRAL_RANGES"] = RANGES[int((worker or "gw0")[2:]) % len(RANGES)]

os.environ.setdefault("GOGC", "100")
"""Planes of tests rather take memory than time."""


gc.disable()  # Until everything is collected: what modules are made of is no garbage.


WHOLE = re.compile(r"^pytestmark = pytest\.mark\.(\w+)$", re.MULTILINE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Neither compile nor import a file that as a whole has a mark which is not asked for."""
    wanted = config.option.markexpr.split(" and ")
    if collection_path.suffix != ".py" or " or " in config.option.markexpr:
        return None
    marks = WHOLE.findall(collection_path.read_text())
    return True if any(f"not {mark}" in wanted for mark in marks) else None


def pytest_collection_finish() -> None:
    """Keep the garbage collector from looking at the modules, hundreds of megabytes, again and again."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def kubectl_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What kubectl reads of servers is not kept in the home of whoever runs the tests."""
    os.environ.setdefault("KUBECACHEDIR", str(tmp_path_factory.mktemp("kubectl")))


class Groups(LoadScopeScheduling):
    """One process for each group, as long as there are processes."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid.partition("::")[0])


@cache
def group(file: str) -> str:
    """Group of the tests in `file`, a path below the project's root."""
    path = TESTS.parent / file
    if "pytest.mark.engine" not in path.read_text():
        return file
    return "stacks" if path.relative_to(TESTS).parts[0] in STACKS else "planes"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Our groups for `--dist loadgroup`; what xdist does for the rest."""
    return Groups(config, log) if config.getvalue("dist") == "loadgroup" else None
