"""The pack: each control as a CrossGuard policy, under the profile that the stack file names."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PolicySeverity

from corral.controls.budget import parse_budget
from corral.controls.control import Control, ObjectRule, Resource, StackRule, Undecided
from corral.controls.cost.groups import READERS, group
from corral.controls.enforcement import stops
from corral.controls.evaluate import applies, evaluate_object, evaluate_resource
from corral.controls.kinds import BY_TOKEN
from corral.controls.levels import Severity
from corral.controls.profiles import Profile, profile
from corral.controls.register import CONTROLS
from corral.policy.adapt import kubernetes_object, resource, stack_resource
from corral.policy.configured import serve
from corral.policy.rendered import RELEASE, CannotRender, objects

NAME = "corral-sovereignty"
EMBEDDED_REGION = "embedded"
"""Region of a stack that runs on this machine: it narrows nothing."""
RENDERABLE = "releases-can-be-judged"
BUDGETED = "a-budget-is-set"
RENTED = frozenset(token for token in READERS if not token.startswith("kubernetes:core/"))
"""Types of resources by which a cloud comes to rent out GPU nodes; the others mark nodes that are there."""
STRICTEST_DEFAULT = "eu-resident"
"""Profile of a program that has no `corral:platform`: whoever imports a component gets a strict pack."""

_SEVERITIES = {
    Severity.CRITICAL: PolicySeverity.CRITICAL,
    Severity.HIGH: PolicySeverity.HIGH,
    Severity.MEDIUM: PolicySeverity.MEDIUM,
    Severity.LOW: PolicySeverity.LOW,
}
Pending = dict[str, list[str]]
"""URN -> what could not be decided about it; reported by the last policy, as advice."""


def level(control: Control, constraints: Profile) -> EnforcementLevel:
    """Enforcement level of `control` under `constraints`."""
    return EnforcementLevel.MANDATORY if stops(control, constraints) else EnforcementLevel.ADVISORY


def policies(constraints: Profile) -> list[Policy]:
    """Every control as a policy, and last the two that report what was undecided."""
    pending: Pending = defaultdict(list)
    made = [_policy(found, constraints, pending) for found in CONTROLS]
    return [*made, _renderable(), _budgeted(constraints), *_undecided(pending)]


def concerns(policy: str, token: str) -> bool:
    """Whether `policy` of this pack can have anything to say about resources of type `token`.

    Those that report what others left undecided say something wherever another does.
    """
    if policy == RENDERABLE:
        return token == RELEASE
    if policy == BUDGETED:
        return token in RENTED
    own = [control for control in CONTROLS if control.id.lower() == policy]
    return any(_about(control, token) for control in own or CONTROLS)


def _about(control: Control, token: str) -> bool:
    if isinstance(control.rule, ObjectRule):
        return token == RELEASE or (token in BY_TOKEN and BY_TOKEN[token].kind in control.rule.kinds)
    return control.rule.applies(token)


def _metadata(control: Control, constraints: Profile) -> dict[str, Any]:
    return {
        "name": control.id.lower(),
        "display_name": control.title,
        "description": f"{control.id}: {control.title}.",
        "enforcement_level": level(control, constraints),
        "severity": _SEVERITIES[control.severity],
        "framework": PolicyComplianceFramework(name=control.sources[0]),
        "tags": list(control.sources),
        "remediation_steps": control.remedy,
        "url": control.url,
    }


def _policy(control: Control, constraints: Profile, pending: Pending) -> Policy:
    metadata = _metadata(control, constraints)
    if isinstance(control.rule, ObjectRule):
        return ResourceValidationPolicy(validate=_object_check(control, constraints, pending), **metadata)
    if isinstance(control.rule, StackRule):
        return StackValidationPolicy(validate=_stack_check(control, constraints, pending), **metadata)
    return ResourceValidationPolicy(validate=_resource_check(control, constraints, pending), **metadata)


def _guarded(control: Control, urn: str, pending: Pending, judge: Callable[[], list[str]]) -> list[str]:
    try:
        return judge()
    except Undecided as reason:
        pending[urn].append(f"{control.id} cannot be decided in preview: {reason}")
        return []


def _say(control: Control, message: str) -> str:
    return f"{control.id}: {message}. {control.remedy}"


def _object_check(control: Control, constraints: Profile, pending: Pending) -> Any:
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        subject = resource(args)
        if subject.type == RELEASE:
            _release_check(control, subject, constraints, report)
            return
        found = kubernetes_object(subject.type, subject.props)
        if found is None:
            return
        for message in _guarded(
            control, args.urn, pending, lambda: evaluate_object(control, found, constraints)
        ):
            report(_say(control, message), None)

    return check


def _release_check(
    control: Control, release: Resource, constraints: Profile, report: ReportViolation
) -> None:
    try:
        hidden = objects(release)
    except CannotRender:
        return  # `releases-can-be-judged` stops it, once for all controls.
    for found in hidden:
        for message in evaluate_object(control, found, constraints):
            name = found.get("metadata", {}).get("name")
            report(_say(control, f"{found['kind']} {name} of the release: {message}"), None)


def _renderable() -> Policy:
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if args.resource_type != RELEASE:
            return
        try:
            objects(resource(args))
        except CannotRender as error:
            report(f"the release cannot be judged, so it may not pass: {error}", None)

    return ResourceValidationPolicy(
        name=RENDERABLE,
        description="A Helm release that cannot be rendered hides objects that no control has seen.",
        enforcement_level=EnforcementLevel.MANDATORY,
        validate=check,
    )


def _budgeted(constraints: Profile) -> Policy:
    """Says, where a cloud rents out GPU nodes, that without a budget nobody looks at what they cost."""

    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        if constraints.budget is not None:
            return
        everything = [stack_resource(found) for found in args.resources]
        found = [one for one in everything if one.type in RENTED and _is_group(one, everything)]
        if found:
            names = ", ".join(one.name for one in found)
            report(f"no budget is set, so what GPU nodes cost is not judged: {names}", found[0].urn)

    return StackValidationPolicy(
        name=BUDGETED,
        description="Without a budget SOV-CST-01 judges nothing; set `budget` in `corral:platform`.",
        enforcement_level=EnforcementLevel.ADVISORY,
        validate=check,
    )


def _is_group(subject: Resource, everything: Sequence[Resource]) -> bool:
    try:
        return group(subject, everything) is not None
    except Undecided:
        return True


def _resource_check(control: Control, constraints: Profile, pending: Pending) -> Any:
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not applies(control, args.resource_type):
            return
        subject = resource(args)
        for message in _guarded(
            control, args.urn, pending, lambda: evaluate_resource(control, subject, (), constraints)
        ):
            report(_say(control, message), None)

    return check


def _stack_check(control: Control, constraints: Profile, pending: Pending) -> Any:
    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        everything = [stack_resource(found) for found in args.resources]
        for subject in everything:
            for message in _guarded(
                control,
                subject.urn,
                pending,
                lambda subject=subject: evaluate_resource(control, subject, everything, constraints),
            ):
                report(_say(control, message), subject.urn)

    return check


def _undecided(pending: Pending) -> list[Policy]:
    def one(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for line in pending.pop(args.urn, []):
            report(line, None)

    def several(args: StackValidationArgs, report: ReportViolation) -> None:
        for urn in list(pending):
            for line in pending.pop(urn):
                report(line, urn)

    shared: dict[str, Any] = {
        "enforcement_level": EnforcementLevel.ADVISORY,
        "description": "What a preview cannot decide; the update does.",
    }
    return [
        ResourceValidationPolicy(name="undecided-in-preview", validate=one, **shared),
        StackValidationPolicy(name="undecided-in-preview-of-the-stack", validate=several, **shared),
    ]


def constraints_of(config: Mapping[str, str]) -> Profile:
    """The profile that `corral:platform` of a stack's configuration names, else the strict default.

    Raises:
        ValueError: an unknown profile, a region outside it, or a budget that is none.
    """
    platform = cast(Mapping[str, Any], json.loads(config.get("corral:platform") or "{}"))
    said = cast(Mapping[str, str], platform.get("sovereignty") or {})
    region = said.get("region")
    found = profile(
        said.get("profile", STRICTEST_DEFAULT),
        region=None if region == EMBEDDED_REGION else region,
        registry=said.get("registry"),
    )
    budget = cast(Mapping[str, Any] | None, platform.get("budget"))
    return found if budget is None else replace(found, budget=parse_budget(budget))


def start() -> None:
    """Serve the pack to the engine; does not return."""
    serve(NAME, lambda config: policies(constraints_of(config)), concerns)
