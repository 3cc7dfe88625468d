"""Pods with classified data run in regions of the profile alone."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

REGION_LABEL = "topology.kubernetes.io/region"
"""Label of a node with the region, or the site, that it is in."""
_TERMS = (
    "object.?spec.?affinity.?nodeAffinity.?requiredDuringSchedulingIgnoredDuringExecution"
    ".?nodeSelectorTerms.orValue([])"
)
_SELECTED = "object.?spec.?nodeSelector.orValue({})"


def places(profile: Profile) -> list[str]:
    """Values of the label of nodes that pods with classified data may run on; empty: any."""
    return sorted(profile.regions or ())


def _parameters(profile: Profile) -> dict[str, str]:
    return {"places": text(places(profile)), "anywhere": "true" if profile.regions is None else "false"}


def _pod(*terms: Any, **spec: Any) -> Mapping[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    affinity = {"affinity": {"nodeAffinity": required}} if terms else {}
    containers = [{"name": "c", "image": "registry.example.eu/a"}]
    return {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": containers, **affinity, **spec}}


def _term(*values: str, operator: str = "In", key: str = REGION_LABEL) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


_OTHER = {"matchExpressions": [{"key": "pool", "operator": "Exists"}]}

CONTROL = Control(
    id="SOV-RES-06",
    title="Pods with classified data run in regions of the profile alone",
    severity=Severity.HIGH,
    sources=("SOV-3",),
    remedy=f"Require {REGION_LABEL} by node affinity in every term, or by nodeSelector; Kyverno adds it.",
    rule=ObjectRule(
        kinds=("Pod",),
        parameters=_parameters,
        expression=(
            "variables.anywhere || "
            f"{_SELECTED}.exists(k, k == {text(REGION_LABEL)} && {_SELECTED}[k] in variables.places) || "
            f"(size({_TERMS}) > 0 && {_TERMS}.all(t, t.?matchExpressions.orValue([]).exists(e, "
            f"e.key == {text(REGION_LABEL)} && e.operator == 'In' && size(e.?values.orValue([])) > 0 && "
            "e.values.all(v, v in variables.places))))"
        ),
        message="a pod with classified data may run outside the profile's regions",
        classified=True,
        whole=True,
    ),
    not_enforced=(
        "the pack does not evaluate it, since a program's pods do not say of which class their namespace is; "
        "templates pass, since Kyverno adds the affinity to the pods themselves. It believes the label of a "
        "node: SOV-RES-07 says who sets it",
    ),
    cases=(
        Case("an affinity to a region of the profile", Verdict.GOOD, _pod(_term("eu-central-1"))),
        Case("to several of its regions", Verdict.GOOD, _pod(_term("eu-central-1", "eu-west-1"))),
        Case(
            "beside another demand",
            Verdict.GOOD,
            _pod(
                {"matchExpressions": [*_OTHER["matchExpressions"], *_term("eu-north-1")["matchExpressions"]]}
            ),
        ),
        Case("a selector", Verdict.GOOD, _pod(nodeSelector={REGION_LABEL: "eu-central-1"})),
        Case("none", Verdict.BAD, _pod()),
        Case("to a region outside, too", Verdict.BAD, _pod(_term("eu-central-1", "eu-west-2"))),
        Case("to a region that only looks European", Verdict.BAD, _pod(_term("europe-west2"))),
        Case(
            "in one of two terms, of which either is enough", Verdict.BAD, _pod(_term("eu-central-1"), _OTHER)
        ),
        Case("to anywhere but one region", Verdict.BAD, _pod(_term("us-east-1", operator="NotIn"))),
        Case("to any region", Verdict.BAD, _pod(_term(operator="Exists"))),
        Case(
            "to a zone of that name",
            Verdict.BAD,
            _pod(_term("eu-central-1", key="topology.kubernetes.io/zone")),
        ),
        Case("a selector of a region outside", Verdict.BAD, _pod(nodeSelector={REGION_LABEL: "us-east-1"})),
        Case(
            "an affinity that is only preferred",
            Verdict.BAD,
            _pod(
                affinity={
                    "nodeAffinity": {
                        "preferredDuringSchedulingIgnoredDuringExecution": [
                            {"weight": 1, "preference": _term("eu-central-1")}
                        ]
                    }
                }
            ),
        ),
        Case("a node by its name", Verdict.BAD, _pod(nodeName="node-1")),
        Case("anywhere, in a lab", Verdict.GOOD, _pod(), profile="open"),
    ),
)
