"""Every model has a bill of materials that says what it is made of."""

from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.levels import Severity

BILL = "corral.dev/ml-bom"
"""Annotation with the address of a model's bill of materials."""
_HELD = "object.?metadata.?annotations.orValue({})"
_BILL = r"(?i)\.(cdx|spdx)\.(json|xml)$|@sha256:[0-9a-f]{64}$"
"""A bill of CycloneDX or SPDX, or an artifact that is attached by digest."""


def _service(bill: object = None, kind: str = "InferenceService") -> dict[str, Any]:
    metadata = {"name": "chat", "annotations": {} if bill is None else {BILL: bill}}
    return {"kind": kind, "metadata": metadata, "spec": {"predictor": {"model": {}}}}


CONTROL = Control(
    id="SOV-MOD-08",
    title="Every model names its bill of materials",
    severity=Severity.MEDIUM,
    sources=("G7 SBOM for AI", "AI Act 11"),
    remedy=f"Annotate the service with {BILL}: where its CycloneDX or SPDX bill is in the platform's store.",
    rule=ObjectRule(
        kinds=("InferenceService", "LLMInferenceService"),
        parameters=lambda profile: {"sources": text([*profile.model_sources])},
        expression=(
            f"{_HELD}.exists(k, k == {text(BILL)} && {_HELD}[k].matches({text(_BILL)}) && "
            f"variables.sources.exists(s, {_HELD}[k].startsWith(s)))"
        ),
        message="a model names no bill of materials of the platform's own stores",
        demanded=("metadata.annotations",),
    ),
    cases=(
        Case("beside the model", Verdict.GOOD, _service("s3://models/chat/bom.cdx.json")),
        Case("as SPDX", Verdict.GOOD, _service("s3://models/chat/bom.spdx.json")),
        Case("attached to an artifact", Verdict.GOOD, _service("oci://r.example.eu/chat@sha256:" + "a" * 64)),
        Case("several copies of one", Verdict.GOOD, _service("s3://m/c/bom.cdx.json", "LLMInferenceService")),
        Case("none", Verdict.BAD, _service()),
        Case("an empty one", Verdict.BAD, _service("")),
        Case("the model itself", Verdict.BAD, _service("s3://models/chat/config.json")),
        Case("an artifact by tag", Verdict.BAD, _service("oci://r.example.eu/chat:1")),
        Case("of a public hub", Verdict.BAD, _service("hf://org/chat/bom.cdx.json")),
        Case("of somewhere", Verdict.BAD, _service("https://example.com/bom.cdx.json")),
        Case("several copies without", Verdict.BAD, _service(None, "LLMInferenceService")),
        Case("not known yet", Verdict.UNDECIDED, _service(UNKNOWN)),
    ),
    not_enforced=(
        "of what the bill says, which no policy reads: `corral import` writes source, licence and files of a "
        "model, and nothing of its training data, energy and figures, which G7's clusters ask for as well",
        "of attestations of an artifact in a registry",
    ),
)
