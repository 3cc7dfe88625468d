"""What serves models takes no more of a node than it says."""

from typing import Any

from corral.controls.cel import listed, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.gpu.requests import asks
from corral.controls.kinds import POD_KINDS
from corral.controls.levels import Severity
from corral.controls.models.serving import PODS, SERVES, engine, inits


def _has(part: str, name: str) -> str:
    amounts = f"c.resources.{part}"
    return (
        f"(has(c.resources) && has({amounts}) && {text(name)} in {amounts} && "
        f"string({amounts}[{text(name)}]) != '0')"
    )


_BOUND = f"{_has('limits', 'memory')} && ({_has('requests', 'cpu')} || {_has('limits', 'cpu')})"
"""CEL: whether container `c` says what it takes; a limit stands for a request."""
_ALL = (
    f"({listed('p', 'containers')} + {inits('p')} + {listed('p', 'ephemeralContainers')}.filter(c, "
    f"{engine('c')} || {asks('c')}))"
)
"""CEL: containers of pod spec `p`, less those of debuggers, which cannot have resources."""
_STATED = "(object.kind != 'InferenceService' || has(c.resources) || has(c.image))"
"""CEL: whether container `c` does not leave that to a runtime."""
_MOUNTING = f"{_ALL}.filter(c, {listed('c', 'volumeMounts')}.exists(m, m.?name.orValue('') == v.name))"
_SIZED = (
    "(has(v.emptyDir.sizeLimit) && string(v.emptyDir.sizeLimit) != '0') || "
    "v.emptyDir.?medium.orValue('') == 'Memory' || "
    f"[{_MOUNTING}].all(a, size(a) > 0 && a.all(c, {_has('limits', 'ephemeral-storage')}))"
)
"""CEL: whether volume `v` ends; one in memory does with the limits of the pod's containers."""


def _pod(resources: Any = None, image: str = "vllm/vllm-openai:v0.30.0", **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": image, **({"resources": resources} if resources is not None else {})}
    return {"kind": "Pod", "spec": {"containers": [container], **spec}}


_FULL = {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "2Gi"}}
_GPU = {"nvidia.com/gpu": "1"}


def _volume(**directory: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", "emptyDir": directory}]}


def _service(resources: Any = None, **predictor: Any) -> dict[str, Any]:
    model = {"storageUri": "s3://m/c", **({"resources": resources} if resources is not None else {})}
    return {"kind": "InferenceService", "spec": {"predictor": {"model": model, **predictor}}}


CONTROL = Control(
    id="SOV-POD-07",
    title="What serves models, or uses GPUs, says what it takes of its node",
    severity=Severity.MEDIUM,
    sources=("OWASP LLM10", "Kubernetes: node-pressure eviction"),
    remedy="State a request of cpu and a limit of memory per container, and `sizeLimit` of every emptyDir.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, "InferenceService"),
        expression=(
            f"!variables.serves || {PODS}.all(p, {_ALL}.all(c, !{_STATED} || ({_BOUND})) && "
            "(object.kind != 'InferenceService' || variables.models.all(c, !has(c.resources) || "
            f"({_BOUND}))) && "
            f"{listed('p', 'volumes')}.all(v, !has(v.emptyDir) || {_SIZED}))"
        ),
        parameters=lambda profile: {"serves": SERVES},
        message="what serves models can take more of its node than it says",
        demanded=("spec.containers", "spec.template.spec.containers", "spec.predictor.model.resources"),
        whole=True,
    ),
    cases=(
        Case("requests, and a limit of memory", Verdict.GOOD, _pod(_FULL)),
        Case("limits alone", Verdict.GOOD, _pod({"limits": {"cpu": "4", "memory": "2Gi"}})),
        Case("nothing said", Verdict.BAD, _pod()),
        Case("nothing in it", Verdict.BAD, _pod({})),
        Case("no limit of memory", Verdict.BAD, _pod({"requests": {"cpu": "1", "memory": "2Gi"}})),
        Case("a limit of memory that is none", Verdict.BAD, _pod({**_FULL, "limits": {"memory": "0"}})),
        Case("a volume with a size that is none", Verdict.BAD, _pod(_FULL, **_volume(sizeLimit="0"))),
        Case("no processor", Verdict.BAD, _pod({"limits": {"memory": "2Gi"}})),
        Case("a GPU, and nothing else", Verdict.BAD, _pod({"limits": _GPU}, image="r.example.eu/train:1")),
        Case(
            "a GPU, and all else",
            Verdict.GOOD,
            _pod({**_FULL, "limits": {**_FULL["limits"], **_GPU}}, image="r.example.eu/train:1"),
        ),
        Case("neither engine nor GPU", Verdict.GOOD, _pod(image="postgres:18")),
        Case(
            "what fetches the model, without",
            Verdict.BAD,
            _pod(_FULL, initContainers=[{"name": "i", "image": "r/t"}]),
        ),
        Case("a volume without end", Verdict.BAD, _pod(_FULL, **_volume())),
        Case("a volume with a size", Verdict.GOOD, _pod(_FULL, **_volume(sizeLimit="1Gi"))),
        Case(
            "a volume in memory, as large as the limits",
            Verdict.GOOD,
            _pod(_FULL, **_volume(medium="Memory")),
        ),
        Case(
            "a volume of a container with a limit of storage",
            Verdict.GOOD,
            {
                "kind": "Pod",
                "spec": {
                    "containers": [
                        {
                            "name": "c",
                            "image": "vllm/vllm-openai:v0.30.0",
                            "resources": {**_FULL, "limits": {**_FULL["limits"], "ephemeral-storage": "9Gi"}},
                            "volumeMounts": [{"name": "v", "mountPath": "/tmp"}],
                        }
                    ],
                    **_volume(),
                },
            },
        ),
        Case("a service", Verdict.GOOD, _service(_FULL)),
        Case("a service that leaves it to its runtime", Verdict.GOOD, _service()),
        Case("a service without a limit", Verdict.BAD, _service({"requests": {"cpu": "1"}, "limits": _GPU})),
        Case("a service with a volume without end", Verdict.BAD, _service(_FULL, **_volume())),
        Case("not known yet", Verdict.UNDECIDED, _pod(UNKNOWN)),
    ),
    not_enforced=(
        "at admission of an InferenceService without a request, which KServe's own webhook fills in before",
        "of what serves no model and uses no GPU: charts leave it to a namespace's LimitRange",
        "of debug containers, which cannot have resources, and of runtimes, whose models say theirs",
        "of a limit of the processor, which slows an engine down and keeps no more from others than its "
        "request",
    ),
)
