"""Where pods with classified data may run: what Kyverno adds to them when they are made."""

from typing import Any

from corral.components.admission.render import pod_policy
from corral.controls.cel import text
from corral.controls.residency.res_06 import REGION_LABEL
from corral.controls.scope import Scope

MOST_TERMS = 16
"""Terms of an affinity that get the demand; a pod with more is refused, not changed."""
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def regions(scope: Scope, places: list[str]) -> dict[str, Any]:
    """Spec of the MutatingPolicy: a pod in a namespace with classified data must run in `places`.

    Each term of a node affinity is enough by itself, so each gets the demand.
    """
    term = '{"matchExpressions": dyn([variables.demand])}'
    required = f'{{"nodeSelectorTerms": dyn([{term}])}}'
    node = f'{{"{_REQUIRED}": dyn({required})}}'
    whole = f'{{"nodeAffinity": dyn({node})}}'
    path = "/spec/affinity/nodeAffinity"
    terms = f"{path}/{_REQUIRED}/nodeSelectorTerms/"
    known = {
        "demand": (
            f'{{"key": dyn({text(REGION_LABEL)}), "operator": dyn("In"), "values": dyn({text(places)})}}'
        ),
        "terms": f"object.spec.?affinity.?nodeAffinity.?{_REQUIRED}.?nodeSelectorTerms.orValue([])",
    }
    patch = (
        "!has(object.spec.affinity) ? "
        f"[{_add('/spec/affinity', whole)}] : "
        "!has(object.spec.affinity.nodeAffinity) ? "
        f"[{_add(path, node)}] : "
        f"!has(object.spec.affinity.nodeAffinity.{_REQUIRED}) ? "
        f"[{_add(f'{path}/{_REQUIRED}', required)}] : "
        f"{list(range(MOST_TERMS))}.filter(i, i < size(variables.terms)).map(i, "
        "has(variables.terms[i].matchExpressions) ? "
        f'JSONPatch{{op: "add", path: "{terms}" + string(i) + "/matchExpressions/-", '
        "value: variables.demand} : "
        f'JSONPatch{{op: "add", path: "{terms}" + string(i) + "/matchExpressions", '
        "value: [variables.demand]})"
    )
    return pod_policy(scope.selector(classified=True), known, patch)


def _add(path: str, value: str) -> str:
    return f'JSONPatch{{op: "add", path: "{path}", value: {value}}}'
