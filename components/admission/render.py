"""One control, two admission policies: the same CEL as native and as Kyverno ValidatingPolicy."""

from collections.abc import Mapping, Sequence
from typing import Any

from corral.controls.cel import variables
from corral.controls.control import Control, ObjectRule
from corral.controls.enforcement import stops
from corral.controls.kinds import KINDS, Kind
from corral.controls.profiles import Profile

NATIVE_API = "admissionregistration.k8s.io/v1"
KYVERNO_API = "policies.kyverno.io/v1"
PART_OF = {"app.kubernetes.io/part-of": "corral", "corral.dev/component": "admission"}
PLATFORM_LABEL = "corral.dev/component"
"""Namespaces with this label are the platform's own and bring their own network policies."""


def object_rule(control: Control) -> ObjectRule:
    """The rule of `control`.

    Raises:
        ValueError: the control is about cloud resources and has no admission side.
    """
    if not isinstance(control.rule, ObjectRule):
        raise ValueError(f"{control.id} is about cloud resources and has no admission side")
    return control.rule


def policy_name(control: Control) -> str:
    return control.id.lower()


def reports(control: Control, profile: Profile) -> bool:
    """Whether a violation is only reported."""
    return not stops(control, profile)


def _resource_rules(kinds: Sequence[str]) -> list[dict[str, Any]]:
    grouped: dict[tuple[str, str], list[Kind]] = {}
    for name in kinds:
        kind = KINDS[name]
        grouped.setdefault((kind.group, kind.version), []).append(kind)
    return [
        {
            "apiGroups": [group],
            "apiVersions": [version],
            "operations": ["CREATE", "UPDATE"],
            "resources": _plurals(several),
        }
        for (group, version), several in grouped.items()
    ]


def _plurals(kinds: Sequence[Kind]) -> list[str]:
    """Plural names; with pods their ephemeral containers, which a debugger adds past `pods`."""
    named = [kind.plural for kind in kinds]
    return [*named, "pods/ephemeralcontainers"] if "pods" in named else named


def _namespaces(exempt: Sequence[str]) -> dict[str, Any]:
    return {
        "matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": sorted(exempt)}
        ]
    }


def _shared(control: Control, profile: Profile, exempt: Sequence[str]) -> dict[str, Any]:
    rule = object_rule(control)
    constraints: dict[str, Any] = {"resourceRules": _resource_rules(rule.kinds)}
    if exempt:
        constraints["namespaceSelector"] = _namespaces(exempt)
    return {
        "failurePolicy": "Fail",
        "matchConstraints": constraints,
        "variables": [
            {"name": name, "expression": expression} for name, expression in variables(rule, profile).items()
        ],
        "validations": [
            {"expression": rule.expression, "message": f"{control.id}: {rule.message}. {control.remedy}"}
        ],
    }


def native_policy(control: Control, profile: Profile, exempt: Sequence[str]) -> dict[str, Any]:
    """Spec of the ValidatingAdmissionPolicy: evaluated by the API server itself, no webhook to kill."""
    return _shared(control, profile, exempt)


def native_binding(control: Control, profile: Profile) -> dict[str, Any]:
    """Spec of the ValidatingAdmissionPolicyBinding."""
    actions = ["Warn", "Audit"] if reports(control, profile) else ["Deny"]
    return {"policyName": policy_name(control), "validationActions": actions}


def kyverno_policy(control: Control, profile: Profile, exempt: Sequence[str]) -> dict[str, Any]:
    """Spec of Kyverno's ValidatingPolicy. Its own translation to native policies and to pod templates is off:
    the native twin exists, and the expression knows the templates."""
    return {
        **_shared(control, profile, exempt),
        "validationActions": ["Audit"] if reports(control, profile) else ["Deny"],
        "evaluation": {"admission": {"enabled": True}, "background": {"enabled": False}},
        "autogen": {
            "podControllers": {"controllers": []},
            "validatingAdmissionPolicy": {"enabled": False},
        },
    }


def default_deny() -> Mapping[str, Any]:
    """Spec of the GeneratingPolicy: each new namespace that is not the platform's own gets a NetworkPolicy
    that denies all traffic."""
    return {
        "evaluation": {"admission": {"enabled": True}, "synchronize": {"enabled": True}},
        "matchConstraints": {
            "resourceRules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["namespaces"],
                }
            ]
        },
        "matchConditions": [
            {
                "name": "not-the-platforms-own",
                "expression": (
                    f"!('{PLATFORM_LABEL}' in object.metadata.?labels.orValue({{}})) && "
                    "!object.metadata.name.startsWith('kube-')"
                ),
            }
        ],
        "variables": [
            {"name": "space", "expression": "object.metadata.name"},
            {
                "name": "policies",
                "expression": (
                    '[{"apiVersion": dyn("networking.k8s.io/v1"), "kind": dyn("NetworkPolicy"), '
                    '"metadata": dyn({"name": "default-deny"}), '
                    '"spec": dyn({"podSelector": dyn({}), "policyTypes": dyn(["Ingress", "Egress"])})}]'
                ),
            },
        ],
        "generate": [{"expression": "generator.Apply(variables.space, variables.policies)"}],
    }
