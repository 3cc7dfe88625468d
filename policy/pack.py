"""The pack: each control as a CrossGuard policy, under the profile that the stack file names."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyComplianceFramework,
    PolicyConfigSchema,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy import Severity as PolicySeverity

from corral.controls.control import Control, ObjectRule, Resource, StackRule, Undecided
from corral.controls.cost.groups import READERS, group
from corral.controls.enforcement import demanded, stops
from corral.controls.evaluate import evaluate_object, evaluate_resource
from corral.controls.exceptions import today
from corral.controls.kinds import KINDS, of_kubernetes
from corral.controls.levels import Severity
from corral.controls.profiles import PROFILES, Profile
from corral.controls.register import CONTROLS
from corral.controls.stamp import CONFIG_MAP
from corral.controls.tasks import TASKS
from corral.controls.workloads import kind_of
from corral.policy import providers
from corral.policy.adapt import api_of
from corral.policy.adapter import Adapter
from corral.policy.configured import SETTINGS, serve
from corral.policy.constraints import constraints_of
from corral.policy.excepted import Exempting, object_name, resource_name
from corral.policy.mounted import CONFIGURED, SECRET, declared, say, with_configuration
from corral.policy.providers import known_providers
from corral.policy.rendered import RELEASE
from corral.policy.stamp import STAMP, Ledger, stamping

NAME = "corral-sovereignty"
RENDERABLE = "releases-can-be-judged"
BUDGETED = "a-budget-is-set"
EXCEPTED = "excepted-until-a-date"
UNDECIDED = "undecided-in-preview"
RENTED = frozenset(token for token in READERS if not token.startswith("kubernetes:core/"))
"""Types of resources by which a cloud comes to rent out GPU nodes; the others mark nodes that are there."""

_SEVERITIES = {
    Severity.CRITICAL: PolicySeverity.CRITICAL,
    Severity.HIGH: PolicySeverity.HIGH,
    Severity.MEDIUM: PolicySeverity.MEDIUM,
    Severity.LOW: PolicySeverity.LOW,
}
WITHOUT_PODS = tuple(
    f"kubernetes:{prefix}"
    for prefix in (
        "core/v1:Secret",
        "apiextensions.k8s.io/",
        "rbac.authorization.k8s.io/",
    )
)
"""Beginnings of types of resources that hold no pod spec."""
POD = KINDS["Pod"]
Pending = dict[str, list[str]]
"""URN -> what could not be decided about it; reported by the last policy, as advice."""


def level(control: Control, constraints: Profile) -> EnforcementLevel:
    """Enforcement level of `control` under `constraints`."""
    return EnforcementLevel.MANDATORY if stops(control, constraints) else EnforcementLevel.ADVISORY


def policies(constraints: Profile, day: date | None = None, ledger: Ledger | None = None) -> list[Policy]:
    """Every control as a policy, what concerns no single control, and last what was undecided or excepted.

    `day`: by which exceptions end; today's when absent. `ledger`: from which the program's ConfigMap of
    evidence gets its stamp.
    """
    pending: Pending = defaultdict(list)
    exempting = Exempting(constraints, day or today(), pending)
    chosen = [control for control in CONTROLS if demanded(control, constraints) and declared(control)]
    together = [control for control in chosen if isinstance(control.rule, ObjectRule)]
    adapter = Adapter(together, constraints)
    made = [_policy(control, constraints, adapter, pending, exempting) for control in chosen]
    beside = (
        known_providers(constraints),
        _renderable(adapter, pending),
        _budgeted(constraints, adapter),
        with_configuration(constraints, adapter, exempting),
        _settings(constraints),
        stamping(ledger or Ledger(), NAME, constraints, EXCEPTED, UNDECIDED),
    )
    return [*made, *beside, *_undecided(pending), *_excepted(constraints, exempting)]


@cache
def concerns(policy: str, token: str) -> bool:
    """Whether `policy` of this pack can concern resources of type `token`.

    Those that report what others left undecided say something wherever another does.
    """
    if policy == providers.NAME:
        return not providers.known(token)
    if policy == RENDERABLE:
        return token == RELEASE
    if policy == BUDGETED:
        return token in RENTED
    if policy == SETTINGS:
        return False
    if policy == STAMP:
        return token == CONFIG_MAP
    if policy == CONFIGURED:
        return token.startswith((CONFIG_MAP, SECRET))
    own = [control for control in CONTROLS if control.id.lower() == policy]
    return any(_about(control, token) for control in own or CONTROLS)


def _about(control: Control, token: str) -> bool:
    if not isinstance(control.rule, ObjectRule):
        return control.rule.applies(token)
    if not token.startswith("kubernetes:"):
        return control.rule.of_clouds and token in TASKS
    kind = kind_of(*api_of(token))
    if kind is not None:
        return kind.kind in control.rule.kinds
    if token == RELEASE or token.endswith("List"):
        return True
    if token.startswith(WITHOUT_PODS):
        return False
    # An operator's resource may hold objects of any kind.
    return POD.kind in control.rule.kinds or not of_kubernetes(api_of(token)[0].rpartition("/")[0])


def _page(control: Control) -> str:
    """Where this machine has the control's page: in a checkout; a wheel has no pages, so the anchor alone."""
    path, _, anchor = control.url.partition("#")
    pages = Path(__file__).resolve().parents[1] / path
    return f"{pages.as_uri()}#{anchor}" if pages.is_file() else control.url


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
        "url": _page(control),
    }


def _policy(
    control: Control, constraints: Profile, adapter: Adapter, pending: Pending, exempting: Exempting
) -> Policy:
    metadata = _metadata(control, constraints)
    if isinstance(control.rule, StackRule):
        check = _stack_check(control, constraints, adapter, pending, exempting)
        return StackValidationPolicy(validate=check, **metadata)
    make = _object_check if isinstance(control.rule, ObjectRule) else _resource_check
    check = make(control, constraints, adapter, pending, exempting)
    return ResourceValidationPolicy(validate=check, **metadata)


def _guarded(control: Control, urn: str, pending: Pending, evaluate: Callable[[], list[str]]) -> list[str]:
    try:
        return evaluate()
    except Undecided as reason:
        pending[urn].append(f"{control.id} cannot be decided in preview: {reason}")
        return []


def _object_check(
    control: Control, constraints: Profile, adapter: Adapter, pending: Pending, exempting: Exempting
) -> Any:
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if adapter.good(args):
            return
        adapted = adapter.one(args)
        of_release = adapted.resource.type == RELEASE
        for workload in adapted.workloads:
            for message in _guarded(
                control,
                args.urn,
                pending,
                lambda workload=workload: evaluate_object(control, workload, constraints),
            ):
                name = workload.known.get("metadata", {}).get("name")
                prefix = f"{workload.known['kind']} {name} of the release: " if of_release else ""
                line, whole = say(control, prefix + message), object_name(workload.known, adapted.resource)
                exempting.report(control, line, args.urn, whole, lambda text: report(text, None))

    return check


def _renderable(adapter: Adapter, pending: Pending) -> Policy:
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        obstacle = adapter.one(args).obstacle
        if isinstance(obstacle, Undecided):
            pending[args.urn].append(f"the release cannot be decided in preview: {obstacle}")
        elif obstacle is not None:
            report(f"the release cannot be evaluated, so it may not pass: {obstacle}", None)

    return ResourceValidationPolicy(
        name=RENDERABLE,
        description="A Helm release that cannot be rendered hides objects that no control has seen.",
        enforcement_level=EnforcementLevel.MANDATORY,
        validate=check,
    )


def _settings(constraints: Profile) -> Policy:
    """The policy that stops nothing, and has the configuration of the pack itself."""
    text_ = {"type": "string"}
    schema = PolicyConfigSchema(
        properties={
            "profile": {"type": "string", "enum": list(PROFILES)},
            "region": text_,
            "registry": text_,
            "bucket": text_,
            "lock": text_,
            "kubernetes": text_,
        }
    )
    return ResourceValidationPolicy(
        name=SETTINGS,
        description=f"Constraints of the pack: profile {constraints.name}; see docs/policies.md.",
        enforcement_level=EnforcementLevel.ADVISORY,
        validate=lambda args, report: None,
        config_schema=schema,
    )


def _budgeted(constraints: Profile, adapter: Adapter) -> Policy:
    """Says, where a cloud rents out GPU nodes, that without a budget nobody looks at what they cost."""

    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        if constraints.budget is not None:
            return
        everything = adapter.stack(args)
        groups = [one for one in everything if one.type in RENTED and _is_group(one, everything)]
        if groups:
            names = ", ".join(one.name for one in groups)
            report(f"no budget is set, so what GPU nodes cost is not evaluated: {names}", groups[0].urn)

    return StackValidationPolicy(
        name=BUDGETED,
        description="Without a budget SOV-CST-01 evaluates nothing; set `budget` in `corral:platform`.",
        enforcement_level=EnforcementLevel.ADVISORY,
        validate=check,
    )


def _is_group(subject: Resource, everything: Sequence[Resource]) -> bool:
    try:
        return group(subject, everything) is not None
    except Undecided:
        return True


def _resource_check(
    control: Control, constraints: Profile, adapter: Adapter, pending: Pending, exempting: Exempting
) -> Any:
    def check(args: ResourceValidationArgs, report: ReportViolation) -> None:
        subject = adapter.one(args).resource
        for message in _guarded(
            control, args.urn, pending, lambda: evaluate_resource(control, subject, (), constraints)
        ):
            line = say(control, message)
            exempting.report(control, line, args.urn, resource_name(subject), lambda text: report(text, None))

    return check


def _stack_check(
    control: Control, constraints: Profile, adapter: Adapter, pending: Pending, exempting: Exempting
) -> Any:
    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        everything = adapter.stack(args)
        for subject in everything:
            for message in _guarded(
                control,
                subject.urn,
                pending,
                lambda subject=subject: evaluate_resource(control, subject, everything, constraints),
            ):
                line, urn, name = say(control, message), subject.urn, resource_name(subject)
                exempting.report(control, line, urn, name, lambda text, urn=urn: report(text, urn))

    return check


def _undecided(pending: Pending) -> list[Policy]:
    """Policies that report what could not be decided."""
    return _advice(UNDECIDED, "What a preview cannot decide; the update does.", pending)


def _excepted(constraints: Profile, exempting: Exempting) -> list[Policy]:
    """Policies that report violations with an exception; none where the stack has no exceptions."""
    description = "What an exception of the stack lets pass until its date."
    return _advice(EXCEPTED, description, exempting.lines) if constraints.exceptions else []


def _advice(name: str, description: str, lines: Pending) -> list[Policy]:
    def one(args: ResourceValidationArgs, report: ReportViolation) -> None:
        for line in lines.pop(args.urn, []):
            report(line, None)

    def several(args: StackValidationArgs, report: ReportViolation) -> None:
        for urn in list(lines):
            for line in lines.pop(urn):
                report(line, urn)

    shared: dict[str, Any] = {
        "enforcement_level": EnforcementLevel.ADVISORY,
        "description": description,
    }
    return [
        ResourceValidationPolicy(name=name, validate=one, **shared),
        StackValidationPolicy(name=f"{name}-of-the-stack", validate=several, **shared),
    ]


def start() -> None:
    """Serve the pack to the engine; does not return."""
    ledger = Ledger()
    serve(NAME, lambda config: policies(constraints_of(config), ledger=ledger), concerns, ledger)
