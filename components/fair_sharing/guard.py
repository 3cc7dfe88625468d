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

KSERVE = "kserve-controller-manager"
"""Service account of the controller that makes Deployments of InferenceServices."""
TEMPLATE_KINDS = ("Deployment", "ReplicaSet", "Job")
CONTAINERS = " + ".join(
    f"variables.pod.?{key}.orValue([])" for key in ("containers", "initContainers", "ephemeralContainers")
)
POD = (
    "object.kind == 'Pod' ? object.spec : object.kind == 'InferenceService' ? "
    "object.spec.?predictor.orValue({}) : object.spec.template.spec"
)
ASKS = (
    "size(variables.pod.?resourceClaims.orValue([])) > 0 || "
    "variables.containers.exists(one, "
    f"one.?resources.?limits.orValue({{}}).exists(name, name.startsWith('{EXTENDED_PREFIX}')))"
)
ADMIN = "authorizer.group('kueue.x-k8s.io').resource('clusterqueues').check('update').allowed()"
"""Whether the requester may change quotas, and so may leave the queues."""
CONTROLLER = (
    "request.userInfo.username == 'system:kube-controller-manager' || "
    "request.userInfo.username.startsWith('system:serviceaccount:kube-system:')"
)
DERIVED = (
    f"(object.metadata.?ownerReferences.orValue([]).exists(one, one.kind in {list(TEMPLATE_KINDS)}) && "
    "(variables.controller || variables.admin)) || (request.operation == 'UPDATE' && "
    "(variables.controller || (object.kind == 'InferenceService' && variables.kserve)))"
)
"""What controllers make of an evaluated object, KServe's finalizer included; an owner is easily forged."""


SERVED = "object.metadata.?ownerReferences.orValue([]).exists(one, one.kind == 'InferenceService')"


def _kserve(namespaces: Sequence[str]) -> str:
    """CEL: KServe's controller, of no tenant's namespace, is the requester."""
    return (
        f"request.userInfo.username.matches('^system:serviceaccount:[^:]+:{KSERVE}$') && "
        f"!(request.userInfo.username.split(':')[2] in {list(namespaces)})"
    )


def _label(name: str) -> str:
    return f"object.metadata.?labels.orValue({{}}).exists(key, key == '{name}')"


def policy(namespaces: Sequence[str]) -> dict[str, Any]:
    """`spec` of the ValidatingAdmissionPolicy for the tenants' namespaces."""
    create, change = ["CREATE"], ["CREATE", "UPDATE"]
    rules = [
        ("", "v1", ["pods"], create),
        ("batch", "v1", ["jobs"], create),
        ("apps", "v1", ["deployments", "replicasets"], change),
        ("serving.kserve.io", "v1beta1", ["inferenceservices"], change),
    ]
    model = f"{_label(COMPONENT_LABEL)} && object.metadata.labels['{COMPONENT_LABEL}'] == '{MODEL}'"
    # Kueue takes no ReplicaSet; it takes pods by their own label.
    queued = (
        f"object.kind == 'ReplicaSet' ? {_label(QUEUE_LABEL).replace('object.', 'object.spec.template.?')} : "
        f"{_label(QUEUE_LABEL)}"
    )
    variables = {
        "pod": POD,
        "containers": f"{CONTAINERS} + (has(variables.pod.model) ? [variables.pod.model] : [])",
        "asks": ASKS,
        "admin": ADMIN,
        "controller": CONTROLLER,
        "kserve": _kserve(namespaces),
        "derived": DERIVED,
        # Its queue comes and goes with fair sharing itself.
        "model": f"{model} && (variables.admin || (variables.kserve && {SERVED}))",
        "queued": queued,
    }
    return {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                {"apiGroups": [group], "apiVersions": [version], "operations": operations, "resources": kinds}
                for group, version, kinds, operations in rules
            ]
        },
        "variables": [{"name": name, "expression": text} for name, text in variables.items()],
        "validations": [
            {
                "expression": "!variables.asks || variables.queued || variables.derived || variables.model",
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
