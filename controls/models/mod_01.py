"""Every model comes from an allowed source."""

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod, service
from corral.controls.profiles import Profile


def _sources(profile: Profile) -> dict[str, str]:
    return {"sources": text(list(profile.model_sources))}


CONTROL = Control(
    id="SOV-MOD-01",
    title="Every model comes from an allowed source",
    severity=Severity.CRITICAL,
    sources=("OWASP LLM03",),
    remedy="Import the model into the platform's own store and serve it from there (`s3://…`).",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=_sources,
        expression=(
            "variables.uris.all(u, variables.sources.exists(s, u.startsWith(s))) && "
            "variables.env.all(l, l.all(e, e.name != 'STORAGE_URI' || !has(e.value) || "
            "variables.sources.exists(s, e.value.startsWith(s))))"
        ),
        message="a model address lies outside the allowed sources",
    ),
    cases=(
        Case("from the own store", Verdict.GOOD, service(storageUri="s3://models/chat")),
        Case("no address at all", Verdict.GOOD, service()),
        Case("from a public hub", Verdict.BAD, service(storageUri="hf://org/chat")),
        Case("a public page", Verdict.BAD, service(storageUri="https://example.com/chat.gguf")),
        Case("an address that only contains s3://", Verdict.BAD, service(storageUri="https://x/s3://chat")),
        Case(
            "the initializer's variable",
            Verdict.BAD,
            pod(env=[{"name": "STORAGE_URI", "value": "hf://a/b"}]),
        ),
        Case(
            "a second address among several",
            Verdict.BAD,
            {
                "kind": "InferenceService",
                "spec": {"predictor": {"storageUris": [{"uri": "s3://a/b"}, {"uri": "hf://a/b"}]}},
            },
        ),
        Case(
            "a predictor named by its framework",
            Verdict.BAD,
            {"kind": "InferenceService", "spec": {"predictor": {"huggingface": {"storageUri": "hf://a/b"}}}},
        ),
        Case(
            "an adapter from a hub",
            Verdict.BAD,
            {
                "kind": "LLMInferenceService",
                "spec": {"model": {"uri": "s3://a/b", "lora": {"adapters": [{"uri": "hf://a/c"}]}}},
            },
        ),
        Case("a hub in profile open", Verdict.GOOD, service(storageUri="hf://org/chat"), profile="open"),
        Case("not known before the update", Verdict.UNDECIDED, service(storageUri=UNKNOWN)),
    ),
)
