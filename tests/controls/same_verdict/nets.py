"""The nets that hold a control: what CrossGuard's analyzer, the API server and Kyverno say of one object."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE
from tests.components.admission.guarded import refusals

from corral.catalogue.vocabulary import CLASS_LABEL
from corral.components.admission.render import kyverno_policy, native_binding, native_policy
from corral.controls.control import UNKNOWN, Control, Resource, Verdict
from corral.controls.kinds import KINDS
from corral.controls.levels import Level
from corral.controls.profiles import Profile
from corral.controls.register import control
from corral.controls.scope import ENFORCED, NAMESPACE_NAME, SCOPE_LABEL, Scope
from corral.policy.configured import configured
from corral.policy.pack import UNDECIDED, concerns, policies

Net = Callable[[Control, Profile, Mapping[str, Any]], bool]
"""Whether a net refuses an object for a control under a profile."""


def stopping(of: Control, limits: Profile) -> Profile:
    """`limits` with control `of` enforced, so that what a profile only reports is compared, too."""
    return replace(limits, overrides={**limits.overrides, of.id: Level.MANDATORY})


def served(of: Control, limits: Profile) -> Any:
    """CrossGuard's analyzer with that control alone, and what says that it is undecided."""
    return _served(of.id, _Key(limits))


@cache
def _served(identity: str, limits: Any) -> Any:
    made = [
        one
        for one in policies(limits.profile)
        if one.name in (identity.lower(), UNDECIDED, f"{UNDECIDED}-of-the-stack")
    ]
    return configured(lambda _config: made, concerns)("corral", "0.1.0", made, EnforcementLevel.MANDATORY)


class _Key:
    """A profile as a key of a cache: it holds mappings."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.text = repr(profile)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def forget() -> None:
    """Ends the analyzers: of those that live until the process ends one takes it down with it."""
    _served.cache_clear()


def crossguard(of: Control, limits: Profile, token: str, props: Mapping[str, Any]) -> bool:
    """Whether the pack stops a resource of type `token`, by CrossGuard's own analyzer."""
    given = struct_pb2.Struct()
    given.update(dict(props))
    request = analyzer_pb2.AnalyzeRequest(
        type=token, name="x", urn=f"urn:pulumi:s::p::{token}::x", properties=given
    )
    analyzer = served(of, stopping(of, limits))
    return any(
        one.policyName == of.id.lower() and one.enforcementLevel == analyzer_pb2.MANDATORY
        for one in analyzer.Analyze(request, None).diagnostics
    )


def of_stack(enforced: Control, limits: Profile, subject: Resource, others: Sequence[Resource]) -> Verdict:
    """The verdict of CrossGuard's analyzer on a resource among others of its stack."""
    everything = [subject, *others]
    service = served(enforced, stopping(enforced, limits))
    listed, found = [], []
    for index, one in enumerate(everything):
        fields = {"type": one.type, "name": one.name, "urn": urn(one, index), "properties": struct(one.props)}
        options = analyzer_pb2.AnalyzerResourceOptions(
            protect=one.protect, ignoreChanges=list(one.ignore_changes)
        )
        named = analyzer_pb2.AnalyzerProviderResource(
            type=f"pulumi:providers:{one.type.partition(':')[0]}",
            name=one.provider_name,
            urn=f"urn:pulumi:s::p::pulumi:providers:x::{one.provider_name}",
            properties=struct(one.provider),
        )
        request = analyzer_pb2.AnalyzeRequest(**fields, options=options, provider=named)
        if index == 0:
            found.extend(service.Analyze(request, None).diagnostics)
        made = analyzer_pb2.AnalyzerResource(**fields, options=options, provider=named)
        for key, urns in one.refers.items():
            made.propertyDependencies[key].urns.extend(urns)
        listed.append(made)
    stack = service.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=listed), None).diagnostics
    first = urn(everything[0], 0)
    found.extend(one for one in stack if one.urn in ("", first))
    if any(one.enforcementLevel == analyzer_pb2.MANDATORY for one in found):
        return Verdict.BAD
    undecided = any("cannot be decided in preview" in one.message for one in found)
    return Verdict.UNDECIDED if undecided else Verdict.GOOD


def urn(one: Resource, index: int) -> str:
    return one.urn or f"urn:pulumi:s::p::{one.type}::{one.name}-{index}"


def struct(props: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(sent(dict(props)))
    return made


def sent(value: Any) -> Any:
    """`value` as the engine sends it: an unknown is a text of its own."""
    if isinstance(value, dict):
        return {key: sent(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [sent(item) for item in value]
    return UNKNOWN_STRING_VALUE if value is UNKNOWN else value


def of_pack(of: Control, limits: Profile, subject: Mapping[str, Any]) -> bool:
    """The pack's verdict on an object that a program declares."""
    props = {key: value for key, value in subject.items() if key not in ("apiVersion", "kind")}
    return crossguard(of, limits, KINDS[subject["kind"]].token, props)


@cache
def _native(identity: str, limits: _Key) -> tuple[Any, Any]:
    one = control(identity)
    return native_policy(one, limits.profile, Scope(()), own_serving=True), native_binding(
        one, limits.profile
    )


@cache
def _kyverno(identity: str, limits: _Key) -> Any:
    return kyverno_policy(control(identity), limits.profile, Scope(()), own_serving=True)


def of_api_server(of: Control, limits: Profile, subject: Mapping[str, Any]) -> bool:
    """The verdict of the ValidatingAdmissionPolicy as it is rendered, with its binding."""
    policy, binding = _native(of.id, _Key(stopping(of, limits)))
    assert policy["failurePolicy"] == "Fail"
    return "Deny" in binding["validationActions"] and _evaluated(policy, subject)


def of_kyverno(of: Control, limits: Profile, subject: Mapping[str, Any]) -> bool:
    """The verdict of Kyverno's ValidatingPolicy as it is rendered; it makes none of its own for templates."""
    policy = _kyverno(of.id, _Key(stopping(of, limits)))
    assert policy["evaluation"]["admission"]["enabled"]
    assert policy["autogen"]["podControllers"]["controllers"] == []
    return "Deny" in policy["validationActions"] and _evaluated(policy, subject)


def _evaluated(policy: Mapping[str, Any], subject: Mapping[str, Any]) -> bool:
    rule = json.dumps([policy["variables"], policy["validations"]])
    return matches(policy, subject) and _refused(rule, json.dumps(without_nulls(subject)))


@lru_cache(maxsize=4)
def _refused(rule: str, subject: str) -> bool:
    """Whether the texts of a policy refuse an object; equal texts are evaluated once."""
    variables, validations = json.loads(rule)
    return bool(refusals({"variables": variables, "validations": validations}, json.loads(subject)))


def matches(
    policy: Mapping[str, Any],
    subject: Mapping[str, Any],
    subresource: str = "",
    data_class: str | None = "internal",
) -> bool:
    """Whether a policy is evaluated when `subject` is created in a namespace in scope with such data."""
    assert set(policy["matchConstraints"]) <= {"resourceRules", "namespaceSelector"}
    assert not policy.get("matchConditions")
    kind = KINDS[subject["kind"]]
    group, _, version = subject["apiVersion"].rpartition("/")
    named = f"{kind.plural}/{subresource}" if subresource else kind.plural
    rules = policy["matchConstraints"]["resourceRules"]
    stated = any(
        group in rule["apiGroups"]
        and version in rule["apiVersions"]
        and named in rule["resources"]
        and "CREATE" in rule["operations"]
        for rule in rules
    )
    space = subject["metadata"].get("namespace") if kind.namespaced else None
    labels = {NAMESPACE_NAME: space, SCOPE_LABEL: ENFORCED}
    if data_class is not None:
        labels[CLASS_LABEL] = data_class
    return stated and (space is None or selected(policy["matchConstraints"]["namespaceSelector"], labels))


def selected(selector: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    """Whether a label selector takes `labels`."""
    assert set(selector) == {"matchExpressions"}
    verdicts = {
        "In": lambda one: labels.get(one["key"]) in one["values"],
        "NotIn": lambda one: labels.get(one["key"]) not in one["values"],
        "Exists": lambda one: one["key"] in labels,
        "DoesNotExist": lambda one: one["key"] not in labels,
    }
    return all(verdicts[one["operator"]](one) for one in selector["matchExpressions"])


def without_nulls(value: Any) -> Any:
    """What the API server hands to admission: a null is no field."""
    if isinstance(value, Mapping):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


NETS: Mapping[str, Net] = {"CrossGuard": of_pack, "API server": of_api_server, "Kyverno": of_kyverno}
