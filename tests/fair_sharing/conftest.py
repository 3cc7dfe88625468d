"""One platform for the whole folder: up once, gone afterwards."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.doubles import identity_provider
from tests.doubles.identity_provider import IdentityProvider
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform
from tests.fair_sharing.callers import KEYS, change_key, connected
from tests.fair_sharing.stack import INTAKE_KEYS, with_tokens

from corral.catalogue.vocabulary import Addon
from corral.embedded.toolchain import ensure, needed


@pytest.fixture(scope="package")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    """Who makes tokens of callers, until a test brings the platform to another stack."""
    with identity_provider.serving(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="package")
def platform(provider: IdentityProvider):
    """The platform of `STACK` and a tenant with tokens; it ends with nothing of it left on the machine."""
    with tempfile.TemporaryDirectory(prefix="corral-fair-", ignore_cleanup_errors=True) as folder:
        checkout = platform_client.checkout_with(Path(folder), with_tokens(provider))
        with platform_client.gone_afterwards(
            platform_client.Platform(Path(folder) / "home", checkout, secrets=INTAKE_KEYS)
        ) as running:
            addons = [Addon.KUEUE, Addon.ENVOY_GATEWAY, Addon.TOKEN_LIMITS, Addon.OBSERVABILITY]
            ensure(needed(addons), lambda _line: None)
            done = running.corral("up", seconds=platform_client.UP_SECONDS)
            if done.code:
                pytest.fail(f"corral up: {done.output[-4000:]}", pytrace=False)
            yield running


@pytest.fixture(scope="module")
def client(platform: Platform) -> Iterator[httpx.Client]:
    """A client of applications that have a key."""
    for tenant, key in KEYS.items():
        change_key(platform, tenant, "app", key)
    with connected(platform) as opened:
        yield opened
