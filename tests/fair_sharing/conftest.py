"""One platform for the whole folder: up once, gone afterwards."""

import tempfile
from pathlib import Path

import pytest
from tests.e2e import platform_client
from tests.fair_sharing.stack import STACK

from corral.catalogue.vocabulary import Addon
from corral.embedded.toolchain import ensure, needed


@pytest.fixture(scope="package")
def platform():
    """The platform of `STACK`; it ends with nothing of it left on the machine."""
    with tempfile.TemporaryDirectory(prefix="corral-fair-", ignore_cleanup_errors=True) as folder:
        checkout = platform_client.checkout_with(Path(folder), STACK)
        with platform_client.gone_afterwards(
            platform_client.Platform(Path(folder) / "home", checkout)
        ) as running:
            ensure(needed([Addon.KUEUE, Addon.ENVOY_GATEWAY]), lambda _line: None)
            done = running.corral("up", seconds=platform_client.UP_SECONDS)
            if done.code:
                pytest.fail(f"corral up: {done.output[-4000:]}", pytrace=False)
            yield running
