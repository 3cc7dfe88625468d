"""Nodes with GPUs are for what uses GPUs."""

from typing import Any

from corral.catalogue.addons import descriptor
from corral.catalogue.images import image
from corral.catalogue.vocabulary import Addon
from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.gpu.requests import ASKS, GPU
from corral.controls.kinds import POD_KINDS
from corral.controls.levels import Severity
from corral.controls.pods.drivers import drivers

_STORE = descriptor(Addon.MODEL_STORAGE).namespace
_PODS = "[variables.pod, variables.pod1]"
_EFFECTS = ["", "NoSchedule", "NoExecute"]
_TOLERATES = (
    "p.tolerations.exists(t, t.?effect.orValue('') in " + text(_EFFECTS) + " && "
    "((t.?key.orValue('') == '' && t.?operator.orValue('Equal') == 'Exists') || "
    f"t.?key.orValue('').matches({text(GPU)}) || "
    "(t.?key.orValue('') == 'sku' && t.?value.orValue('gpu') == 'gpu')))"
)
_NODE_AGENT = (
    "object.?metadata.?ownerReferences.orValue([]).exists(o, o.?kind.orValue('') == 'DaemonSet' && "
    "o.?controller.orValue(false))"
)
_DOWNLOAD = (
    f"(object.?metadata.?namespace.orValue('') == {text(_STORE)} && "
    "object.?metadata.?ownerReferences.orValue([]).exists(o, o.?kind.orValue('') in "
    f"{text(['Job', 'LocalModelNode'])} && o.?controller.orValue(false)))"
)
"""KServe's jobs that fetch models onto GPU nodes, and their pods: they run beside the store."""
_SYSTEM = ["kube-system"]


def _pod(*tolerations: Any, **container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "c", "image": "e/x", **container}], "tolerations": list(tolerations)}
    return {"kind": "Pod", "spec": spec}


def _limits(name: str, amount: object = "1") -> dict[str, Any]:
    return {"limits": {name: amount}}


_TAINT = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
_ANY = {"operator": "Exists"}
_OWNER = {"apiVersion": "apps/v1", "name": "agent", "uid": "1"}

CONTROL = Control(
    id="SOV-GPU-06",
    title="Pods that use no GPU leave the nodes that have them alone",
    severity=Severity.MEDIUM,
    sources=("OWASP LLM10", "Kubernetes: dedicated nodes"),
    remedy="Take the toleration out, name the taints that it is for, or ask for a GPU.",
    rule=ObjectRule(
        kinds=tuple(one for one in POD_KINDS if one != "DaemonSet"),
        parameters=lambda profile: {"drivers": text(drivers(profile))},
        expression=(
            f"!{_PODS}.exists(p, has(p.tolerations) && p.tolerations != null && {_TOLERATES}) || {ASKS} || "
            f"{_PODS}.exists(p, has(p.resourceClaims) && size(p.resourceClaims) > 0) || {_NODE_AGENT} || "
            f"{_DOWNLOAD} || "
            f"object.?metadata.?namespace.orValue('') in {text(_SYSTEM)} || "
            "(size(variables.images) > 0 && variables.images.all(i, i.matches(variables.drivers)))"
        ),
        message="a pod that uses no GPU tolerates the taint of nodes that have them",
        demanded=(
            "metadata.namespace",
            "metadata.ownerReferences",
            "spec.containers",
            "spec.template.spec.containers",
        ),
        whole=True,
    ),
    cases=(
        Case("no toleration", Verdict.GOOD, _pod()),
        Case("a toleration of another taint", Verdict.GOOD, _pod({**_TAINT, "key": "dedicated"})),
        Case(
            "a toleration that a GPU needs", Verdict.GOOD, _pod(_TAINT, resources=_limits("nvidia.com/gpu"))
        ),
        Case("a slice", Verdict.GOOD, _pod(_TAINT, resources=_limits("nvidia.com/mig-1g.5gb"))),
        Case("a part of one", Verdict.GOOD, _pod(_TAINT, resources=_limits("nvidia.com/gpu.shared", 1))),
        Case("a claim", Verdict.GOOD, _pod(_TAINT, resources={"claims": [{"name": "gpu"}]})),
        Case("no GPU", Verdict.BAD, _pod(_TAINT)),
        Case("a GPU, none of it", Verdict.BAD, _pod(_TAINT, resources=_limits("nvidia.com/gpu", "0"))),
        Case("memory alone", Verdict.BAD, _pod(_TAINT, resources=_limits("memory"))),
        Case("any taint", Verdict.BAD, _pod(_ANY)),
        Case("any taint of that effect", Verdict.BAD, _pod({**_ANY, "effect": "NoSchedule"})),
        Case(
            "any taint that is only a preference", Verdict.GOOD, _pod({**_ANY, "effect": "PreferNoSchedule"})
        ),
        Case("any taint, beside another", Verdict.BAD, _pod({**_TAINT, "key": "dedicated"}, _ANY)),
        Case("by its value", Verdict.BAD, _pod({"key": "amd.com/gpu", "value": "present"})),
        Case("an empty key", Verdict.BAD, _pod({"key": "", "operator": "Exists"})),
        Case("the taint of Azure", Verdict.BAD, _pod({"key": "sku", "value": "gpu", "effect": "NoSchedule"})),
        Case("another value of that key", Verdict.GOOD, _pod({"key": "sku", "value": "arm"})),
        Case(
            "a driver of the catalogue",
            Verdict.GOOD,
            _pod(_ANY, image=image("dra-driver").reference()),
        ),
        Case(
            "a pod of a Deployment",
            Verdict.BAD,
            {
                **_pod(_ANY),
                "metadata": {"ownerReferences": [{**_OWNER, "kind": "ReplicaSet", "controller": True}]},
            },
        ),
        Case("not known yet", Verdict.UNDECIDED, _pod(_TAINT, resources=UNKNOWN)),
        Case("no toleration that is known", Verdict.UNDECIDED, _pod(UNKNOWN)),
    ),
    not_enforced=(
        "of DaemonSets: what watches nodes has to be on all of them",
        "of what a controller makes pods of, such as InferenceService: its runtime may ask for it; the pod "
        "is evaluated",
        "of a pod that names its node, which no taint keeps away",
        "of downloads that KServe's agent makes beside the store, to keep models on nodes",
    ),
)
