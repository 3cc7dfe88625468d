"""No model is fetched from a public hub at run time."""

from corral.controls.cel import text
from corral.controls.control import Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod

_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN")


CONTROL = Control(
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
        Case("a local path", Verdict.GOOD, pod(args=["--model", "/mnt/models/chat.gguf"])),
        Case("a local path, joined", Verdict.GOOD, pod(args=["--model=/mnt/models"])),
        Case("offline is said", Verdict.GOOD, pod(env=[{"name": "HF_HUB_OFFLINE", "value": "1"}])),
        Case("a hub's name for a model, joined", Verdict.BAD, pod(args=["--model=org/chat"])),
        Case("a hub's name for a model, apart", Verdict.BAD, pod(args=["--model", "org/chat"])),
        Case("a hub address", Verdict.BAD, pod(command=["serve", "hf://org/chat"])),
        Case("a hub token", Verdict.BAD, pod(env=[{"name": "HF_TOKEN", "valueFrom": {}}])),
        Case("online is said", Verdict.BAD, pod(env=[{"name": "HF_HUB_OFFLINE", "value": "0"}])),
    ),
)
