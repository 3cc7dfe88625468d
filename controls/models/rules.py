"""Where models may come from, and that none brings code of its own."""

from typing import Any

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Severity, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.profiles import Profile


def _service(**model: Any) -> dict[str, Any]:
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "chat"},
        "spec": {"predictor": {"model": {"modelFormat": {"name": "gguf"}, **model}}},
    }


def _pod(**container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "chat"},
        "spec": {"containers": [{"name": "main", "image": "engine", **container}]},
    }


def _sources(profile: Profile) -> dict[str, str]:
    return {"sources": text(list(profile.model_sources))}


MOD_01 = Control(
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
        Case("from the own store", Verdict.GOOD, _service(storageUri="s3://models/chat")),
        Case("no address at all", Verdict.GOOD, _service()),
        Case("from a public hub", Verdict.BAD, _service(storageUri="hf://org/chat")),
        Case("a public page", Verdict.BAD, _service(storageUri="https://example.com/chat.gguf")),
        Case("an address that only contains s3://", Verdict.BAD, _service(storageUri="https://x/s3://chat")),
        Case(
            "the initializer's variable",
            Verdict.BAD,
            _pod(env=[{"name": "STORAGE_URI", "value": "hf://a/b"}]),
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
            "an adapter from a hub",
            Verdict.BAD,
            {
                "kind": "LLMInferenceService",
                "spec": {"model": {"uri": "s3://a/b", "lora": {"adapters": [{"uri": "hf://a/c"}]}}},
            },
        ),
        Case("a hub in profile open", Verdict.GOOD, _service(storageUri="hf://org/chat"), profile="open"),
        Case("not known before the update", Verdict.UNDECIDED, _service(storageUri=UNKNOWN)),
    ),
)

_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN")

MOD_02 = Control(
    id="SOV-MOD-02",
    title="No model is fetched from a public hub at run time",
    severity=Severity.CRITICAL,
    sources=("OWASP LLM03",),
    remedy="Serve a local path; drop hub tokens and hub addresses from the environment.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {"tokens": text(list(_TOKENS))},
        expression=(
            "variables.words.all(l, l.all(w, !w.contains('hf://') && "
            "!w.matches('^(--model(-id)?=)[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$'))) && "
            "variables.words.all(l, !l.exists(w, w in ['--model', '--model-id']) || "
            "!l.exists(w, w.matches('^[A-Za-z0-9_-][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+$'))) && "
            "variables.env.all(l, l.all(e, !(e.name in variables.tokens) && e.name != 'HF_ENDPOINT' && "
            "(!(e.name in ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE']) || "
            "(has(e.value) && e.value in ['1', 'true', 'TRUE', 'True']))))"
        ),
        message="a model would be fetched from a public hub at run time",
    ),
    cases=(
        Case("a local path", Verdict.GOOD, _pod(args=["--model", "/mnt/models/chat.gguf"])),
        Case("a local path, joined", Verdict.GOOD, _pod(args=["--model=/mnt/models"])),
        Case("offline is said", Verdict.GOOD, _pod(env=[{"name": "HF_HUB_OFFLINE", "value": "1"}])),
        Case("a hub's name for a model, joined", Verdict.BAD, _pod(args=["--model=org/chat"])),
        Case("a hub's name for a model, apart", Verdict.BAD, _pod(args=["--model", "org/chat"])),
        Case("a hub address", Verdict.BAD, _pod(command=["serve", "hf://org/chat"])),
        Case("a hub token", Verdict.BAD, _pod(env=[{"name": "HF_TOKEN", "valueFrom": {}}])),
        Case("online is said", Verdict.BAD, _pod(env=[{"name": "HF_HUB_OFFLINE", "value": "0"}])),
    ),
)

_SPELLED = (
    ".lowerAscii().replace('_', '-').replace('--no-trust-remote-code', '')"
    ".replace('trust-remote-code=false', '').replace('trust-remote-code=0', '')"
    ".replace('trust-remote-code: false', '').contains('trust-remote-code')"
)

MOD_03 = Control(
    id="SOV-MOD-03",
    title="No switch lets a model repository run code",
    severity=Severity.CRITICAL,
    sources=("CVE-2025-66448", "CVE-2026-22807", "OWASP LLM03"),
    remedy="Take the switch out; use a model that its engine supports without code of its own.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        expression=(
            f"variables.words.all(l, l.all(w, !w{_SPELLED})) && "
            "variables.env.all(l, l.all(e, "
            "!e.name.lowerAscii().replace('_', '-').contains('trust-remote-code') || "
            "(has(e.value) && e.value.lowerAscii() in ['', '0', 'false', 'no']))) && "
            f"variables.env.all(l, l.all(e, !has(e.value) || !e.value{_SPELLED}))"
        ),
        message="a switch lets the model's repository run code of its own",
    ),
    cases=(
        Case("nothing said", Verdict.GOOD, _pod(args=["--model", "/mnt/models"])),
        Case("said not to", Verdict.GOOD, _pod(args=["--no-trust-remote-code"])),
        Case("said to be false", Verdict.GOOD, _pod(args=["--trust-remote-code=false"])),
        Case("the switch", Verdict.BAD, _pod(args=["--trust-remote-code"])),
        Case("underscores", Verdict.BAD, _pod(args=["--trust_remote_code"])),
        Case("said to be true", Verdict.BAD, _pod(args=["--trust-remote-code=True"])),
        Case(
            "inside a shell string",
            Verdict.BAD,
            _pod(command=["sh", "-c", "vllm serve --trust-remote-code /m"]),
        ),
        Case("both ways", Verdict.BAD, _pod(args=["--no-trust-remote-code", "--trust-remote-code"])),
        Case("by the environment", Verdict.BAD, _pod(env=[{"name": "TRUST_REMOTE_CODE", "value": "1"}])),
        Case(
            "in a serving runtime",
            Verdict.BAD,
            {"kind": "ServingRuntime", "spec": {"containers": [{"args": ["--trust-remote-code"]}]}},
        ),
        Case("in a model's own arguments", Verdict.BAD, _service(args=["--trust-remote-code"])),
        Case(
            "switched off by the environment",
            Verdict.GOOD,
            _pod(env=[{"name": "TRUST_REMOTE_CODE", "value": "0"}]),
        ),
        Case(
            "a definite violation beside an unknown",
            Verdict.BAD,
            _pod(args=["--trust-remote-code"], image=UNKNOWN),
        ),
    ),
)

CONTROLS = (MOD_01, MOD_02, MOD_03)
