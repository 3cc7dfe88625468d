"""What ConfigMaps and Secrets of a stack bring into its workloads, evaluated as the workloads are."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)

from corral.controls.configuration import configured, data_of
from corral.controls.control import Control, ObjectRule, Resource, Undecided
from corral.controls.enforcement import stops
from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import Profile
from corral.controls.register import CONTROLS, control
from corral.controls.stamp import CONFIG_MAP
from corral.policy.adapt import kubernetes_workloads
from corral.policy.adapter import Adapter
from corral.policy.excepted import Exempting, object_name, resource_name

CONFIGURED = "configuration-keeps-to-controls"
SECRET = "kubernetes:core/v1:Secret"
CODE = control("SOV-MOD-03")


def declared(control: Control) -> bool:
    """Whether `control` is about what a program declares, so that the pack has a policy of it."""
    return not (isinstance(control.rule, ObjectRule) and control.rule.classified)


def say(control: Control, message: str) -> str:
    return f"{control.id}: {message}. {control.remedy}"


def with_configuration(constraints: Profile, adapter: Adapter, exempting: Exempting) -> Policy:
    """Evaluates workloads once more with what ConfigMaps of the stack bring into them."""
    rules = [
        one
        for one in CONTROLS
        if isinstance(one.rule, ObjectRule) and declared(one) and stops(one, constraints)
    ]

    def check(args: StackValidationArgs, report: ReportViolation) -> None:
        everything = adapter.stack(args)
        maps = data_of(list(_maps(everything)))
        for subject in everything:
            if subject.type.startswith((CONFIG_MAP, SECRET)):
                for line, name in _code_of(subject, everything, constraints):
                    exempting.report(
                        CODE, line, subject.urn, name, lambda text, urn=subject.urn: report(text, urn)
                    )
            if not maps or not any(word in str(subject.props) for word in ("onfigMap", "ecret")):
                continue
            for workload in kubernetes_workloads(subject.type, subject.props):
                whole = configured(workload, maps)
                if whole is not workload:
                    for control in rules:
                        if not _messages(control, workload, constraints):
                            for message in _messages(control, whole, constraints):
                                line = say(control, f"with its configuration {message}")
                                exempting.report(
                                    control,
                                    line,
                                    subject.urn,
                                    object_name(workload, subject),
                                    lambda text, urn=subject.urn: report(text, urn),
                                )

    return StackValidationPolicy(
        name=CONFIGURED,
        description="What a ConfigMap or Secret brings into a workload keeps to the controls, too.",
        enforcement_level=EnforcementLevel.MANDATORY,
        validate=check,
    )


def _code_of(
    subject: Resource, everything: Sequence[Resource], constraints: Profile
) -> Iterator[tuple[str, str | None]]:
    """Message and name of each ConfigMap or Secret by which an engine would run code of a repository.

    Those that a workload of the stack names are evaluated with it.
    """
    for one in _maps([subject]) if stops(CODE, constraints) else ():
        maps = data_of([one])
        for name in maps if "remote" in str(maps).lower() else ():
            key = "secret" if name.startswith("Secret/") else "configMap"
            holder = {"secretName" if key == "secret" else "name": name.removeprefix("Secret/")}
            spec = {"containers": [{"name": "reader"}], "volumes": [{"name": "v", key: holder}]}
            named = repr(name.removeprefix("Secret/"))
            for message in _messages(CODE, configured({"kind": "Pod", "spec": spec}, maps), constraints):
                if any(named in str(other.props) for other in everything if other is not subject):
                    break
                yield say(CODE, f"with this configuration {message}"), resource_name(subject)


def _maps(everything: Sequence[Resource]) -> Iterator[Mapping[str, Any]]:
    """ConfigMaps and Secrets of a stack, patches and lists among them."""
    for one in everything:
        if one.type.startswith((CONFIG_MAP, SECRET)):
            kind = "Secret" if one.type.startswith(SECRET) else "ConfigMap"
            items = one.props.get("items")
            for props in cast(list[Any], items) if isinstance(items, list) else [one.props]:
                if isinstance(props, Mapping):
                    yield {**cast(Mapping[str, Any], props), "kind": kind}


def _messages(control: Control, workload: Mapping[str, Any], constraints: Profile) -> list[str]:
    try:
        return evaluate_object(control, workload, constraints)
    except Undecided:
        return []
