"""What serves a model cannot change it."""

from typing import Any

from corral.controls.cel import ANNOTATIONS, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.subjects import pod

_ENGINE = f"!has(c.image) || c.image.matches({text(hubs.ENGINE)})"
_FOLDER = r"^/mnt/models?(/|$)"
_FIXED = (
    "variables.volumes.exists(v, has(v.name) && v.name == m.name && (has(v.image) || has(v.configMap) || "
    "has(v.persistentVolumeClaim) && v.persistentVolumeClaim.?readOnly.orValue(false)))"
)
_SWITCH = "storage.kserve.io/readonly"
_SWITCHED = " && ".join(
    f"!({text(_SWITCH)} in {one} && {one}[{text(_SWITCH)}] == 'false')" for one in ANNOTATIONS
)


def _mount(*, path: str = "/mnt/models", **mount: Any) -> dict[str, Any]:
    return {"volumeMounts": [{"name": "models", "mountPath": path, **mount}]}


def _served(mount: dict[str, Any], **volume: Any) -> dict[str, Any]:
    made = pod(image="vllm/vllm-openai:v0.30.0", **mount)
    return {**made, "spec": {**made["spec"], "volumes": [{"name": "models", **volume}]}}


CONTROL = Control(
    id="SOV-MOD-10",
    title="What serves a model cannot change it",
    severity=Severity.MEDIUM,
    sources=("OWASP LLM04",),
    remedy="Mount the folder of models with `readOnly: true`; leave storage.kserve.io/readonly as it is.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {"serving": f"variables.containers.filter(c, {_ENGINE})"},
        expression=(
            "variables.serving.all(c, !has(c.volumeMounts) || c.volumeMounts.all(m, !has(m.mountPath) || "
            f"!m.mountPath.matches({text(_FOLDER)}) || (has(m.readOnly) && m.readOnly) || {_FIXED})) && "
            f"{_SWITCHED}"
        ),
        message="a container that serves a model can write to where it is",
        demanded=("spec.containers", "spec.template.spec.containers"),
    ),
    cases=(
        Case("read alone", Verdict.GOOD, _served(_mount(readOnly=True), emptyDir={})),
        Case("written, too", Verdict.BAD, _served(_mount(), emptyDir={})),
        Case("written, and said so", Verdict.BAD, _served(_mount(readOnly=False), emptyDir={})),
        Case("a folder below", Verdict.BAD, _served(_mount(path="/mnt/models/chat"), emptyDir={})),
        Case("another folder", Verdict.GOOD, _served(_mount(path="/mnt/models-cache"), emptyDir={})),
        Case(
            "a claim that is read alone",
            Verdict.GOOD,
            _served(_mount(), persistentVolumeClaim={"claimName": "m", "readOnly": True}),
        ),
        Case("a claim", Verdict.BAD, _served(_mount(), persistentVolumeClaim={"claimName": "m"})),
        Case("an image", Verdict.GOOD, _served(_mount(), image={"reference": "r.example.eu/m:1"})),
        Case(
            "what fetches the model before",
            Verdict.GOOD,
            {
                "kind": "Pod",
                "spec": {
                    "initContainers": [{"name": "fetch", "image": "registry.example.eu/tools:1", **_mount()}],
                    "containers": [{"name": "main", "image": "vllm/vllm-openai:v0.30.0"}],
                },
            },
        ),
        Case("no engine", Verdict.GOOD, pod(image="registry.example.eu/tools:1", **_mount())),
        Case(
            "KServe, told to",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "metadata": {"name": "chat", "annotations": {_SWITCH: "false"}},
                "spec": {"predictor": {"model": {"storageUri": "pvc://m/chat"}}},
            },
        ),
        Case(
            "KServe, by itself",
            Verdict.GOOD,
            {
                "kind": "InferenceService",
                "metadata": {"name": "chat", "annotations": {_SWITCH: "true"}},
                "spec": {"predictor": {"model": {"storageUri": "pvc://m/chat"}}},
            },
        ),
        Case("not known yet", Verdict.UNDECIDED, _served(_mount(readOnly=UNKNOWN), emptyDir={})),
    ),
)
