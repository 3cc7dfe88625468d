"""Which tests share a process when several run side by side (`-n 2 --dist loadgroup`).

Tests that start planes stay together in two groups, each in the order of its files, since they share planes
and keep a core busy. Of the others each file is a group.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
STACKS = {"components", "e2e", "fair_sharing", "importing", "programs", "tools"}
"""Folders whose planes are one group; those of the other folders are the second."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    path = item.path.relative_to(TESTS)
    if not item.get_closest_marker("engine"):
        return str(path)
    return "stacks" if path.parts[0] in STACKS else "planes"
