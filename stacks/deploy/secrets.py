"""The stack's encrypted settings."""

from collections.abc import Iterable

import pulumi

from corral.catalogue.sources import SECRET
from corral.stacks.config.stack_config import SECRETS


def secret(key: str) -> pulumi.Output[str]:
    """The secret `corral:<key>`.

    Raises:
        pulumi.RunError: the stack has none.
    """
    if key not in SECRETS and not SECRET.fullmatch(key):
        raise ValueError(f"{key} is no secret of a stack: {', '.join(SECRETS)}")
    return pulumi.Config("corral").require_secret(key)


def secrets_in_plain_text(keys: Iterable[str] = SECRETS) -> list[str]:
    """Secrets among `keys` that the stack file holds without encryption."""
    settings = pulumi.Config("corral")
    return [key for key in keys if _is_plain(settings, key)]


def _is_plain(settings: pulumi.Config, key: str) -> bool:
    return settings.get_secret(key) is not None and not pulumi.runtime.is_config_secret(
        settings.full_key(key)
    )
