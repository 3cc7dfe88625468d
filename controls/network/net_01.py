"""The cluster's API is private."""

from collections.abc import Iterator
from typing import Any

from corral.controls.cloud import CLUSTERS, EKS
from corral.controls.control import (
    UNKNOWN,
    Case,
    Control,
    Resource,
    ResourceRule,
    Undecided,
    Verdict,
)
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.settings import false, limited, missing, needed, true

_EKS_SETTINGS = (
    needed("vpcConfig.endpointPublicAccess", false, "is not false (absent means public)"),
    needed("vpcConfig.endpointPrivateAccess", true, "is not true"),
)
_GKE_SETTINGS = (
    needed(
        "privateClusterConfig.enablePrivateEndpoint",
        true,
        "is not true",
    ),
    limited("controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic", false, "is not false"),
)
_ADDRESSES = "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled"
"""Without addresses the API has a name alone, which is for callers within Google."""


def _private_api(cluster: Resource, profile: Profile) -> Iterator[str]:
    if cluster.type == EKS:
        yield from missing(_EKS_SETTINGS, cluster)
        return
    addresses = cluster.values(_ADDRESSES)
    named = any(false(one) for one in addresses)
    if UNKNOWN in addresses and list(missing(_GKE_SETTINGS[:1], cluster)):
        raise Undecided(f"`{_ADDRESSES}` is not known yet")
    yield from missing(_GKE_SETTINGS[1:] if named else _GKE_SETTINGS, cluster)


def _eks(**vpc: Any) -> Resource:
    return Resource(EKS, "cluster", {"vpcConfig": vpc})


CONTROL = Control(
    id="SOV-NET-01",
    title="The cluster's API is private",
    severity=Severity.CRITICAL,
    sources=("CIS EKS 5.4.2", "CIS GKE 5.6.4"),
    remedy="EKS: `endpointPublicAccess: false`, `endpointPrivateAccess: true`; GKE: a private endpoint.",
    rule=ResourceRule(lambda token: token in CLUSTERS, _private_api),
    cases=(
        Case("EKS, private", Verdict.GOOD, _eks(endpointPublicAccess=False, endpointPrivateAccess=True)),
        Case("EKS, nothing said", Verdict.BAD, _eks()),
        Case("EKS, both", Verdict.BAD, _eks(endpointPublicAccess=True, endpointPrivateAccess=True)),
        Case(
            "EKS, public to a list",
            Verdict.BAD,
            _eks(endpointPublicAccess=True, endpointPrivateAccess=True, publicAccessCidrs=["10.0.0.0/8"]),
        ),
        Case("EKS, neither", Verdict.BAD, _eks(endpointPublicAccess=False)),
        Case(
            "EKS, not known yet",
            Verdict.UNDECIDED,
            _eks(endpointPublicAccess=UNKNOWN, endpointPrivateAccess=True),
        ),
        Case(
            "GKE, private",
            Verdict.GOOD,
            Resource(CLUSTERS[1], "c", {"privateClusterConfig": {"enablePrivateEndpoint": True}}),
        ),
        Case(
            "EKS, public, beside what is not known yet",
            Verdict.BAD,
            _eks(endpointPublicAccess=True, endpointPrivateAccess=UNKNOWN),
        ),
        Case(
            "GKE, by its name alone",
            Verdict.GOOD,
            Resource(
                CLUSTERS[1], "c", {"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"enabled": False}}}
            ),
        ),
        Case("GKE, nothing said", Verdict.BAD, Resource(CLUSTERS[1], "c", {})),
        Case(
            "GKE, open by name",
            Verdict.BAD,
            Resource(
                CLUSTERS[1],
                "c",
                {
                    "privateClusterConfig": {"enablePrivateEndpoint": True},
                    "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
                },
            ),
        ),
    ),
)
