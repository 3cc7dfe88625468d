"""Nothing depends on an interface that its maker may take back."""

import re
from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Verdict
from corral.controls.kinds import of_kubernetes
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import false, limited, missing

_TOKEN = re.compile(r"kubernetes:(?P<group>[^/]+)/(?P<version>v\d+(?:alpha|beta)\d+):")
_GROUPS = frozenset({"apps", "autoscaling", "batch", "core", "events", "extensions", "policy"})
_OWN = re.compile(r"(?!.*\.?x-k8s\.io$)(?!gateway\.networking\.)[a-z.]+\.k8s\.io")
"""Groups of Kubernetes itself; what its projects publish apart has definitions that the program installs."""
_GKE = "gcp:container/cluster:Cluster"
_SWITCHES = (
    limited("enableKubernetesAlpha", false, "is true, and such a cluster lives for 30 days"),
    limited("enableK8sBetaApis.enabledApis", lambda one: False, "serves interfaces that may go"),
)


def _passing(token: str) -> re.Match[str] | None:
    match = _TOKEN.match(token)
    if match is None:
        return None
    group = match["group"]
    own = _OWN.fullmatch(group) is not None and of_kubernetes(group)
    return match if own or group in _GROUPS else None


def _stable(subject: Resource, profile: Profile) -> Iterator[str]:
    if subject.type == _GKE:
        yield from missing(_SWITCHES, subject)
        return
    match = _passing(subject.type)
    if match is not None:
        yield f"{match['group']}/{match['version']} is no stable interface of Kubernetes"


def _of(token: str) -> Resource:
    return Resource(f"kubernetes:{token}", "r", {})


CONTROL = Control(
    id="SOV-LCK-03",
    title="Nothing depends on an interface that may be taken back",
    severity=Severity.MEDIUM,
    sources=("SOV-6",),
    remedy="Use the stable version of the interface.",
    rule=ResourceRule(lambda token: token == _GKE or _passing(token) is not None, _stable),
    cases=(
        Case("a stable interface", Verdict.GOOD, _of("resource.k8s.io/v1:ResourceClaim")),
        Case("a beta one", Verdict.BAD, _of("resource.k8s.io/v1beta1:ResourceClaim")),
        Case("an alpha one", Verdict.BAD, _of("admissionregistration.k8s.io/v1alpha1:Thing")),
        Case("an old one", Verdict.BAD, _of("extensions/v1beta1:Deployment")),
        Case("KServe's, which the program installs", Verdict.GOOD, _of("serving.kserve.io/v1beta1:X")),
        Case("Spark's operator's", Verdict.GOOD, _of("sparkoperator.k8s.io/v1beta2:SparkApplication")),
        Case("Kueue's", Verdict.GOOD, _of("kueue.x-k8s.io/v1beta1:ClusterQueue")),
        Case("the Gateway API's", Verdict.GOOD, _of("gateway.networking.k8s.io/v1beta1:Gateway")),
        Case("GKE", Verdict.GOOD, Resource(_GKE, "c", {})),
        Case("GKE with alpha", Verdict.BAD, Resource(_GKE, "c", {"enableKubernetesAlpha": True})),
        Case(
            "GKE, not known yet", Verdict.UNDECIDED, Resource(_GKE, "c", {"enableKubernetesAlpha": UNKNOWN})
        ),
    ),
)
