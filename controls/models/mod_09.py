"""Every model says under which licence it is, and which data it may see."""

from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.gpu.gpu_05 import CLASS
from corral.controls.levels import Severity

LICENSE = "corral.dev/license"
"""Label, or annotation, with the licence of a model."""
_HELD = ("object.?metadata.?labels.orValue({})", "object.?metadata.?annotations.orValue({})")


def _has(*keys: str) -> str:
    listed = text(list(keys))
    return "(" + " || ".join(f"{one}.exists(k, k in {listed} && {one}[k] != '')" for one in _HELD) + ")"


def _service(kind: str = "InferenceService", annotations: Any = None, **labels: object) -> dict[str, Any]:
    metadata = {"name": "chat", "labels": labels, **({"annotations": annotations} if annotations else {})}
    return {"kind": kind, "metadata": metadata, "spec": {"predictor": {"model": {}}}}


_DATA, _PLAIN = {CLASS[0]: "internal"}, {CLASS[1]: "internal"}
_OPEN = {LICENSE: "Apache-2.0"}

CONTROL = Control(
    id="SOV-MOD-09",
    title="Every model says its licence and the class of its data",
    severity=Severity.MEDIUM,
    sources=("SOV-5",),
    remedy=f"Label the service with {LICENSE} and {CLASS[0]}; `data-class` of the tenant does the second.",
    rule=ObjectRule(
        kinds=("InferenceService", "LLMInferenceService"),
        expression=f"{_has(LICENSE)} && {_has(*CLASS)}",
        message="a model says nothing of its licence, or of the class of data that it may see",
        demanded=("metadata.labels", "metadata.annotations"),
    ),
    cases=(
        Case("both", Verdict.GOOD, _service(**_OPEN, **_DATA)),
        Case("the class by its short label", Verdict.GOOD, _service(**_OPEN, **_PLAIN)),
        Case(
            "the licence as an annotation", Verdict.GOOD, _service(annotations={LICENSE: "A OR B"}, **_DATA)
        ),
        Case("several copies of one", Verdict.GOOD, _service("LLMInferenceService", **_OPEN, **_DATA)),
        Case("no licence", Verdict.BAD, _service(**_DATA)),
        Case("no class", Verdict.BAD, _service(**_OPEN)),
        Case("neither", Verdict.BAD, _service()),
        Case("an empty licence", Verdict.BAD, _service(**{LICENSE: ""}, **_DATA)),
        Case("a label that only begins alike", Verdict.BAD, _service(**{f"{LICENSE}-url": "x"}, **_DATA)),
        Case("several copies without", Verdict.BAD, _service("LLMInferenceService")),
        Case("nothing said", Verdict.BAD, {"kind": "InferenceService", "spec": {"predictor": {}}}),
        Case("not known yet", Verdict.UNDECIDED, _service(**{LICENSE: UNKNOWN}, **_DATA)),
    ),
    not_enforced=(
        "of a plain pod, which names no model of a register",
        "by a register at the API server: the plan refuses a model that is not in the catalogue, nor one of "
        "`custom-models`",
    ),
)
