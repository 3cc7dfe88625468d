"""Every image is pinned by digest."""

from corral.controls.control import Case, Control, ObjectRule, Verdict
from corral.controls.kinds import POD_KINDS, SERVING_KINDS
from corral.controls.levels import Severity
from corral.controls.supply.subjects import HEX, pod

CONTROL = Control(
    id="SOV-SUP-02",
    title="Every image is pinned by digest",
    severity=Severity.HIGH,
    sources=("SLSA", "SOV-5"),
    remedy="Run `corral lock` and deploy what it resolved.",
    rule=ObjectRule(
        kinds=(*POD_KINDS, *SERVING_KINDS),
        expression="variables.images.all(i, i.matches('^[^@ ]+@sha256:[a-f0-9]{64}$'))",
        message="an image is not pinned by digest",
    ),
    cases=(
        Case("pinned", Verdict.GOOD, pod(f"a/b@sha256:{HEX}")),
        Case("pinned, tag kept", Verdict.GOOD, pod(f"a/b:v1@sha256:{HEX}")),
        Case("by tag", Verdict.BAD, pod("a/b:v1")),
        Case("a short digest", Verdict.BAD, pod("a/b@sha256:abc")),
        Case("another algorithm", Verdict.BAD, pod(f"a/b@md5:{HEX}")),
        Case(
            "a sidecar by tag",
            Verdict.BAD,
            pod(f"a/b@sha256:{HEX}", initContainers=[{"name": "s", "image": "a/b:v1"}]),
        ),
        Case(
            "a debug container",
            Verdict.BAD,
            pod(f"a/b@sha256:{HEX}", ephemeralContainers=[{"name": "d", "image": "a/b"}]),
        ),
        Case(
            "a deployment's template",
            Verdict.BAD,
            {"kind": "Deployment", "spec": {"template": pod("a/b:v1")}},
        ),
        Case(
            "a cron job's template",
            Verdict.BAD,
            {"kind": "CronJob", "spec": {"jobTemplate": {"spec": {"template": pod("a/b:v1")}}}},
        ),
    ),
)
