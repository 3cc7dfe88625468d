"""The stack's configuration inside a Pulumi program; its secrets are in `secrets`."""

from collections.abc import Mapping
from pathlib import Path

import pulumi

from corral.stacks.config.errors import ConfigErrors, Problem
from corral.stacks.config.loader import KEY, parse, plain_secret
from corral.stacks.config.model_lock import LockedModel, read_lock
from corral.stacks.config.stack_config import SETTINGS, StackConfig
from corral.stacks.deploy.secrets import secrets_in_plain_text


def load() -> StackConfig:
    """The object `corral:platform` of the stack that is being run.

    Raises:
        ConfigErrors: it is missing, or something in it is wrong.
    """
    plain = secrets_in_plain_text()
    if plain:
        raise ConfigErrors([plain_secret(name) for name in plain])
    namespace, _, key = KEY.partition(":")
    content = pulumi.Config(namespace).get_object(key)
    if content is None:
        raise ConfigErrors([Problem("config", f"{KEY} is missing", "the stack file needs this object")])
    return parse(content)


def locked() -> Mapping[str, LockedModel]:
    """Files of the stack's models by name, from the lock beside its stack file.

    Raises:
        ConfigErrors: the lock cannot be read, or something in it is wrong.
    """
    return read_lock(Path(f"Pulumi.{pulumi.get_stack()}.yaml"))


def setting(key: str) -> str | None:
    """The plain setting `corral:<key>`, one of `SETTINGS`."""
    if key not in SETTINGS:
        raise ValueError(f"{key} is no setting of a stack: {', '.join(SETTINGS)}")
    return pulumi.Config("corral").get(key)
