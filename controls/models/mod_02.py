"""No model is fetched from a public hub at run time."""

from corral.controls.cel import text
from corral.controls.control import Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod

_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN")


_NAME = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+"
_OPTION = r"(\s+--?[A-Za-z0-9_-]+(=\S+|\s+[^-\s]\S*))*"
_ARGUMENT = (
    rf"(^|[\s/])((--model|--model-id|--model-path|--hf-repo|-hf|-hfr)(=|\s+)|serve{_OPTION}\s+)"
    rf"[\"']?{_NAME}([\"':;\s]|$)"
)
"""A name on a hub as the value of an option, or as what is served; a path begins with `/` or `.`."""
_VARIABLE = r"^([A-Z0-9]+_)*(MODEL|HF_REPO)(_ID|_NAME|_NAME_OR_PATH|_REPO)?$"

CONTROL = Control(
    id="SOV-MOD-02",
    title="No model is fetched from a public hub at run time",
    severity=Severity.CRITICAL,
    sources=("OWASP LLM03",),
    remedy="Serve a local path; drop hub tokens and hub addresses from the environment.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "tokens": text(list(_TOKENS)),
            "hubName": text(f"^{_NAME}$"),
            "hubArgument": text(_ARGUMENT),
            "hubVariable": text(_VARIABLE),
        },
        expression=(
            "variables.lines.all(l, !l.contains('hf://') && !l.matches(variables.hubArgument)) && "
            "variables.env.all(l, l.all(e, !has(e.value) || !(e.value.contains('hf://') || "
            "e.name.matches(variables.hubVariable) && e.value.matches(variables.hubName)))) && "
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
        Case(
            "a local path beside a relative template",
            Verdict.GOOD,
            pod(args=["--model", "/mnt/models", "--chat-template", "templates/chat.jinja"]),
        ),
        Case("a served path", Verdict.GOOD, pod(command=["vllm", "serve", "/mnt/models"])),
        Case("a hub's name, served", Verdict.BAD, pod(command=["vllm", "serve", "org/chat"])),
        Case("a hub's name as argument", Verdict.BAD, pod(command=["vllm", "serve"], args=["org/chat"])),
        Case(
            "a hub's name, served after options",
            Verdict.BAD,
            pod(args=["serve", "--port", "8080", "org/chat"]),
        ),
        Case(
            "a hub's name in a shell string",
            Verdict.BAD,
            pod(command=["sh", "-c", "exec vllm serve 'org/chat' --port 80"]),
        ),
        Case("a hub's name for llama.cpp", Verdict.BAD, pod(args=["-hf", "org/chat:Q4_K_M"])),
        Case("a hub's name in a variable", Verdict.BAD, pod(env=[{"name": "MODEL_ID", "value": "org/chat"}])),
        Case("a path in a variable", Verdict.GOOD, pod(env=[{"name": "MODEL_ID", "value": "/mnt/models"}])),
        Case("a hub address", Verdict.BAD, pod(command=["serve", "hf://org/chat"])),
        Case("a hub token", Verdict.BAD, pod(env=[{"name": "HF_TOKEN", "valueFrom": {}}])),
        Case("online is said", Verdict.BAD, pod(env=[{"name": "HF_HUB_OFFLINE", "value": "0"}])),
    ),
)
