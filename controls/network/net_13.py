"""Every bucket is closed to the public."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

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
    for policy in companions(bucket, others, _POLICIES):
        if _for_everybody(str(policy.value("policy", ""))):
            yield f"{policy.name} lets everybody in"


def _for_everybody(policy: str) -> bool:
    """Whether a statement allows any principal without a condition."""
    try:
        document = json.loads(policy or "{}")
    except ValueError:
        return False
    fields = cast(Mapping[str, Any], document if isinstance(document, dict) else {})
    statements: Any = fields.get("Statement", [])
    several = cast(list[Mapping[str, Any]], statements if isinstance(statements, list) else [statements])
    return any(
        one.get("Effect") == "Allow" and not one.get("Condition") and _anybody(one.get("Principal"))
        for one in several
    )


def _anybody(principal: Any) -> bool:
    if isinstance(principal, Mapping):
        return any(_anybody(one) for one in cast(Mapping[str, Any], principal).values())
    return "*" in (cast(list[Any], principal) if isinstance(principal, list) else [principal])


_URN = "urn:pulumi:s::p::aws:s3/bucket:Bucket::b"


_BUCKET = Resource("aws:s3/bucket:Bucket", "b", {}, urn=_URN)


def _block(**said: Any) -> Resource:
    return Resource(_BLOCK[0], "b-block", {**dict.fromkeys(_FOUR, True), **said}, refers={"bucket": [_URN]})


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
