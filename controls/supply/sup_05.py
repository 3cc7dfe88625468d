"""Charts are of one version, from where the profile says."""

import re
from collections.abc import Iterator
from typing import Any

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_RELEASE = "kubernetes:helm.sh/v3:Release"
_TYPES = (_RELEASE, "kubernetes:helm.sh/v4:Chart", "kubernetes:helm.sh/v3:Chart")
_ARGO = "kubernetes:argoproj.io/v1alpha1:Application"
_SOURCES = ("spec.source", "spec.sources", "spec.template.spec.source", "spec.template.spec.sources")
"""Where an application, or a set of them, names its sources."""
_FLUX = "kubernetes:source.toolkit.fluxcd.io/"
_FLUX_RELEASE = "kubernetes:helm.toolkit.fluxcd.io/"
_RANCHER = "kubernetes:helm.cattle.io/v1:HelmChart"
_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_LOCAL = re.compile(r"(?:\.{0,2}/|[A-Za-z]:\\|file://).*|[^:]*\.tgz")
_OCI = "oci://"


def _applies(token: str) -> bool:
    plain = token.removesuffix("Patch")
    return (
        token in _TYPES
        or plain in (_ARGO, f"{_ARGO}Set", _RANCHER)
        or (plain.startswith(_FLUX) and plain.endswith((":HelmRepository", ":OCIRepository", ":HelmChart")))
        or (plain.startswith(_FLUX_RELEASE) and plain.endswith(":HelmRelease"))
    )


def _checked(subject: Resource, profile: Profile) -> Iterator[str]:
    """Charts of the engine itself, or of what installs them in the cluster: Argo CD, Flux, k3s."""
    if subject.type in _TYPES:
        yield from _fixed(subject, profile)
    elif subject.type.startswith(_ARGO):
        for source in (one for path in _SOURCES for one in subject.values(path) if one is not None):
            if source is UNKNOWN:
                raise Undecided("a source is not known yet")
            one = Resource("source", "s", source)
            if one.value("chart") is not None or str(one.value("repoURL", "")).startswith(_OCI):
                yield from _exact("targetRevision", one.value("targetRevision"))
                yield from _mirrored(one.value("repoURL"), profile)
    elif subject.type.startswith(_FLUX):
        if "HelmChart" in subject.type:
            yield from _exact("spec.version", subject.value("spec.version"))
            return
        yield from _mirrored(subject.value("spec.url"), profile)
        if "OCI" in subject.type and subject.value("spec.ref.digest") is None:
            yield from _exact("spec.ref.tag", subject.value("spec.ref.tag"))
    elif subject.type.startswith(_FLUX_RELEASE):
        if subject.value("spec.chart") is not None:
            yield from _exact("spec.chart.spec.version", subject.value("spec.chart.spec.version"))
    elif subject.value("spec.chartContent") is None:
        yield from _exact("spec.version", subject.value("spec.version"))
        yield from _mirrored(subject.value("spec.repo") or subject.value("spec.chart"), profile)


def _exact(path: str, version: Any) -> Iterator[str]:
    if version is None:
        yield f"`{path}` is absent, so the newest chart is installed, whichever that is"
    elif not _EXACT.fullmatch(str(version)) and "sha256:" not in str(version):
        yield f"`{path}` {str(version)!r} is a range"


def _mirrored(source: Any, profile: Profile) -> Iterator[str]:
    if source is None or profile.registry is None:
        return
    host = re.sub(r"^[a-z]+://", "", str(source))
    if not f"{host.rstrip('/')}/".startswith(f"{profile.registry.rstrip('/')}/"):
        yield f"the chart comes from {source}, not from {profile.registry}"


def _fixed(subject: Resource, profile: Profile) -> Iterator[str]:
    chart = subject.value("chart")
    if chart is None or _LOCAL.fullmatch(str(chart)):
        return
    version = subject.value("version")
    if version is not None or "@sha256:" not in str(chart):
        yield from _exact("version", version)
    if profile.registry is None:
        return
    source: Any = chart if str(chart).startswith(_OCI) else subject.value("repositoryOpts.repo")
    if source is None:
        raise Undecided("which repository the chart's name is of is not stated")
    yield from _mirrored(source, profile)


def _release(chart: object, **props: object) -> Resource:
    return Resource(_RELEASE, "r", {"chart": chart, **props})


_REPOSITORY = {"repo": "https://charts.example.com"}

_MIRROR, _PUBLIC = "oci://registry.example.eu/charts", "https://charts.example.com"
_INSTALLED: tuple[tuple[str, Verdict, str, dict[str, Any]], ...] = (
    (
        "Argo's application",
        Verdict.GOOD,
        _ARGO,
        {"source": {"repoURL": _MIRROR, "chart": "a", "targetRevision": "1.2.3"}},
    ),
    (
        "Argo's application from elsewhere",
        Verdict.BAD,
        _ARGO,
        {"sources": [{"repoURL": _PUBLIC, "chart": "a", "targetRevision": "1.2.3"}]},
    ),
    (
        "Argo's set with a range",
        Verdict.BAD,
        f"{_ARGO}Set",
        {"template": {"spec": {"source": {"repoURL": _MIRROR, "chart": "a", "targetRevision": "1.*"}}}},
    ),
    (
        "Argo's application of a repository of one's own",
        Verdict.GOOD,
        _ARGO,
        {"source": {"repoURL": "https://git.example.eu/a.git", "path": "a", "targetRevision": "HEAD"}},
    ),
    ("Flux's repository", Verdict.GOOD, f"{_FLUX}v1:HelmRepository", {"url": _MIRROR}),
    ("Flux's repository elsewhere", Verdict.BAD, f"{_FLUX}v1:HelmRepository", {"url": _PUBLIC}),
    (
        "Flux's artifact by a tag that moves",
        Verdict.BAD,
        f"{_FLUX}v1:OCIRepository",
        {"url": _MIRROR, "ref": {"tag": "latest"}},
    ),
    (
        "Flux's release",
        Verdict.GOOD,
        f"{_FLUX_RELEASE}v2:HelmRelease",
        {"chart": {"spec": {"version": "1.2.3"}}},
    ),
    (
        "Flux's release with a range",
        Verdict.BAD,
        f"{_FLUX_RELEASE}v2:HelmRelease",
        {"chart": {"spec": {"version": ">=1"}}},
    ),
    ("k3s' chart", Verdict.GOOD, _RANCHER, {"repo": _MIRROR, "chart": "a", "version": "1.2.3"}),
    ("k3s' chart without a version", Verdict.BAD, _RANCHER, {"repo": _MIRROR, "chart": "a"}),
)

CONTROL = Control(
    id="SOV-SUP-05",
    title="Charts are of one version, from where the profile says",
    severity=Severity.HIGH,
    sources=("SOV-5", "SLSA"),
    remedy="State the exact `version`, and take the chart from the stack's registry.",
    rule=ResourceRule(_applies, _checked),
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
        *(
            Case(
                f"{title} that installs in the cluster",
                verdict,
                Resource(token, "r", {"spec": spec}),
                profile="mirrored",
            )
            for title, verdict, token, spec in _INSTALLED
        ),
        Case("not known yet", Verdict.UNDECIDED, _release("kyverno", version=UNKNOWN)),
    ),
)
