"""One control, two admission policies of the same CEL, native and of Kyverno; frames of those that change."""

from collections.abc import Mapping, Sequence
from typing import Any

from corral.controls.cel import text, variables
from corral.controls.control import Control, ObjectRule
from corral.controls.enforcement import exceptions_of, stops
from corral.controls.exceptions import ControlException
from corral.controls.kinds import KINDS, SERVING, Kind
from corral.controls.profiles import Profile
from corral.controls.scope import Scope

NATIVE_API = "admissionregistration.k8s.io/v1"
KYVERNO_API = "policies.kyverno.io/v1"
PART_OF = {"app.kubernetes.io/part-of": "corral", "corral.dev/component": "admission"}


_SPACE = "Namespace"
"""Kind outside namespaces that a selector of namespaces is about all the same."""
OBJECT_NAME = (
    "(object.metadata.?namespace.orValue('') == '' ? '' : object.metadata.namespace + '/') + "
    "object.metadata.?name.orValue(object.metadata.?generateName.orValue(''))"
)
"""CEL: `NAMESPACE/NAME` of an object, or `NAME` outside namespaces."""


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


def resource_rules(kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Rules by which a policy is asked about objects of `kinds`."""
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


def _shared(control: Control, profile: Profile, scope: Scope, *, own_serving: bool) -> dict[str, Any]:
    rule = object_rule(control)
    kinds = [name for name in rule.kinds if _in_scope(KINDS[name], scope, own_serving=own_serving)]
    selector = scope.selector(classified=rule.classified)
    constraints = {"resourceRules": resource_rules(kinds), "namespaceSelector": selector}
    excepted = exempting(exceptions_of(control, profile))
    known = {**variables(rule, profile), **({HELD: rule.expression} if excepted else {}), **excepted}
    passes = " || ".join(f"variables.{name}" for name in (HELD, *excepted)) if excepted else rule.expression
    return {
        "failurePolicy": "Fail",
        "matchConstraints": constraints,
        "variables": [{"name": name, "expression": expression} for name, expression in known.items()],
        "validations": [{"expression": passes, "message": f"{control.id}: {rule.message}. {control.remedy}"}],
    }


def _in_scope(kind: Kind, scope: Scope, *, own_serving: bool) -> bool:
    """Whether objects of `kind` are evaluated: of those in no namespace, others' are left alone."""
    if kind.namespaced or kind.kind == _SPACE or not scope.labelled:
        return True
    return own_serving and kind in SERVING


HELD = "held"
"""Variable: whether the rule of the control holds, where there are exceptions from it."""


def exempting(exceptions: Sequence[ControlException]) -> dict[str, str]:
    """CEL by variable: whether an object is what an exception is for, and was made before its end.

    The API server has set the time of creation by now; an object without one is not excepted.
    """
    return {
        f"excepted{index or ''}": (
            f"timestamp(object.metadata.?creationTimestamp.orValue({text(one.end)})) < "
            f"timestamp({text(one.end)})"
            + (f" && ({OBJECT_NAME}).matches({text(one.pattern)})" if one.resources else "")
        )
        for index, one in enumerate(exceptions)
    }


def audit_annotations(exceptions: Sequence[ControlException]) -> list[dict[str, str]]:
    """What the API server's audit log has of an object that passes by an exception alone."""
    if not exceptions:
        return []
    chosen = "''"
    for name, one in reversed([*zip(exempting(exceptions), exceptions, strict=True)]):
        chosen = f"variables.{name} ? {text(one.note)} : {chosen}"
    return [{"key": "exception", "valueExpression": f"variables.{HELD} ? '' : ({chosen})"}]


def native_policy(control: Control, profile: Profile, scope: Scope, *, own_serving: bool) -> dict[str, Any]:
    """Spec of the ValidatingAdmissionPolicy: evaluated by the API server itself, no webhook to kill.

    `own_serving`: whether KServe is this platform's, so that its kinds in no namespace are evaluated.
    """
    noted = audit_annotations(exceptions_of(control, profile))
    shared = _shared(control, profile, scope, own_serving=own_serving)
    return {**shared, "auditAnnotations": noted} if noted else shared


def native_binding(control: Control, profile: Profile) -> dict[str, Any]:
    """Spec of the ValidatingAdmissionPolicyBinding."""
    actions = ["Warn", "Audit"] if reports(control, profile) else ["Deny"]
    return {"policyName": policy_name(control), "validationActions": actions}


def kyverno_policy(control: Control, profile: Profile, scope: Scope, *, own_serving: bool) -> dict[str, Any]:
    """Spec of Kyverno's ValidatingPolicy. Its own translation to native policies and to pod templates is off:
    the native twin exists, and the expression knows the templates."""
    return {
        **_shared(control, profile, scope, own_serving=own_serving),
        "validationActions": ["Audit"] if reports(control, profile) else ["Deny"],
        "evaluation": {"admission": {"enabled": True}, "background": {"enabled": False}},
        "autogen": {
            "podControllers": {"controllers": []},
            "validatingAdmissionPolicy": {"enabled": False},
        },
    }


def mutating_policy(constraints: Mapping[str, Any], *patches: str) -> dict[str, Any]:
    """Spec of a MutatingPolicy: CEL of JSON patches to what `constraints` match as it is admitted."""
    return {
        "failurePolicy": "Fail",
        "evaluation": {"admission": {"enabled": True}, "mutateExisting": {"enabled": False}},
        "matchConstraints": constraints,
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": one}} for one in patches],
    }


def pod_policy(namespaces: Mapping[str, Any], known: Mapping[str, str], *patches: str) -> dict[str, Any]:
    """The same for new pods in namespaces of this selector; `known`: CEL by variable.

    Pods alone are changed, not what they are made of: no controller finds its own objects changed.
    """
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    return {
        **mutating_policy({"resourceRules": [rule], "namespaceSelector": namespaces}, *patches),
        "autogen": {"podControllers": {"controllers": []}},
        "variables": [{"name": name, "expression": expression} for name, expression in known.items()],
    }
