"""Every bucket encrypts under a customer's key."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
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

_SSE = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)


def _bucket_key(bucket: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if bucket.type == GCP_BUCKET:
        if not bucket.value("encryption.defaultKmsKeyName"):
            yield "the bucket has no `encryption.defaultKmsKeyName`"
        return
    configurations = companions(bucket, others, _SSE)
    if not configurations:
        yield "the bucket has no server-side encryption configuration"
    for configuration in configurations:
        rules = configuration.value("rules", [])
        for index in range(len(rules)):
            default = f"rules.{index}.applyServerSideEncryptionByDefault"
            algorithm = configuration.value(f"{default}.sseAlgorithm")
            if algorithm not in ("aws:kms", "aws:kms:dsse"):
                yield f"`{default}.sseAlgorithm` is {algorithm!r}, not a customer's key"
            elif not configuration.value(f"{default}.kmsMasterKeyId"):
                yield f"`{default}.kmsMasterKeyId` is absent, so the key is the provider's"
        if not rules:
            yield "the encryption configuration has no rule"


_URN = "urn:pulumi:s::p::aws:s3/bucket:Bucket::b"


_BUCKET = Resource("aws:s3/bucket:Bucket", "b", {"bucket": UNKNOWN}, urn=_URN)


def _sse(algorithm: str, key: Any = "k", of: str = _URN) -> Resource:
    default = {"sseAlgorithm": algorithm, "kmsMasterKeyId": key}
    props = {"bucket": UNKNOWN, "rules": [{"applyServerSideEncryptionByDefault": default}]}
    return Resource(_SSE[0], "b-sse", props, refers={"bucket": [of]})


CONTROL = Control(
    id="SOV-KEY-03",
    title="Every bucket encrypts under a customer's key",
    severity=Severity.HIGH,
    sources=("SOV-3",),
    remedy="AWS: a BucketServerSideEncryptionConfiguration with aws:kms and a key; GCP: `encryption`.",
    rule=StackRule(lambda token: token in BUCKETS, _bucket_key),
    cases=(
        Case("under a key", Verdict.GOOD, _BUCKET, others=(_sse("aws:kms"),)),
        Case("no configuration", Verdict.BAD, _BUCKET),
        Case(
            "another bucket's configuration",
            Verdict.BAD,
            _BUCKET,
            others=(_sse("aws:kms", of="urn:another"),),
        ),
        Case("the provider's algorithm", Verdict.BAD, _BUCKET, others=(_sse("AES256"),)),
        Case("the provider's key", Verdict.BAD, _BUCKET, others=(_sse("aws:kms", None),)),
        Case("key not known yet", Verdict.UNDECIDED, _BUCKET, others=(_sse("aws:kms", UNKNOWN),)),
        Case(
            "joined by name",
            Verdict.GOOD,
            Resource("aws:s3/bucket:Bucket", "b", {"bucket": "models"}),
            others=(replace(_sse("aws:kms", of=""), props={**_sse("aws:kms").props, "bucket": "models"}),),
        ),
        Case("Google, no key", Verdict.BAD, Resource(GCP_BUCKET, "b", {})),
        Case(
            "Google, under a key",
            Verdict.GOOD,
            Resource(GCP_BUCKET, "b", {"encryption": {"defaultKmsKeyName": "k"}}),
        ),
    ),
)
