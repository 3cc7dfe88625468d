"""The stack's configuration inside a Pulumi program: the only place that reads `pulumi.Config`."""

import pulumi

from corral.stacks.config.errors import ConfigErrors, Problem
from corral.stacks.config.loader import KEY, parse, plain_secret
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


def _in_plain_text(settings: pulumi.Config, name: str) -> bool:
    present = settings.get_secret(name) is not None
    return present and not pulumi.runtime.is_config_secret(settings.full_key(name))
