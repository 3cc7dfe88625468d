"""A pack that knows the configuration of the stack it judges.

The engine hands a stack's configuration to each pack before it asks for anything; pulumi-policy 1.21.0 keeps
only the tags of it. This servicer takes the rest, and makes the policies from it.
"""

import copy
from collections.abc import Callable, Mapping, Set
from typing import Any, cast

from pulumi_policy import EnforcementLevel, Policy, PolicyPack
from pulumi_policy import policy as crossguard

Make = Callable[[Mapping[str, str]], list[Policy]]
"""Configuration (`corral:platform` -> JSON text) to policies."""
Concerns = Callable[[str, str], bool]
"""Whether the policy of a name can have anything to say about resources of a type."""
POLICIES = "_PolicyAnalyzerServicer__policies"


def configured(make: Make, concerns: Concerns) -> Any:
    """A class of servicers whose policies are those that `make` gives for the stack's configuration.

    pulumi-policy unpacks each resource anew for each policy: only those that it `concerns` are asked.
    """
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

    def asking(self: Any, tokens: Set[str]) -> Any:
        view = copy.copy(self)
        asked = [one for one in kept if any(concerns(one.name, token) for token in tokens)]
        setattr(view, POLICIES, asked)
        return view

    def analyze(self: Any, request: Any, context: Any) -> Any:
        return base.Analyze(asking(self, {str(request.type)}), request, context)

    def analyze_stack(self: Any, request: Any, context: Any) -> Any:
        tokens = {str(one.type) for one in request.resources}
        return base.AnalyzeStack(asking(self, tokens), request, context)

    own = {"__init__": begin, "ConfigureStack": configure, "Analyze": analyze, "AnalyzeStack": analyze_stack}
    return type("ConfiguredServicer", (base,), own)


def serve(name: str, make: Make, concerns: Concerns) -> None:
    """Serve the pack until the engine ends it; until it is configured, as for an empty configuration."""
    crossguard._PolicyAnalyzerServicer = configured(make, concerns)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    PolicyPack(name=name, policies=make({}), enforcement_level=EnforcementLevel.MANDATORY)
