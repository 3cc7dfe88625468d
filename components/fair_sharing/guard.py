"""What keeps workloads that name no queue from devices that the queues count."""

from collections.abc import Sequence
from typing import Any

from corral.components._kit import COMPONENT_LABEL, QUEUE_LABEL
from corral.components.fair_sharing.values import NAMESPACE_NAME

QUEUE = "gpus"
"""Name of each tenant's LocalQueue.

Not `default`, which Kueue takes for all that names no queue: models that are to leave the queues with fair
sharing would be put back into them, and no quota goes before its workloads.
"""
GUARD = "corral-gpu-queues"
MODEL = "model"
EXTENDED_PREFIX = "nvidia.com/"

TEMPLATE = "object.kind == 'Pod' ? object : object.spec.template"
ASKS = (
    "(has(variables.template.spec.resourceClaims) && size(variables.template.spec.resourceClaims) > 0) || "
    "variables.template.spec.containers.exists(one, has(one.resources) && has(one.resources.limits) && "
    f"one.resources.limits.exists(name, name.startsWith('{EXTENDED_PREFIX}')))"
)
JUDGED = (
    "object.kind == 'Pod' && has(object.metadata.ownerReferences) && "
    "object.metadata.ownerReferences.exists(one, one.kind in ['ReplicaSet', 'Job'])"
)
"""A pod whose Deployment or Job was asked before."""


def _label(name: str) -> str:
    return f"has(object.metadata.labels) && '{name}' in object.metadata.labels"


def policy() -> dict[str, Any]:
    """`spec` of the ValidatingAdmissionPolicy."""
    exempt = f"{_label(COMPONENT_LABEL)} && object.metadata.labels['{COMPONENT_LABEL}'] == '{MODEL}'"
    rules = [("", ["pods"]), ("batch", ["jobs"]), ("apps", ["deployments"])]
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [group], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": kinds}
                for group, kinds in rules
            ]
        },
        "matchConditions": [
            {"name": "asked-for-by-nothing-asked-before", "expression": f"!({JUDGED})"},
            # Its queue comes and goes with fair sharing itself.
            {"name": "no-model-of-the-stack", "expression": f"!({exempt})"},
        ],
        "variables": [
            {"name": "template", "expression": TEMPLATE},
            {"name": "asks", "expression": ASKS},
        ],
        "validations": [
            {
                "expression": f"!variables.asks || ({_label(QUEUE_LABEL)})",
                "message": f"it asks for GPUs and names no queue: add the label {QUEUE_LABEL}: {QUEUE}",
            }
        ],
    }


def binding(namespaces: Sequence[str]) -> dict[str, Any]:
    """`spec` of its binding, to the tenants' namespaces alone."""
    return {
        "policyName": GUARD,
        "validationActions": ["Deny"],
        "matchResources": {
            "namespaceSelector": {
                "matchExpressions": [{"key": NAMESPACE_NAME, "operator": "In", "values": list(namespaces)}]
            }
        },
    }
