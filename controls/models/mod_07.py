"""Weights are of a format that runs nothing when it is read."""

from corral.controls.cel import OPTIONS, text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.subjects import pod, service

_PICKLED = (
    r"(?i)(\.(pt|pth|ckpt|pkl|pickle|joblib|npy|t7|mar)"
    r"|(^|/)(pytorch_model|adapter_model|model|diffusion_pytorch_model)"
    r"([-_.][a-z0-9-]+)*\.bin)([?#].*)?$"
)
"""A file of Python's pickles."""
_ALLOWED = (
    r"(?i)^([A-Z0-9]+_)*((ALLOW|TRUST)_(UNSAFE_)?PICKLE|UNSAFE_PICKLE|ALLOW_DANGEROUS_DESERIALIZATION)$"
)
_FORMAT = r"(?i)^([A-Z0-9]+_)*LOAD_FORMAT$"
_UNSAFE = ["pt", "pickle", "npcache"]
"""Formats of vLLM and SGLang that read pickles."""
_OFF = ["", "0", "false", "no", "off"]
_SWITCH = (
    r"(?i)^-?(allow[-_](unsafe[-_])?pickle|allow[-_]dangerous[-_]deserialization|unsafe[-_]load)([\s=]|$)"
)
_READ = (
    r"(?i)(use_safetensors|weights_only)[\"']?\s*[=:]\s*[\"']?(false|0|no|off)([^a-z0-9]|$)"
    r"|(^|[\s\"'])--(no|disable)[-_](use[-_])?safetensors([\s\"'=]|$)"
    r"|allow_pickle\s*=\s*(true|1)([^a-z0-9]|$)|safe_mode\s*=\s*(false|0)([^a-z0-9]|$)|enable_unsafe_deserialization"
)
"""A call, or a switch, that has weights read as pickles."""
_SIGNS = (
    ".pt",
    ".ckpt",
    ".pkl",
    ".pickle",
    ".joblib",
    ".npy",
    ".t7",
    ".mar",
    ".bin",
    "pickle",
    "unsafe",
    "dangerous",
    "safetensors",
    "weights_only",
    "safe_mode",
)
_NAMES = ("PICKLE", "LOAD_FORMAT", "DESERIALIZATION")
_EXPRESSION = " && ".join(
    (
        f"variables.uris.all(u, !u.matches({text(_PICKLED)}))",
        f"(!variables.filed || !variables.text.matches({text(_READ)}))",
        f"variables.options.all(o, o.all(s, !s.matches({text(_SWITCH)}) && "
        f"!(s.matches({text(hubs.OPTION)}) && "
        f"{hubs.words('s')}.exists(w, w.matches({text(_PICKLED)})))))",
        "(!variables.opened || variables.env.all(l, l.all(e, "
        f"!(e.name.matches({text(_ALLOWED)}) && !(has(e.value) && e.value.lowerAscii() in {text(_OFF)})) && "
        f"!(e.name.matches({text(_FORMAT)}) && has(e.value) && e.value.lowerAscii() in {text(_UNSAFE)}))))",
        f"(!variables.filed || variables.env.all(l, l.all(e, !(has(e.value) && "
        f"e.name.matches({text(hubs.VARIABLE)}) && e.value.matches({text(_PICKLED)})))))",
    )
)

CONTROL = Control(
    id="SOV-MOD-07",
    title="Weights are of a format that runs nothing when it is read",
    severity=Severity.HIGH,
    sources=("OWASP LLM03", "OWASP LLM04"),
    remedy="Convert the weights to safetensors or GGUF, and serve these.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {
            "filed": hubs.has_any("variables.text.lowerAscii()", text(list(_SIGNS))),
            "options": f"variables.filed ? {OPTIONS} : []",
            "opened": hubs.has_any("variables.names", text(list(_NAMES))),
        },
        expression=_EXPRESSION,
        message="weights are of a format that can run code when it is read",
    ),
    cases=(
        Case("a folder of a model", Verdict.GOOD, pod(args=["--model", "/mnt/models"])),
        Case("a file of GGUF", Verdict.GOOD, pod(args=["-m", "/mnt/models/chat.gguf"])),
        Case("a file of safetensors", Verdict.GOOD, pod(args=["--model=/mnt/models/a.safetensors"])),
        Case("weights of whisper.cpp", Verdict.GOOD, pod(args=["--model", "/models/ggml-base.en.bin"])),
        Case("another file of the same ending", Verdict.GOOD, pod(args=["--config", "/etc/cfg.bin"])),
        *(
            Case(f"a file of {file}", Verdict.BAD, pod(args=["--model", f"/mnt/models/{file}"]))
            for file in ("a.pth", "model.ckpt", "model.pkl", "pytorch_model-00001-of-2.bin", "MODEL.PT")
        ),
        *(
            Case(f"{line}", verdict, pod(command=["python", "-c", line]))
            for line, verdict in (
                ("M.from_pretrained('/m', use_safetensors=False)", Verdict.BAD),
                ("torch.load('/m', weights_only = 0)", Verdict.BAD),
                ("M.from_pretrained('/m', use_safetensors=True)", Verdict.GOOD),
                ("torch.load('/m', weights_only=True)", Verdict.GOOD),
                ("np.load('/m', allow_pickle=True)", Verdict.BAD),
                ("np.load('/m', allow_pickle=False)", Verdict.GOOD),
                ("load_model('/m', safe_mode=False)", Verdict.BAD),
            )
        ),
        Case("another switch", Verdict.BAD, pod(args=["--model=/m", "--no-use-safetensors"])),
        Case("an adapter", Verdict.BAD, pod(args=["--lora-modules", "a=/mnt/a/adapter_model.bin"])),
        Case("an address", Verdict.BAD, service(storageUri="s3://models/a/model.pt")),
        Case("an address of a folder", Verdict.GOOD, service(storageUri="s3://models/a.pt/v1")),
        Case("a variable", Verdict.BAD, pod(env=[{"name": "MODEL_PATH", "value": "/m/consolidated.00.pth"}])),
        Case("a switch", Verdict.BAD, pod(args=["--model=/m", "--allow-pickle"])),
        Case("a switch of the environment", Verdict.BAD, pod(env=[{"name": "ALLOW_PICKLE", "value": "1"}])),
        Case("a switch that is off", Verdict.GOOD, pod(env=[{"name": "ALLOW_PICKLE", "value": "0"}])),
        Case("a format", Verdict.BAD, pod(env=[{"name": "VLLM_LOAD_FORMAT", "value": "pt"}])),
        Case("a safe format", Verdict.GOOD, pod(env=[{"name": "VLLM_LOAD_FORMAT", "value": "safetensors"}])),
        Case("not known yet", Verdict.UNDECIDED, pod(args=UNKNOWN)),
    ),
)
