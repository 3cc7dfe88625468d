"""The key of a secret model is released to a machine that has proved what it is."""

from typing import Any

from corral.controls.cel import listed, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.gpu.gpu_05 import CLASS
from corral.controls.kinds import POD_KINDS
from corral.controls.levels import Severity
from corral.controls.models.serving import PODS, engine, every, inits

_SECRET = ["restricted", "secret"]
_LABELS = (
    "object.?metadata.?labels.orValue({})",
    "object.?spec.?template.?metadata.?labels.orValue({})",
    "object.?spec.?jobTemplate.?spec.?template.?metadata.?labels.orValue({})",
    "object.?spec.?predictor.?labels.orValue({})",
)
_IS_SECRET = " || ".join(
    f"{one}.exists(k, k in {text(list(CLASS))} && {one}[k].lowerAscii() in {text(_SECRET)})"
    for one in _LABELS
)
_KEY = r"^kbs://[^/]*/[^/]+/[^/]+/[^/]+$"
_SPECS = "variables.models + (has(variables.spec.model) ? [variables.spec.model] : [])"
_CONFIDENTIAL = (
    "has(m.confidential) && has(m.confidential.enabled) && m.confidential.enabled == true && "
    f"m.confidential.?resourceId.orValue('').matches({text(_KEY)})"
)
_ENABLED, _RESOURCE = "CONFIDENTIAL_ENABLED", "CONFIDENTIAL_RESOURCE_ID"
"""What KServe tells its initializer."""
_RELEASED = (
    f"{inits('p')}.exists(i, {listed('i', 'env')}.exists(e, e.?name.orValue('') == '{_ENABLED}' && "
    f"e.?value.orValue('').lowerAscii() == 'true') && {listed('i', 'env')}.exists(e, "
    f"e.?name.orValue('') == '{_RESOURCE}' && e.?value.orValue('').matches({text(_KEY)})))"
)
_RUNTIME = r"(?i)(kata|coco|confidential|enclave|snp|tdx)"
_INSIDE = f"(has(p.runtimeClassName) && p.runtimeClassName.matches({text(_RUNTIME)}))"
_LOADS = f"{every('p')}.exists(c, {engine('c')})"
_PATH = "kbs:///models/key/chat"


def _service(data: object = "restricted", **model: Any) -> dict[str, Any]:
    return {
        "kind": "InferenceService",
        "metadata": {"name": "chat", "labels": {CLASS[0]: data}},
        "spec": {"predictor": {"model": {"storageUri": "s3://m/c", **model}}},
    }


def _several(**model: Any) -> dict[str, Any]:
    metadata = {"name": "chat", "labels": {CLASS[1]: "secret"}}
    return {
        "kind": "LLMInferenceService",
        "metadata": metadata,
        "spec": {"model": {"uri": "s3://m/c", **model}},
    }


def _pod(*env: Any, runtime: str | None = "kata-qemu-snp", **labels: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "containers": [{"name": "c", "image": "vllm/vllm-openai:v0.30.0"}],
        "initContainers": [{"name": "i", "image": "r.example.eu/initializer:1", "env": list(env)}],
    }
    if runtime is not None:
        spec["runtimeClassName"] = runtime
    return {"kind": "Pod", "metadata": {"labels": labels or {CLASS[0]: "restricted"}}, "spec": spec}


_ON, _ID = {"name": _ENABLED, "value": "true"}, {"name": _RESOURCE, "value": _PATH}
_WHOLE = {"confidential": {"enabled": True, "resourceId": _PATH}}

CONTROL = Control(
    id="SOV-TEE-02",
    title="The key of a model for secret data is released to an attested machine alone",
    severity=Severity.HIGH,
    sources=("C5 OPS-33", "DORA RTS 6"),
    remedy="Encrypt the model and set `confidential: {enabled: true, resourceId: kbs:///…}` (KServe 0.20).",
    rule=ObjectRule(
        kinds=(*POD_KINDS, "InferenceService", "LLMInferenceService"),
        parameters=lambda profile: {"secret": _IS_SECRET},
        expression=(
            f"!variables.secret || (({_SPECS}).all(m, {_CONFIDENTIAL}) && "
            f"{PODS}.all(p, !{_LOADS} || size({_SPECS}) > 0 || ({_RELEASED} && {_INSIDE})))"
        ),
        reads=("metadata.labels",),
        message="a model for secret data is loaded without a machine having proved what it is",
        demanded=("metadata.labels", "spec.runtimeClassName", "spec.initContainers"),
        whole=True,
    ),
    cases=(
        Case("released by a broker", Verdict.GOOD, _service(**_WHOLE)),
        Case("a class below", Verdict.GOOD, _service("internal")),
        Case("not confidential", Verdict.BAD, _service()),
        Case("switched off", Verdict.BAD, _service(confidential={"enabled": False, "resourceId": _PATH})),
        Case("without a key", Verdict.BAD, _service(confidential={"enabled": True})),
        Case(
            "a key of somewhere else",
            Verdict.BAD,
            _service(confidential={"enabled": True, "resourceId": "s3://m/key"}),
        ),
        Case("several copies of one", Verdict.GOOD, _several(**_WHOLE)),
        Case("several copies, not confidential", Verdict.BAD, _several()),
        Case("a pod of such a service", Verdict.GOOD, _pod(_ON, _ID)),
        Case("a pod without a release", Verdict.BAD, _pod()),
        Case("a pod without a key", Verdict.BAD, _pod(_ON)),
        Case("a pod on a plain machine", Verdict.BAD, _pod(_ON, _ID, runtime=None)),
        Case("a pod of another runtime", Verdict.BAD, _pod(_ON, _ID, runtime="gvisor")),
        Case("a pod of a class below", Verdict.GOOD, _pod(**{CLASS[0]: "public"})),
        Case("a label that only begins alike", Verdict.GOOD, _pod(**{f"{CLASS[0]}-of": "restricted"})),
        Case("not known yet", Verdict.UNDECIDED, _service(UNKNOWN)),
    ),
    not_enforced=(
        "of what the broker releases a key for: its own policy says which measurements it takes",
        "of a pod whose class only its namespace says",
    ),
)
