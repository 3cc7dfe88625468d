"""No switch lets a model repository run code."""

from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models.subjects import pod, service

_SPELLED = (
    ".lowerAscii().replace('_', '-').replace('--no-trust-remote-code', '')"
    ".replace('trust-remote-code=false', '').replace('trust-remote-code=0', '')"
    ".replace('trust-remote-code: false', '').contains('trust-remote-code')"
)


CONTROL = Control(
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
    ),
)
