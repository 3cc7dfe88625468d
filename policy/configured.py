"""A pack that knows the configuration of the stack it judges.

The engine hands a stack's configuration to each pack before it asks for anything; pulumi-policy 1.21.0 keeps
only the tags of it. This servicer takes the rest, and makes the policies from it.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from pulumi_policy import EnforcementLevel, Policy, PolicyPack
from pulumi_policy import policy as crossguard

Make = Callable[[Mapping[str, str]], list[Policy]]
"""Configuration (`corral:platform` -> JSON text) to policies."""


def configured(make: Make) -> Any:
    """A class of servicers whose policies are those that `make` gives for the stack's configuration."""
    base: Any = crossguard._PolicyAnalyzerServicer  # pyright: ignore[reportPrivateUsage]
    kept: list[Policy] = []

    def begin(self: Any, name: str, version: str, policies: list[Policy], *more: Any) -> None:
        kept[:] = policies
        base.__init__(self, name, version, kept, *more)

    def configure(self: Any, request: Any, context: Any) -> Any:
        secret = set(cast(list[str], request.config_secret_keys))
        config = cast(Mapping[str, str], request.config)
        kept[:] = make({key: value for key, value in config.items() if key not in secret})
        return base.ConfigureStack(self, request, context)

    return type("ConfiguredServicer", (base,), {"__init__": begin, "ConfigureStack": configure})


def serve(name: str, make: Make) -> None:
    """Serve the pack until the engine ends it; until it is configured, as for an empty configuration."""
    crossguard._PolicyAnalyzerServicer = configured(make)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    PolicyPack(name=name, policies=make({}), enforcement_level=EnforcementLevel.MANDATORY)
