"""People sign in by the customer's own identities."""

from collections.abc import Iterator, Sequence

from corral.controls.cloud import CLUSTERS, EKS
from corral.controls.control import UNKNOWN, Case, Control, Resource, StackRule, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import true

_ISSUER = "aws:eks/identityProviderConfig:IdentityProviderConfig"
_GKE = "gcp:container/cluster:Cluster"


def _signed_in(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if subject.type == EKS:
        if not any(one.type == _ISSUER and _of(one, subject) for one in others):
            yield "no IdentityProviderConfig of the stack names the customer's issuer for the cluster"
    else:
        if not true(subject.value("identityServiceConfig.enabled", False)):
            yield "`identityServiceConfig.enabled` is not true, so people need the provider's accounts"
        if true(subject.value("masterAuth.clientCertificateConfig.issueClientCertificate", False)):
            yield "`issueClientCertificate` is true, a credential that cannot be taken back"


def _of(issuer: Resource, cluster: Resource) -> bool:
    if "clusterName" in issuer.refers:
        return cluster.urn in issuer.refers["clusterName"]
    name = issuer.props.get("clusterName")
    return name is UNKNOWN or name in (cluster.props.get("name"), cluster.name)


_CLUSTER = Resource(EKS, "c", {"name": "c"}, urn="urn:c")


def _gke(**props: object) -> Resource:
    return Resource(_GKE, "c", {"identityServiceConfig": {"enabled": True}, **props})


CONTROL = Control(
    id="SOV-LCK-06",
    title="People sign in by the customer's own identities",
    severity=Severity.MEDIUM,
    sources=("SOV-4", "NIS2 11"),
    remedy="EKS: an IdentityProviderConfig of the customer's issuer; GKE: `identityServiceConfig`.",
    rule=StackRule(lambda token: token in CLUSTERS, _signed_in),
    cases=(
        Case("an issuer", Verdict.GOOD, _CLUSTER, (Resource(_ISSUER, "i", {"clusterName": "c"}),)),
        Case("no issuer", Verdict.BAD, _CLUSTER),
        Case("another cluster's", Verdict.BAD, _CLUSTER, (Resource(_ISSUER, "i", {"clusterName": "d"}),)),
        Case("GKE, an issuer", Verdict.GOOD, _gke()),
        Case("GKE, none", Verdict.BAD, Resource(_GKE, "c", {})),
        Case(
            "GKE, certificates of clients",
            Verdict.BAD,
            _gke(masterAuth={"clientCertificateConfig": {"issueClientCertificate": True}}),
        ),
        Case(
            "GKE, not known yet",
            Verdict.UNDECIDED,
            Resource(_GKE, "c", {"identityServiceConfig": {"enabled": UNKNOWN}}),
        ),
    ),
)
