"""A cluster's control plane writes all of its logs."""

from collections.abc import Iterator

from corral.controls.control import UNKNOWN, Case, Control, Resource, ResourceRule, Undecided, Verdict
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

_EKS = "aws:eks/cluster:Cluster"
_GKE = "gcp:container/cluster:Cluster"
_EKS_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_GKE_LOGS = ("APISERVER", "CONTROLLER_MANAGER", "SCHEDULER", "SYSTEM_COMPONENTS")


def _logged(cluster: Resource, profile: Profile) -> Iterator[str]:
    path, expected = (
        ("enabledClusterLogTypes", _EKS_LOGS)
        if cluster.type == _EKS
        else ("loggingConfig.enableComponents", _GKE_LOGS)
    )
    values = cluster.values(path)
    if UNKNOWN in values:
        raise Undecided(f"`{path}` is not known yet")
    lacking = [one for one in expected if one not in values]
    if lacking:
        yield f"`{path}` lacks {', '.join(lacking)}"


CONTROL = Control(
    id="SOV-AUD-01",
    title="A cluster's control plane writes all of its logs",
    severity=Severity.HIGH,
    sources=("CIS EKS 2.1.1", "CIS GKE 5.7.1", "NIS2 3.2"),
    remedy="EKS: all five `enabledClusterLogTypes`; GKE: the control plane's in `loggingConfig`.",
    rule=ResourceRule(lambda token: token in (_EKS, _GKE), _logged),
    cases=(
        Case("EKS, all five", Verdict.GOOD, Resource(_EKS, "c", {"enabledClusterLogTypes": list(_EKS_LOGS)})),
        Case("EKS, four", Verdict.BAD, Resource(_EKS, "c", {"enabledClusterLogTypes": list(_EKS_LOGS[:4])})),
        Case("EKS, nothing said", Verdict.BAD, Resource(_EKS, "c", {})),
        Case(
            "EKS, not known yet", Verdict.UNDECIDED, Resource(_EKS, "c", {"enabledClusterLogTypes": UNKNOWN})
        ),
        Case("GKE, nothing said", Verdict.BAD, Resource(_GKE, "c", {})),
        Case(
            "GKE, all",
            Verdict.GOOD,
            Resource(_GKE, "c", {"loggingConfig": {"enableComponents": [*_GKE_LOGS, "WORKLOADS"]}}),
        ),
    ),
)
