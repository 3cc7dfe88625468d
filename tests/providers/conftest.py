"""One provider of AWS for all tests of a file."""

from collections.abc import Iterator

import pytest
from tests.providers.aws.server import Aws, provider


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Aws, int]]:
    """The provider, with an empty AWS behind it, and its port."""
    with provider() as both:
        yield both


@pytest.fixture(scope="module")
def aws(served: tuple[Aws, int]) -> Aws:
    return served[0]
