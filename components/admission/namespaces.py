"""What a namespace in scope gets when it is made: closed to the network, and a Pod Security level."""

from typing import Any

from corral.components._kit import COMPONENT_LABEL, PodSecurity
from corral.components.admission.render import mutating_policy
from corral.controls.scope import Scope

ENFORCE_LABEL = "pod-security.kubernetes.io/enforce"
DEFAULT_DENY = "default-deny"
"""Name of the NetworkPolicy."""


def default_deny(scope: Scope) -> dict[str, Any]:
    """Spec of the GeneratingPolicy: a namespace in scope gets a NetworkPolicy that denies all traffic.

    The platform's own bring their own network policies.
    """
    return {
        "evaluation": {"admission": {"enabled": True}, "synchronize": {"enabled": True}},
        "matchConstraints": _made(scope),
        "variables": [
            {"name": "space", "expression": "object.metadata.name"},
            {
                "name": "policies",
                "expression": (
                    '[{"apiVersion": dyn("networking.k8s.io/v1"), "kind": dyn("NetworkPolicy"), '
                    f'"metadata": dyn({{"name": "{DEFAULT_DENY}"}}), '
                    '"spec": dyn({"podSelector": dyn({}), "policyTypes": dyn(["Ingress", "Egress"])})}]'
                ),
            },
        ],
        "generate": [{"expression": "generator.Apply(variables.space, variables.policies)"}],
    }


def pod_security(scope: Scope, level: PodSecurity) -> dict[str, Any]:
    """Spec of the MutatingPolicy: a namespace in scope that names no Pod Security level gets `level`."""
    path = f"/metadata/labels/{ENFORCE_LABEL.replace('/', '~1')}"
    # Kubernetes has put the namespace's name among its labels by now.
    patch = (
        f"'{ENFORCE_LABEL}' in object.metadata.labels ? [] : "
        f'[JSONPatch{{op: "add", path: "{path}", value: "{level.value}"}}]'
    )
    return mutating_policy(_made(scope), patch)


def _made(scope: Scope) -> dict[str, Any]:
    """Namespaces that come into scope: made there, or labelled; no others are touched when they change."""
    selector = scope.selector()
    selector["matchExpressions"].append({"key": COMPONENT_LABEL, "operator": "DoesNotExist"})
    return {
        "resourceRules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"] if scope.labelled else ["CREATE"],
                "resources": ["namespaces"],
            }
        ],
        "namespaceSelector": selector,
    }
