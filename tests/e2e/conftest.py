"""One platform for the whole folder: brought up once, used in the order of the files, gone afterwards."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from platform_client import CHECKOUT, UP_SECONDS, Done, Platform, gone_afterwards, in_use, ports_of

REUSE = "CORRAL_E2E_HOME"
"""Name of a CORRAL_HOME whose stack dev is up: used, and left up, instead of a new one."""


@pytest.fixture(scope="session")
def brought_up() -> Iterator[tuple[Platform, Done]]:
    """The platform, and how the first `corral up` ended; it ends with nothing of it left on the machine."""
    if REUSE in os.environ:
        platform = Platform(Path(os.environ[REUSE]), Path(os.environ.get("CORRAL_E2E_CHECKOUT", CHECKOUT)))
        yield platform, Done(0, "", "")
        return
    with tempfile.TemporaryDirectory(prefix="corral-e2e-", ignore_cleanup_errors=True) as folder:
        platform = Platform(Path(folder))
        ports: set[int] = set()
        with gone_afterwards(platform):
            first = platform.corral("up", seconds=UP_SECONDS)
            ports = ports_of(platform)
            yield platform, first
        assert not ports & in_use(), "ports of the platform are still in use"


@pytest.fixture(scope="session")
def platform(brought_up: tuple[Platform, Done]) -> Platform:
    """The platform, up."""
    platform, done = brought_up
    if done.code:
        pytest.fail(f"corral up: {done.output[-3000:]}", pytrace=False)
    return platform
