"""No workload tells its vendor how it is used."""

from corral.controls.cel import text
from corral.controls.control import UNKNOWN, Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.models import hubs
from corral.controls.models.subjects import pod, service

ENGINES = ["DO_NOT_TRACK", "VLLM_DO_NOT_TRACK", "VLLM_NO_USAGE_STATS", "HF_HUB_DISABLE_TELEMETRY"]
"""Variables that silence engines and the libraries in them, and that admission adds to every container."""
_SILENT = [
    *ENGINES,
    "DISABLE_TELEMETRY",
    "QDRANT__TELEMETRY_DISABLED",
    "HAYSTACK_TELEMETRY_DISABLED",
    "SCARF_NO_ANALYTICS",
]
"""Variables that silence where they are true."""
_LOUD = [
    "GF_ANALYTICS_REPORTING_ENABLED",
    "GF_ANALYTICS_CHECK_FOR_UPDATES",
    "RAY_USAGE_STATS_ENABLED",
    "ANONYMIZED_TELEMETRY",
    "LANGCHAIN_TRACING_V2",
    "LANGSMITH_TRACING",
    "HAYSTACK_TELEMETRY_ENABLED",
    "MILVUS_TELEMETRY_ENABLED",
    "TELEMETRY_ENABLED",
    "WANDB_MODE",
]
"""Variables that report where they are true."""
_KEYS = ["WANDB_API_KEY", "LANGSMITH_API_KEY", "LANGCHAIN_API_KEY", "COMET_API_KEY", "NEPTUNE_API_TOKEN"]
"""Credentials of services that record runs and prompts."""
_OWN = r"^(WANDB_BASE_URL|LANG(SMITH|CHAIN)_ENDPOINT|COMET_URL_OVERRIDE)$"
"""Variables that name a server of one's own in their place; where it is, SOV-RES-09 evaluates."""
_ON = ["1", "true", "yes", "on", "online"]
_OFF = ["", "0", "false", "no", "off"]
_SIGNS = ("TRACK", "USAGE_STATS", "TELEMETRY", "ANALYTICS", "TRACING", "WANDB", "LANG", "COMET", "NEPTUNE")
_USAGE = r"(?i)(^|[\s\"'])--(usage-stats|telemetry|enable-telemetry)(=(true|1|on|[\"']?enabled))?([\s\"']|$)"
_EXPRESSION = " && ".join(
    (
        "(!variables.reporting || variables.env.all(l, l.all(e, "
        f"(l.exists(o, o.name.matches({text(_OWN)})) && e.name.matches('^(WANDB|LANG|COMET)')) || "
        "("
        f"!(e.name in {text(_SILENT)} && has(e.value) && e.value.lowerAscii() in {text(_OFF)}) && "
        f"!(e.name in {text(_LOUD)} && has(e.value) && e.value.lowerAscii() in {text(_ON)}) && "
        f"!(e.name in {text(_KEYS)})))))",
        f"!variables.texts.exists(l, l.contains('--') && l.matches({text(_USAGE)}))",
    )
)

CONTROL = Control(
    id="SOV-AUD-07",
    title="No workload tells its vendor how it is used",
    severity=Severity.MEDIUM,
    sources=("SOV-3",),
    remedy="Silence it: DO_NOT_TRACK=1, HF_HUB_DISABLE_TELEMETRY=1; record runs on the platform.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        parameters=lambda profile: {"reporting": hubs.has_any("variables.names", text(list(_SIGNS)))},
        expression=_EXPRESSION,
        message="a workload reports to its vendor",
    ),
    cases=(
        Case("nothing said", Verdict.GOOD, pod()),
        *(
            Case(f"{name} is {value}", verdict, pod(env=[{"name": name, "value": value}]))
            for name, value, verdict in (
                ("DO_NOT_TRACK", "1", Verdict.GOOD),
                ("DO_NOT_TRACK", "0", Verdict.BAD),
                ("VLLM_NO_USAGE_STATS", "false", Verdict.BAD),
                ("HF_HUB_DISABLE_TELEMETRY", "True", Verdict.GOOD),
                ("HF_HUB_DISABLE_TELEMETRY", "0", Verdict.BAD),
                ("GF_ANALYTICS_REPORTING_ENABLED", "false", Verdict.GOOD),
                ("GF_ANALYTICS_REPORTING_ENABLED", "true", Verdict.BAD),
                ("RAY_USAGE_STATS_ENABLED", "1", Verdict.BAD),
                ("TELEMETRY_ENABLED", "true", Verdict.BAD),
                ("WANDB_MODE", "online", Verdict.BAD),
                ("WANDB_MODE", "offline", Verdict.GOOD),
                ("OTEL_TRACING", "true", Verdict.GOOD),
            )
        ),
        Case(
            "a key of a service that records runs",
            Verdict.BAD,
            pod(env=[{"name": "WANDB_API_KEY", "valueFrom": {"secretKeyRef": {"name": "w", "key": "k"}}}]),
        ),
        Case(
            "a server of one's own that records runs",
            Verdict.GOOD,
            pod(
                env=[
                    {"name": "WANDB_API_KEY", "value": "x"},
                    {"name": "WANDB_BASE_URL", "value": "http://wandb.runs.svc"},
                ]
            ),
        ),
        Case("a model's own environment", Verdict.BAD, service(env=[{"name": "DO_NOT_TRACK", "value": "0"}])),
        Case("an option", Verdict.BAD, pod(args=["--model=/m", "--telemetry"])),
        Case("an option that is off", Verdict.GOOD, pod(args=["--telemetry=false"])),
        Case("not known yet", Verdict.UNDECIDED, pod(env=UNKNOWN)),
    ),
)
