"""A pack that knows the configuration of the stack it evaluates, and one of its own.

The engine hands a stack's configuration to each pack before it asks for anything; pulumi-policy 1.21.0 keeps
only the tags of it. This servicer takes the rest, and makes the policies from it. What
`--policy-pack-config` has for the policy `SETTINGS` comes later, and wins.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Set
from typing import Any, cast

from google.protobuf import json_format
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyProviderResource,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import policy as crossguard

from corral.controls.stamp import has_stamp
from corral.policy.adapt import unpacked
from corral.policy.stamp import Ledger

Make = Callable[[Mapping[str, str]], list[Policy]]
"""Configuration (`corral:platform` -> JSON text) to policies."""
Concerns = Callable[[str, str], bool]
"""Whether the policy of a name can have anything to say about resources of a type."""
SETTINGS = "constraints"
"""Name of the policy whose configuration is that of the whole pack."""
OWN = "corral:pack"
"""Key under which that is handed to `Make`, as JSON text."""
TAGS = "_PolicyAnalyzerServicer__stack_tags"


_LEVELS = {
    EnforcementLevel.ADVISORY: analyzer_pb2.ADVISORY,
    EnforcementLevel.MANDATORY: analyzer_pb2.MANDATORY,
    EnforcementLevel.DISABLED: analyzer_pb2.DISABLED,
    EnforcementLevel.REMEDIATE: analyzer_pb2.REMEDIATE,
}
_BY_NUMBER = {number: level for level, number in _LEVELS.items()}


def configured(make: Make, concerns: Concerns, ledger: Ledger | None = None) -> Any:
    """A class of servicers whose policies are those that `make` gives for the stack's configuration.

    pulumi-policy unpacks each resource anew for each policy; here it is unpacked once, and only where it
    `concerns` one. `ledger` keeps what the policies say of each resource.
    """
    said = ledger or Ledger()
    base: Any = crossguard._PolicyAnalyzerServicer  # pyright: ignore[reportPrivateUsage]
    kept: list[Policy] = []
    stack: dict[str, str] = {}
    by_token: dict[str, list[tuple[Policy, EnforcementLevel]]] = {}
    remediated: dict[str, bool] = {}
    providers: dict[bytes, Any] = {}

    def begin(self: Any, name: str, version: str, policies: list[Policy], *more: Any) -> None:
        kept[:] = policies
        base.__init__(self, name, version, kept, *more)

    def configure(self: Any, request: Any, context: Any) -> Any:
        secret = set(cast(list[str], request.config_secret_keys))
        config = cast(Mapping[str, str], request.config)
        stack.clear()
        stack.update({key: value for key, value in config.items() if key not in secret})
        said.begin()
        kept[:] = make(stack)
        by_token.clear()
        remediated.clear()
        return base.ConfigureStack(self, request, context)

    def configure_pack(self: Any, request: Any, context: Any) -> Any:
        stated = request.policyConfig
        own = json_format.MessageToDict(stated[SETTINGS].properties) if SETTINGS in stated else {}
        if own:
            _keep_stated(request, {one.name: self._get_enforcement_level(one) for one in kept})
            kept[:] = make({**stack, OWN: json.dumps(own)})
        by_token.clear()
        remediated.clear()
        return base.Configure(self, request, context)

    def of_resources(self: Any, token: str) -> list[tuple[Policy, EnforcementLevel]]:
        if token not in by_token:
            by_token[token] = list(active(self, ResourceValidationPolicy, {token}))
        return by_token[token]

    def provider_of(self: Any, request: Any) -> Any:
        key = request.provider.SerializeToString(deterministic=True)
        if key not in providers:
            providers[key] = _provider(request)
        return providers[key]

    def active(self: Any, kind: type[Policy], tokens: Set[str]) -> Iterator[tuple[Policy, EnforcementLevel]]:
        self._configure_runtime_settings()
        for one in kept:
            level = self._get_enforcement_level(one)
            concerned = any(concerns(one.name, token) for token in tokens)
            if concerned and isinstance(one, kind) and level is not EnforcementLevel.DISABLED:
                yield one, level

    def reporter(self: Any, response: Any, one: Policy, level: EnforcementLevel) -> ReportViolation:
        return self._create_report_violation(response, one.name, one.description, level, one.severity)

    def analyze(self: Any, request: Any, context: Any) -> Any:
        response = analyzer_pb2.AnalyzeResponse()
        evaluated = of_resources(self, str(request.type))
        if evaluated:
            options, provider = self._get_resource_options(request), provider_of(self, request)
            tags = getattr(self, TAGS)
            args = ResourceValidationArgs(
                request.type,
                unpacked(request.properties),
                request.urn,
                request.name,
                options,
                provider,
                None,
                tags,
            )
            for one, level in evaluated:
                cast(Any, one).validate(args, reporter(self, response, one, level))
        found = [
            (one.policyName, _BY_NUMBER[one.enforcementLevel], one.message) for one in response.diagnostics
        ]
        said.record(request.urn, found)
        return response

    def remediate(self: Any, request: Any, context: Any) -> Any:
        token = str(request.type)
        if token not in remediated:
            own = (one for one in kept if isinstance(one, ResourceValidationPolicy) and one.has_remediation())
            remediated[token] = any(concerns(one.name, token) for one in own)
        if not remediated[token] or not has_stamp(token, unpacked(request.properties)):
            return analyzer_pb2.RemediateResponse()
        said.levels({one.name: self._get_enforcement_level(one) for one in kept}, kept)
        return base.Remediate(self, request, context)

    def analyze_stack(self: Any, request: Any, context: Any) -> Any:
        response = analyzer_pb2.AnalyzeResponse()
        evaluated = list(active(self, StackValidationPolicy, {str(one.type) for one in request.resources}))
        if evaluated:
            args = StackValidationArgs(_resources(self, request, provider_of), None, getattr(self, TAGS))
            for one, level in evaluated:
                cast(Any, one).validate(args, reporter(self, response, one, level))
        return response

    own = {
        "__init__": begin,
        "Configure": configure_pack,
        "ConfigureStack": configure,
        "Analyze": analyze,
        "Remediate": remediate,
        "AnalyzeStack": analyze_stack,
    }
    return type("ConfiguredServicer", (base,), own)


def _keep_stated(request: Any, before: Mapping[str, EnforcementLevel]) -> None:
    """Drop the levels that the engine only repeats; those of the profile that is configured hold instead."""
    for name, one in list(request.policyConfig.items()):
        if name in before and one.enforcementLevel == _LEVELS.get(before[name]):
            del request.policyConfig[name]


def _provider(request: Any) -> PolicyProviderResource | None:
    if not request.HasField("provider"):
        return None
    own = request.provider
    return PolicyProviderResource(own.type, unpacked(own.properties), own.urn, own.name)


def _resources(
    servicer: Any, request: Any, provider_of: Callable[[Any, Any], PolicyProviderResource | None]
) -> list[PolicyResource]:
    """All resources of the stack, each with those that its values come from."""
    by_urn: dict[str, PolicyResource] = {}
    for one in request.resources:
        options, provider = servicer._get_resource_options(one), provider_of(servicer, one)
        by_urn[one.urn] = PolicyResource(
            one.type, unpacked(one.properties), one.urn, one.name, options, provider, None, [], {}
        )
    for one in request.resources:
        sources = by_urn[one.urn].property_dependencies
        for key, value in one.propertyDependencies.items():
            sources[key] = [by_urn[urn] for urn in value.urns if urn in by_urn]
    return list(by_urn.values())


def serve(name: str, make: Make, concerns: Concerns, ledger: Ledger) -> None:
    """Serve the pack until the engine ends it; until it is configured, as for an empty configuration."""
    crossguard._PolicyAnalyzerServicer = configured(make, concerns, ledger)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    PolicyPack(name=name, policies=make({}), enforcement_level=EnforcementLevel.MANDATORY)
