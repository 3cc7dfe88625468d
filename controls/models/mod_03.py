"""No switch lets a model repository run code."""

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.subjects import pod, service

_NAMES = ("trustremotecode", "vllmallowinsecureserialization", "torchforcenoweightsonlyload")


def _plain(value: str) -> str:
    """CEL: `value` in one spelling, less what says that no code may run."""
    signs = "".join(f".replace({text(sign)}, '')" for sign in ("-", '"', "'", " ", "\\"))
    denied = "".join(
        f".replace({text(f'trustremotecode{sign}{word}')}, '')"
        for sign in ("=", ":")
        for word in ("false", "0", "no", "null", "none", "off")
    )
    spelled = f"{value}.lowerAscii().replace('_', '-').replace('--no-trust-remote-code', '')"
    return f"{spelled}{signs}{denied}"


_NAMED = "variables.codeNames.exists(n, e.name.lowerAscii().replace('_', '').replace('-', '').contains(n))"
_SHORT = r"^--?trust[-_](r(e(m(o(t(e([-_](c(o(d)?)?)?)?)?)?)?)?)?)(=.*)?$"
"""The switch as Python's argparse takes it, too: shortened as far as no other begins alike."""
_OFF = text(["", "0", "false", "no", "off"])
_UNSAFE = r"(?i)--load[-_]format(=|\s+)[\"']?(pt|pickle|npcache)([\"'\s]|$)|--code[-_]revision[=\s]"
"""Weights that run code when they are read, or a revision of a repository's code."""
_SET = (
    r"(?i)(^|[\s;&\"'])(VLLM_ALLOW_INSECURE_SERIALIZATION|TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD)="
    r"[\"']?(1|true|yes|on)"
)
"""The same by a shell."""
_EXPRESSION = " && ".join(
    (
        "(!variables.spelled || (variables.words.all(l, l.all(w, "
        f"!{_plain('string(w)')}.contains('trustremotecode') && "
        f"!string(w).lowerAscii().split(' ').exists(a, a.matches({text(_SHORT)})))) && "
        "variables.env.all(l, l.all(e, !has(e.value) || "
        f"!{_plain('string(e.value)')}.contains('trustremotecode')))))",
        f"(!variables.loaded || variables.lines.all(l, !l.matches({text(_UNSAFE)}) && "
        f"!l.matches({text(_SET)})))",
        "(!variables.opened || variables.env.all(l, l.all(e, "
        f"!({_NAMED}) || (has(e.value) && e.value.lowerAscii() in {_OFF}))))",
    )
)


CONTROL = Control(
    id="SOV-MOD-03",
    title="No switch lets a model repository run code",
    severity=Severity.CRITICAL,
    sources=("CVE-2025-66448", "CVE-2026-22807", "OWASP LLM03"),
    remedy="Take the switch out; use a model that its engine supports without code of its own.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        of_clouds=True,
        parameters=lambda profile: {
            "codeNames": text(list(_NAMES)),
            "spelled": "variables.text.lowerAscii().contains('trust')",
            "loaded": hubs.has_any("variables.text.lowerAscii()", text(["load", "revision", "insecure_ser"])),
            "opened": hubs.has_any("variables.names", text(["REMOTE", "SERIALIZATION", "WEIGHTS"])),
        },
        expression=_EXPRESSION,
        message="a switch lets the model's repository run code of its own",
    ),
    cases=(
        Case("nothing said", Verdict.GOOD, pod(args=["--model", "/mnt/models"])),
        Case("said not to", Verdict.GOOD, pod(args=["--no-trust-remote-code"])),
        Case("said to be false", Verdict.GOOD, pod(args=["--trust-remote-code=false"])),
        Case("the switch", Verdict.BAD, pod(args=["--trust-remote-code"])),
        Case("underscores", Verdict.BAD, pod(args=["--trust_remote_code"])),
        Case("said to be true", Verdict.BAD, pod(args=["--trust-remote-code=True"])),
        Case(
            "inside a shell string",
            Verdict.BAD,
            pod(command=["sh", "-c", "vllm serve --trust-remote-code /m"]),
        ),
        Case("both ways", Verdict.BAD, pod(args=["--no-trust-remote-code", "--trust-remote-code"])),
        Case("by the environment", Verdict.BAD, pod(env=[{"name": "TRUST_REMOTE_CODE", "value": "1"}])),
        Case(
            "in a serving runtime",
            Verdict.BAD,
            {"kind": "ServingRuntime", "spec": {"containers": [{"args": ["--trust-remote-code"]}]}},
        ),
        Case("in a model's own arguments", Verdict.BAD, service(args=["--trust-remote-code"])),
        Case(
            "switched off by the environment",
            Verdict.GOOD,
            pod(env=[{"name": "TRUST_REMOTE_CODE", "value": "0"}]),
        ),
        Case(
            "a definite violation beside an unknown",
            Verdict.BAD,
            pod(args=["--trust-remote-code"], image=UNKNOWN),
        ),
        Case("--trust-remote-code=1", Verdict.BAD, pod(args=["--trust-remote-code=1"])),
        Case("--Trust-Remote-Code", Verdict.BAD, pod(args=["--Trust-Remote-Code"])),
        Case("--trustRemoteCode", Verdict.BAD, pod(args=["--trustRemoteCode"])),
        *(
            Case(f"{word}, shortened", verdict, pod(args=["--model-path", "/m", word]))
            for word, verdict in (
                ("--trust-remote", Verdict.BAD),
                ("--trust_rem", Verdict.BAD),
                ("--trust-root=/etc/ca", Verdict.GOOD),
                ("--trust-proxy-headers", Verdict.GOOD),
            )
        ),
        Case(
            "a line of a shell, shortened", Verdict.BAD, pod(command=["sh", "-c", "serve /m --trust-remote"])
        ),
        Case("--trust_remote-code", Verdict.BAD, pod(args=["--trust_remote-code"])),
        Case("-trust-remote-code", Verdict.BAD, pod(args=["-trust-remote-code"])),
        Case('{"trust_remote_code": true}', Verdict.BAD, pod(args=['{"trust_remote_code": true}'])),
        Case(
            '--hf-overrides={"trust_remote_code":true}',
            Verdict.BAD,
            pod(args=['--hf-overrides={"trust_remote_code":true}']),
        ),
        Case("--tokenizer-trust-remote-code", Verdict.BAD, pod(args=["--tokenizer-trust-remote-code"])),
        Case(
            "--trust_remote_code=False, which denies it",
            Verdict.GOOD,
            pod(args=["serve", "--trust_remote_code=False"]),
        ),
        Case(
            '{"trust_remote_code": false}, which denies it',
            Verdict.GOOD,
            pod(args=["serve", '{"trust_remote_code": false}']),
        ),
        Case(
            "a call with the switch",
            Verdict.BAD,
            pod(command=["python", "-c", "LLM('/m', trust_remote_code=True)"]),
        ),
        Case(
            "a call without",
            Verdict.GOOD,
            pod(command=["python", "-c", "LLM('/m', trust_remote_code=False)"]),
        ),
        Case(
            "a negation that is another option's value",
            Verdict.BAD,
            pod(command=["sh", "-c", "x --mode no --trust-remote-code"]),
        ),
        Case(
            "arguments in a variable",
            Verdict.BAD,
            pod(env=[{"name": "VLLM_ARGS", "value": "--port 80 --trust-remote-code"}]),
        ),
        Case(
            "an engine's own variable",
            Verdict.BAD,
            pod(env=[{"name": "NIM_FORCE_TRUST_REMOTE_CODE", "value": "1"}]),
        ),
        Case("pickled weights", Verdict.BAD, pod(args=["--load-format", "pt"])),
        Case(
            "pickle by a variable of the shell",
            Verdict.BAD,
            pod(command=["sh", "-c", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 python serve.py"]),
        ),
        Case(
            "a hook after the start",
            Verdict.BAD,
            pod(lifecycle={"postStart": {"exec": {"command": ["sh", "-c", "serve --trust-remote-code"]}}}),
        ),
        Case("safe weights", Verdict.GOOD, pod(args=["--load-format", "safetensors"])),
        Case(
            "pickle over the wire",
            Verdict.BAD,
            pod(env=[{"name": "VLLM_ALLOW_INSECURE_SERIALIZATION", "value": "1"}]),
        ),
        Case("a revision of a repository's code", Verdict.BAD, pod(args=["--code-revision", "main"])),
        Case(
            "in a worker of an LLMInferenceService",
            Verdict.BAD,
            {
                "kind": "LLMInferenceService",
                "spec": {"worker": {"containers": [{"args": ["--trust-remote-code"]}]}},
            },
        ),
        Case(
            "in a decode pool apart from prefill",
            Verdict.BAD,
            {
                "kind": "LLMInferenceService",
                "spec": {"prefill": {"template": {"containers": [{"args": ["--trust-remote-code"]}]}}},
            },
        ),
    ),
)
