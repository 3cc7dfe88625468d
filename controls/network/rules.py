"""Control planes and buckets are closed to the world."""

from collections.abc import Iterator, Sequence
from typing import Any

from corral.controls.cloud import BUCKETS, CLUSTERS, EKS, GCP_BUCKET, companions
from corral.controls.control import (
    UNKNOWN,
    Case,
    Control,
    Resource,
    ResourceRule,
    Severity,
    StackRule,
    Verdict,
)
from corral.controls.profiles import Profile

_BLOCK = ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",)
_FOUR = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_ACL = ("aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2")
_PUBLIC_ACL = ("public-read", "public-read-write", "authenticated-read")
_GCP_GRANTS = (
    "gcp:storage/bucketIAMMember:BucketIAMMember",
    "gcp:storage/bucketIAMBinding:BucketIAMBinding",
    "gcp:storage/bucketAccessControl:BucketAccessControl",
)
_WORLD = ("allUsers", "allAuthenticatedUsers")


def _private_api(cluster: Resource, profile: Profile) -> Iterator[str]:
    if cluster.type == EKS:
        if cluster.value("vpcConfig.endpointPublicAccess", True) is not False:
            yield "`vpcConfig.endpointPublicAccess` is not false (absent means public)"
        if cluster.value("vpcConfig.endpointPrivateAccess", False) is not True:
            yield "`vpcConfig.endpointPrivateAccess` is not true"
        return
    dns = cluster.value("controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic", False)
    if cluster.value("privateClusterConfig.enablePrivateEndpoint", False) is not True:
        yield "`privateClusterConfig.enablePrivateEndpoint` is not true"
    if dns is not False:
        yield "`controlPlaneEndpointsConfig.dnsEndpointConfig.allowExternalTraffic` is not false"


def _closed_bucket(bucket: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if bucket.type == GCP_BUCKET:
        if bucket.value("publicAccessPrevention") != "enforced":
            yield "`publicAccessPrevention` is not 'enforced'"
        if bucket.value("uniformBucketLevelAccess", False) is not True:
            yield "`uniformBucketLevelAccess` is not true"
        for grant in companions(bucket, others, _GCP_GRANTS):
            members = [grant.value("member"), grant.value("entity"), *grant.value("members", [])]
            if any(member in _WORLD for member in members):
                yield f"{grant.name} grants the bucket to everybody"
        return
    blocks = companions(bucket, others, _BLOCK)
    if not blocks:
        yield "the bucket has no public access block"
    for block in blocks:
        for key in _FOUR:
            if block.value(key, False) is not True:
                yield f"`{key}` of {block.name} is not true"
    for acl in companions(bucket, others, _ACL):
        if acl.value("acl") in _PUBLIC_ACL:
            yield f"{acl.name} makes the bucket public"


def _eks(**vpc: Any) -> Resource:
    return Resource(EKS, "cluster", {"vpcConfig": vpc})


NET_01 = Control(
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

_URN = "urn:pulumi:s::p::aws:s3/bucket:Bucket::b"
_BUCKET = Resource("aws:s3/bucket:Bucket", "b", {}, urn=_URN)


def _block(**said: Any) -> Resource:
    return Resource(_BLOCK[0], "b-block", {**dict.fromkeys(_FOUR, True), **said}, refers={"bucket": [_URN]})


NET_13 = Control(
    id="SOV-NET-13",
    title="Every bucket is closed to the public",
    severity=Severity.CRITICAL,
    sources=("CKV2_AWS_6",),
    remedy="AWS: a BucketPublicAccessBlock with all four; GCP: enforced prevention and uniform access.",
    rule=StackRule(lambda token: token in BUCKETS, _closed_bucket),
    cases=(
        Case("all four", Verdict.GOOD, _BUCKET, others=(_block(),)),
        Case("no block", Verdict.BAD, _BUCKET),
        *(Case(f"without {key}", Verdict.BAD, _BUCKET, others=(_block(**{key: False}),)) for key in _FOUR),
        Case(
            "a public ACL",
            Verdict.BAD,
            _BUCKET,
            others=(_block(), Resource(_ACL[0], "acl", {"acl": "public-read"}, refers={"bucket": [_URN]})),
        ),
        Case("not known yet", Verdict.UNDECIDED, _BUCKET, others=(_block(blockPublicAcls=UNKNOWN),)),
        Case(
            "Google, closed",
            Verdict.GOOD,
            Resource(
                GCP_BUCKET, "b", {"publicAccessPrevention": "enforced", "uniformBucketLevelAccess": True}
            ),
        ),
        Case(
            "Google, inherited",
            Verdict.BAD,
            Resource(
                GCP_BUCKET, "b", {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": True}
            ),
        ),
        Case(
            "Google, granted to everybody",
            Verdict.BAD,
            Resource(
                GCP_BUCKET,
                "b",
                {"bucket": "m", "publicAccessPrevention": "enforced", "uniformBucketLevelAccess": True},
            ),
            others=(Resource(_GCP_GRANTS[0], "g", {"bucket": "m", "member": "allUsers"}),),
        ),
    ),
)

CONTROLS = (NET_01, NET_13)
