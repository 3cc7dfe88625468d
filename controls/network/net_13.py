"""Every bucket is closed to the public."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from corral.controls.cloud import BUCKETS, GCP_BUCKET, companions
from corral.controls.control import (
    UNKNOWN,
    Case,
    Control,
    Resource,
    StackRule,
    Verdict,
)
from corral.controls.levels import Severity
from corral.controls.profiles import Profile
from corral.controls.properties import documents, for_everybody
from corral.controls.settings import true

_BLOCK = ("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",)


_FOUR = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


_ACL = ("aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2")


_POLICIES = ("aws:s3/bucketPolicy:BucketPolicy",)
_PUBLIC_ACL = ("public-read", "public-read-write", "authenticated-read")


_GCP_GRANTS = (
    "gcp:storage/bucketIAMMember:BucketIAMMember",
    "gcp:storage/bucketIAMBinding:BucketIAMBinding",
    "gcp:storage/bucketAccessControl:BucketAccessControl",
)


_WORLD = ("allUsers", "allAuthenticatedUsers")


_GCP_LISTS = ("gcp:storage/bucketACL:BucketACL", "gcp:storage/defaultObjectACL:DefaultObjectACL")
_GCP_POLICY = "gcp:storage/bucketIAMPolicy:BucketIAMPolicy"
_ACCOUNT = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
_GROUPS = ("global/AllUsers", "global/AuthenticatedUsers")


def _closed_bucket(bucket: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if bucket.type == GCP_BUCKET:
        if bucket.value("publicAccessPrevention") != "enforced":
            yield "`publicAccessPrevention` is not 'enforced'"
        if not true(bucket.value("uniformBucketLevelAccess", False)):
            yield "`uniformBucketLevelAccess` is not true"
        for grant in companions(bucket, others, (*_GCP_LISTS, _GCP_POLICY)):
            granted = f"{grant.value('policyData', '')} {grant.value('roleEntities', [])}"
            public = grant.value("predefinedAcl") in ("publicRead", "publicReadWrite", "authenticatedRead")
            if public or any(member in granted for member in _WORLD):
                yield f"{grant.name} grants the bucket to everybody"
        for grant in companions(bucket, others, _GCP_GRANTS):
            members = [grant.value("member"), grant.value("entity"), *grant.value("members", [])]
            if any(member in _WORLD for member in members):
                yield f"{grant.name} grants the bucket to everybody"
        return
    blocks = companions(bucket, others, _BLOCK)
    if not blocks and not any(one.type == _ACCOUNT and _all_four(one) for one in others):
        yield "the bucket has no public access block"
    for block in blocks:
        for key in _FOUR:
            if not true(block.value(key, False)):
                yield f"`{key}` of {block.name} is not true"
    if bucket.value("acl") in _PUBLIC_ACL:
        yield f"`acl` is {bucket.value('acl')!r}"
    if any(str(uri).endswith(_GROUPS) for uri in bucket.values("grants.uri")):
        yield "`grants` opens the bucket to everybody"
    for acl in companions(bucket, others, _ACL):
        granted = acl.values("accessControlPolicy.grants.grantee.uri")
        if acl.value("acl") in _PUBLIC_ACL or any(str(uri).endswith(_GROUPS) for uri in granted):
            yield f"{acl.name} makes the bucket public"
    if any(for_everybody(one) for _, one in documents(bucket.value("policy", ""))):
        yield "`policy` lets everybody in"
    for policy in companions(bucket, others, _POLICIES):
        if any(for_everybody(one) for _, one in documents(policy.value("policy", ""))):
            yield f"{policy.name} lets everybody in"


def _all_four(block: Resource) -> bool:
    return all(true(block.value(key, False)) for key in _FOUR)


_URN = "urn:pulumi:s::p::aws:s3/bucket:Bucket::b"


_BUCKET = Resource("aws:s3/bucket:Bucket", "b", {}, urn=_URN)


def _block(**settings: Any) -> Resource:
    return Resource(
        _BLOCK[0], "b-block", {**dict.fromkeys(_FOUR, True), **settings}, refers={"bucket": [_URN]}
    )


def _policy(statement: Mapping[str, Any]) -> Resource:
    return Resource(
        _POLICIES[0],
        "b-policy",
        {"policy": json.dumps({"Statement": [statement]})},
        refers={"bucket": [_URN]},
    )


CONTROL = Control(
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
        *(
            Case(f"a policy {title}", verdict, _BUCKET, others=(_block(), _policy(statement)))
            for title, verdict, statement in (
                ("for everybody", Verdict.BAD, {"Effect": "Allow", "Principal": "*"}),
                ("for every account", Verdict.BAD, {"Effect": "Allow", "Principal": {"AWS": ["*"]}}),
                ("that refuses everybody", Verdict.GOOD, {"Effect": "Deny", "Principal": "*"}),
                ("for one account", Verdict.GOOD, {"Effect": "Allow", "Principal": {"AWS": "arn:x"}}),
            )
        ),
        Case(
            "a block of the whole account",
            Verdict.GOOD,
            _BUCKET,
            others=(Resource(_ACCOUNT, "a", dict.fromkeys(_FOUR, True)),),
        ),
        Case(
            "a public ACL of its own",
            Verdict.BAD,
            Resource(_BUCKET.type, "b", {"acl": "public-read"}, urn=_URN),
            others=(_block(),),
        ),
        Case(
            "a policy of its own for everybody",
            Verdict.BAD,
            Resource(
                _BUCKET.type,
                "b",
                {"policy": '{"Statement": {"Effect": "Allow", "Principal": "*"}}'},
                urn=_URN,
            ),
            others=(_block(),),
        ),
        Case(
            "the same bucket by its older type",
            Verdict.GOOD,
            Resource(BUCKETS[1], "b", {}, urn=_URN),
            others=(_block(),),
        ),
        Case(
            "Google, a list of access for everybody",
            Verdict.BAD,
            Resource(
                GCP_BUCKET,
                "b",
                {"name": "m", "publicAccessPrevention": "enforced", "uniformBucketLevelAccess": True},
            ),
            others=(Resource(_GCP_LISTS[0], "l", {"bucket": "m", "predefinedAcl": "publicRead"}),),
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
