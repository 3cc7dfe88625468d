"""Every model is pinned, as an image is."""

from corral.controls.cel import OPTIONS, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod, service

_HEX = "a" * 40
_DIGEST = "@sha256:" + "a" * 64
_REVISION = r"(?i)^-?(tokenizer[-_])?revision[=\s]"
_COMMIT = r"(?i)^-?(tokenizer[-_])?revision[=\s]+[\"']?[0-9a-f]{40}[\"']?([\s;&|)]|$)"
_PINNED = (
    "(!{0}.startsWith('oci') || {0}.matches('@sha256:[a-f0-9]{{64}}$')) && "
    "(!{0}.startsWith('hf://') || {0}.matches('[:@][0-9a-f]{{40}}$'))"
)
_EXPRESSION = " && ".join(
    (
        f"variables.uris.all(u, {_PINNED.format('u')})",
        "variables.env.all(l, l.all(e, e.name != 'STORAGE_URI' || !has(e.value) || "
        f"({_PINNED.format('e.value')})))",
        f"variables.options.all(o, o.all(s, !s.matches({text(_REVISION)}) || s.matches({text(_COMMIT)})))",
    )
)

CONTROL = Control(
    id="SOV-MOD-05",
    title="Every model is pinned by digest or commit",
    severity=Severity.HIGH,
    sources=("OWASP LLM04", "SLSA"),
    remedy="Serve the platform's own store, whose files are locked; else name oci://…@sha256:… or a commit.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "options": f"variables.text.lowerAscii().contains('revision') ? {OPTIONS} : []",
        },
        expression=_EXPRESSION,
        message="a model is named by a word that can become another model",
    ),
    cases=(
        Case("from the own store", Verdict.GOOD, service(storageUri="s3://models/chat")),
        Case("an artifact by digest", Verdict.GOOD, service(storageUri=f"oci://r.example.eu/chat{_DIGEST}")),
        Case(
            "an artifact by tag and digest",
            Verdict.GOOD,
            service(storageUri=f"oci+native://r.example.eu/chat:1{_DIGEST}"),
        ),
        Case("an artifact by tag", Verdict.BAD, service(storageUri="oci://r.example.eu/chat:1")),
        Case(
            "an artifact as a volume, by tag",
            Verdict.BAD,
            service(storageUri="oci+native://r.example.eu/c:1"),
        ),
        Case("a hub's model", Verdict.BAD, service(storageUri="hf://org/chat")),
        Case("a hub's model by branch", Verdict.BAD, service(storageUri="hf://org/chat:main")),
        Case("a hub's model by commit", Verdict.GOOD, service(storageUri=f"hf://org/chat:{_HEX}")),
        Case("a path", Verdict.GOOD, pod(args=["--model", "/mnt/models"])),
        Case("a branch", Verdict.BAD, pod(args=["--model", "/mnt/models", "--revision", "main"])),
        Case("a branch, joined", Verdict.BAD, pod(args=["--revision=main"])),
        Case("a branch of a tokenizer", Verdict.BAD, pod(args=["--tokenizer_revision", "main"])),
        Case("a commit", Verdict.GOOD, pod(args=["--revision", _HEX])),
        Case("a short commit", Verdict.BAD, pod(args=["--revision", "abc1234"])),
        Case("a setting that only begins alike", Verdict.GOOD, pod(args=["--revision-history-limit", "3"])),
        Case(
            "the initializer's variable",
            Verdict.BAD,
            pod(env=[{"name": "STORAGE_URI", "value": "oci://r.example.eu/chat:1"}]),
        ),
        Case(
            "an adapter by tag",
            Verdict.BAD,
            {
                "kind": "LLMInferenceService",
                "spec": {
                    "model": {"uri": "s3://a/b", "lora": {"adapters": [{"uri": "oci://r.example.eu/a:1"}]}}
                },
            },
        ),
        Case("not known yet", Verdict.UNDECIDED, service(storageUri=UNKNOWN)),
    ),
)
