"""The stack's configuration inside a Pulumi program: the only place that reads `pulumi.Config`."""

from collections.abc import Mapping
from pathlib import Path

import pulumi

from corral.stacks.config.errors import ConfigErrors, Problem
from corral.stacks.config.loader import KEY, parse, plain_secret
from corral.stacks.config.model_lock import LockedModel, read_lock
from corral.stacks.config.stack_config import SECRETS, StackConfig


def load() -> StackConfig:
    """The object `corral:platform` of the stack that is being run.

    Raises:
        ConfigErrors: it is missing, or something in it is wrong.
    """
    namespace, _, key = KEY.partition(":")
    settings = pulumi.Config(namespace)
    plain = [name for name in SECRETS if _in_plain_text(settings, name)]
    if plain:
        raise ConfigErrors([plain_secret(name) for name in plain])
    content = settings.get_object(key)
    if content is None:
        raise ConfigErrors([Problem("config", f"{KEY} is missing", "the stack file needs this object")])
    return parse(content)


def locked() -> Mapping[str, LockedModel]:
    """Files of the stack's models by name, from the lock beside its stack file.

    Raises:
        ConfigErrors: the lock cannot be read, or something in it is wrong.
    """
    return read_lock(Path(f"Pulumi.{pulumi.get_stack()}.yaml"))


def _in_plain_text(settings: pulumi.Config, name: str) -> bool:
    present = settings.get_secret(name) is not None
    return present and not pulumi.runtime.is_config_secret(settings.full_key(name))
