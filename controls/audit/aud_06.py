"""Prompts and answers are logged only where it is declared of which class they are, and for how long."""

from collections.abc import Mapping
from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.gpu.gpu_05 import CLASS
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.subjects import pod, service

_CLASS: list[str] = [*CLASS]
_RETENTION = ["corral.dev/retention", "retention"]
_HOLDERS = (
    "object.?metadata.?labels.orValue({})",
    "object.?spec.?template.?metadata.?labels.orValue({})",
    "object.?spec.?predictor.?labels.orValue({})",
)
_SWITCH = (
    r"(^|[\s\"'])--?(enable[-_]log[-_](requests|outputs)|log[-_]requests|log[-_]prompts|enable[-_]prompt[-_]logging"
    r"|request[-_]logging)([\s\"']|=[\"']?(true|1|True|on)|$)"
)
"""Options by which engines log what they are sent."""
_VARIABLES = ["VLLM_DEBUG_LOG_API_SERVER_RESPONSE", "VLLM_ENABLE_LOG_REQUESTS", "LOG_PROMPTS", "LOG_REQUESTS"]
_OFF = ["", "0", "false", "no", "off"]


def _labelled(keys: list[str]) -> str:
    return "(" + " || ".join(f"{one}.exists(k, k in {text(keys)})" for one in _HOLDERS) + ")"


_LOGS = (
    f"(variables.logging && (variables.texts.exists(l, l.matches({text(_SWITCH)})) || "
    f"variables.env.exists(l, l.exists(e, e.name in {text(_VARIABLES)} && "
    f"!(has(e.value) && e.value.lowerAscii() in {text(_OFF)})))))"
)


def _labels(value: Mapping[str, Any], **labels: str) -> Mapping[str, Any]:
    named = {key.replace("_", "-"): one for key, one in labels.items()}
    return {**value, "metadata": {**value["metadata"], "labels": named}}


CONTROL = Control(
    id="SOV-AUD-06",
    title="Prompts and answers are logged only where their class and period are declared",
    severity=Severity.HIGH,
    sources=("GDPR 5(1)(e)", "OWASP LLM02"),
    remedy="Leave the switch out, or label the workload `data-class` and `retention`.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "logging": hubs.has_any("(variables.text + variables.names).lowerAscii()", text(["log"])),
        },
        expression=f"!{_LOGS} || ({_labelled(_CLASS)} && {_labelled(_RETENTION)})",
        message="prompts or answers are logged, and no label says of which class they are and for how long",
    ),
    cases=(
        Case("nothing said", Verdict.GOOD, pod(args=["--model=/m"])),
        Case("said not to", Verdict.GOOD, pod(args=["--no-enable-log-requests", "--disable-log-requests"])),
        Case("another log", Verdict.GOOD, pod(args=["--log-level", "info", "--uvicorn-log-level=debug"])),
        Case("requests", Verdict.BAD, pod(args=["--model=/m", "--enable-log-requests"])),
        Case("answers", Verdict.BAD, pod(args=["--enable-log-outputs"])),
        Case("of SGLang", Verdict.BAD, pod(args=["--log-requests"])),
        Case("said to be false", Verdict.GOOD, pod(args=["--log-requests=false"])),
        Case("by a shell", Verdict.BAD, pod(command=["sh", "-c", "vllm serve /m --enable-log-requests"])),
        Case(
            "by the environment",
            Verdict.BAD,
            pod(env=[{"name": "VLLM_DEBUG_LOG_API_SERVER_RESPONSE", "value": "1"}]),
        ),
        Case("of a model's own", Verdict.BAD, service(args=["--enable-log-requests"])),
        Case(
            "declared",
            Verdict.GOOD,
            _labels(pod(args=["--enable-log-requests"]), data_class="internal", retention="30d"),
        ),
        Case(
            "declared by Corral's labels",
            Verdict.GOOD,
            _labels(
                pod(args=["--enable-log-requests"]),
                **{"corral.dev/data-class": "internal", "corral.dev/retention": "30d"},
            ),
        ),
        Case(
            "declared without a period",
            Verdict.BAD,
            _labels(pod(args=["--enable-log-requests"]), data_class="internal"),
        ),
        Case("not known yet", Verdict.UNDECIDED, pod(args=UNKNOWN)),
    ),
)
