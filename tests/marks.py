"""Which parameters of a test are for `make check`, and which for `make test` alone."""

from collections.abc import Iterable
from typing import Any

import pytest


def first_of(values: Iterable[Any]) -> list[Any]:
    """The first of `values` for `make check`, and all of them for `make test`."""
    first, *others = values
    return [first, *(further(one) for one in others)]


def further(*values: Any) -> Any:
    """Parameters for `make test` alone."""
    return pytest.param(*values, marks=pytest.mark.exhaustive)
