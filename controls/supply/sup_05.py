"""Charts are of one version, from where the profile says."""

import re
from collections.abc import Iterator
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_RELEASE = "kubernetes:helm.sh/v3:Release"
_TYPES = (_RELEASE, "kubernetes:helm.sh/v4:Chart", "kubernetes:helm.sh/v3:Chart")
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_LOCAL = re.compile(r"(?:\.{0,2}/|[A-Za-z]:\\|file://).*|[^:]*\.tgz")
_OCI = "oci://"


def _fixed(subject: Resource, profile: Profile) -> Iterator[str]:
    chart = subject.value("chart")
    if chart is None or _LOCAL.fullmatch(str(chart)):
        return
    version = subject.value("version")
    if version is None and "@sha256:" not in str(chart):
        yield "`version` is absent, so the newest chart is installed, whichever that is"
    elif version is not None and not _EXACT.fullmatch(str(version)):
        yield f"`version` {str(version)!r} is a range"
    if profile.registry is None:
        return
    source: Any = chart if str(chart).startswith(_OCI) else subject.value("repositoryOpts.repo")
    if source is None:
        raise Undecided("which repository the chart's name is of is not stated")
    host = re.sub(r"^[a-z]+://", "", str(source))
    if not f"{host.rstrip('/')}/".startswith(f"{profile.registry.rstrip('/')}/"):
        yield f"the chart comes from {source}, not from {profile.registry}"


def _release(chart: object, **props: object) -> Resource:
    return Resource(_RELEASE, "r", {"chart": chart, **props})


_REPOSITORY = {"repo": "https://charts.example.com"}

CONTROL = Control(
    id="SOV-SUP-05",
    title="Charts are of one version, from where the profile says",
    severity=Severity.HIGH,
    sources=("SOV-5", "SLSA"),
    remedy="State the exact `version`, and take the chart from the stack's registry.",
    rule=ResourceRule(lambda token: token in _TYPES, _fixed),
    cases=(
        Case("one version", Verdict.GOOD, _release("kyverno", version="3.8.1", repositoryOpts=_REPOSITORY)),
        Case("a version with a v", Verdict.GOOD, _release("oci://ghcr.io/a/kserve", version="v0.20.0")),
        Case("no version", Verdict.BAD, _release("kyverno", repositoryOpts=_REPOSITORY)),
        Case("a range", Verdict.BAD, _release("kyverno", version="~3.8", repositoryOpts=_REPOSITORY)),
        Case("the newest of a series", Verdict.BAD, _release("kyverno", version="3.x")),
        Case("a digest", Verdict.GOOD, _release(f"oci://ghcr.io/a/kserve@sha256:{'a' * 64}")),
        Case("a folder", Verdict.GOOD, _release("./charts/mine")),
        Case("an archive", Verdict.GOOD, _release("/cache/kyverno-3.8.1.tgz")),
        Case(
            "from the registry",
            Verdict.GOOD,
            _release("oci://registry.example.eu/charts/kyverno", version="3.8.1"),
            profile="mirrored",
        ),
        Case(
            "from elsewhere",
            Verdict.BAD,
            _release("kyverno", version="3.8.1", repositoryOpts=_REPOSITORY),
            profile="mirrored",
        ),
        Case(
            "from a host that only begins alike",
            Verdict.BAD,
            _release("oci://registry.example.eu.evil.example/kyverno", version="3.8.1"),
            profile="mirrored",
        ),
        Case("not known yet", Verdict.UNDECIDED, _release("kyverno", version=UNKNOWN)),
    ),
)
