"""The stack's encrypted settings."""

import pulumi

from corral.stacks.config.stack_config import SECRETS


def secret(key: str) -> pulumi.Output[str]:
    """The secret `corral:<key>`.

    Raises:
        pulumi.RunError: the stack has none.
    """
    if key not in SECRETS:
        raise ValueError(f"{key} is no secret of a stack: {', '.join(SECRETS)}")
    return pulumi.Config("corral").require_secret(key)


def secrets_in_plain_text() -> list[str]:
    """Secrets that the stack file holds without encryption."""
    settings = pulumi.Config("corral")
    return [key for key in SECRETS if _is_plain(settings, key)]


def _is_plain(settings: pulumi.Config, key: str) -> bool:
    return settings.get_secret(key) is not None and not pulumi.runtime.is_config_secret(
        settings.full_key(key)
    )
