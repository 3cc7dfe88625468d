"""What keeps workloads that name no queue from devices that the queues count."""

from collections.abc import Sequence
from typing import Any

from corral.catalogue.vocabulary import ServingKind
from corral.components._kit import COMPONENT_LABEL, QUEUE_LABEL
from corral.components._requester import CONTROLLER
from corral.components.fair_sharing.values import NAMESPACE_NAME

QUEUE = "gpus"
"""Name of each tenant's LocalQueue.

Not `default`, which Kueue takes for all that names no queue: models that are to leave the queues with fair
sharing would be put back into them, and no quota goes before its workloads.
"""
GUARD = "corral-gpu-queues"
MODEL = "model"
DEVICE_PREFIXES = ("nvidia.com/", "deviceclass.resource.kubernetes.io/")
"""Of extended resources that are devices: a device plugin's, and those that a DeviceClass stands behind."""
GATE = "kueue.x-k8s.io/admission"
"""Scheduling gate under which Kueue holds a pod until its workload is let in."""

KUEUE = "kueue-controller-manager"
KSERVE = "(kserve|llmisvc)-controller-manager"
"""Service accounts of the controllers that make what serves a model (RE2)."""
SERVING_KINDS = tuple(kind.value for kind in ServingKind)
TEMPLATE_KINDS = ("Deployment", "ReplicaSet", "Job")
CONTAINERS = " + ".join(
    f"variables.pod.?{key}.orValue([])" for key in ("containers", "initContainers", "ephemeralContainers")
)
POD = (
    "object.kind == 'Pod' ? object.spec : object.kind == 'InferenceService' ? "
    "object.spec.?predictor.orValue({}) : object.kind == 'LLMInferenceService' ? "
    "object.spec.?template.orValue({}) : object.spec.template.spec"
)
ASKS = (
    "size(variables.pod.?resourceClaims.orValue([])) > 0 || "
    "variables.containers.exists(one, "
    "one.?resources.?limits.orValue({}).exists(name, "
    + " || ".join(f"name.startsWith('{prefix}')" for prefix in DEVICE_PREFIXES)
    + "))"
)
ADMIN = "authorizer.group('kueue.x-k8s.io').resource('clusterqueues').check('update').allowed()"
"""Whether the requester may change quotas, and so may leave the queues."""
DERIVED = (
    f"(object.metadata.?ownerReferences.orValue([]).exists(one, one.kind in {list(TEMPLATE_KINDS)}) && "
    "(variables.controller || variables.admin)) || (request.operation == 'UPDATE' && "
    "(variables.controller || (object.kind in " + f"{list(SERVING_KINDS)} && variables.kserve)))"
)
"""What controllers make of an evaluated object, KServe's finalizer included; an owner is easily forged."""


SERVED = f"object.metadata.?ownerReferences.orValue([]).exists(one, one.kind in {list(SERVING_KINDS)})"


_WAS_QUEUED = f"oldObject.metadata.?labels.orValue({{}}).exists(key, key == '{QUEUE_LABEL}')"
_IS_QUEUED = f"object.metadata.?labels.orValue({{}}).exists(key, key == '{QUEUE_LABEL}')"
_GATES = "{}.spec.?schedulingGates.orValue([]).exists(one, one.name == '" + GATE + "')"
RELEASED = (
    f"({_WAS_QUEUED} && (!{_IS_QUEUED} || "
    f"object.metadata.labels['{QUEUE_LABEL}'] != oldObject.metadata.labels['{QUEUE_LABEL}']) || "
    f"{_GATES.format('oldObject')} && !{_GATES.format('object')})"
)
"""A pod that loses its queue's label or Kueue's gate. Its devices never change; whether it may have them was
evaluated when it was made."""


def _account(name: str, namespaces: Sequence[str]) -> str:
    """CEL: a controller's service account, of no tenant's namespace, is the requester."""
    return (
        f"request.userInfo.username.matches('^system:serviceaccount:[^:]+:{name}$') && "
        f"!(request.userInfo.username.split(':')[2] in {list(namespaces)})"
    )


def _label(name: str) -> str:
    return f"object.metadata.?labels.orValue({{}}).exists(key, key == '{name}')"


def policy(namespaces: Sequence[str]) -> dict[str, Any]:
    """`spec` of the ValidatingAdmissionPolicy for the tenants' namespaces."""
    change = ["CREATE", "UPDATE"]
    rules = [
        ("", "v1", ["pods"], change),
        ("batch", "v1", ["jobs"], change),
        ("apps", "v1", ["deployments", "replicasets"], change),
        ("serving.kserve.io", "v1beta1", ["inferenceservices"], change),
        ("serving.kserve.io", "v1alpha2", ["llminferenceservices"], change),
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
        "kserve": _account(KSERVE, namespaces),
        "derived": DERIVED,
        # Its queue comes and goes with fair sharing itself.
        "model": f"{model} && (variables.admin || (variables.kserve && {SERVED}))",
        "queued": queued,
        "kueue": _account(KUEUE, namespaces),
        "changed": "object.kind == 'Pod' && request.operation == 'UPDATE'",
        "released": f"variables.changed && {RELEASED}",
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
                "expression": (
                    "!variables.asks || variables.changed || variables.queued || variables.derived || "
                    "variables.model"
                ),
                "message": f"it asks for GPUs and names no queue: add the label {QUEUE_LABEL}: {QUEUE}",
            },
            {
                "expression": (
                    "!variables.released || variables.kueue || variables.controller || variables.admin"
                ),
                "message": "this pod waits in a queue: Kueue alone lets it in, and its label stays",
            },
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
