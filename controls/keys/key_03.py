"""Every bucket encrypts under a customer's key."""

from collections.abc import Iterable, Iterator, Sequence
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
from corral.controls.settings import customers

_SSE = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
)


def _bucket_key(bucket: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    if bucket.type == GCP_BUCKET:
        if not bucket.value("encryption.defaultKmsKeyName"):
            yield "the bucket has no `encryption.defaultKmsKeyName`"
        return
    if bucket.type in _SSE:
        owned = any(bucket in companions(one, others, _SSE) for one in others if one.type in BUCKETS)
        yield from () if owned else _by_customer(_of_configuration(bucket))
        return
    defaults = list(_defaults(bucket, others))
    if not defaults:
        yield "the bucket has no server-side encryption configuration with a rule"
    yield from _by_customer(defaults)


def _by_customer(defaults: Iterable[tuple[Resource, str]]) -> Iterator[str]:
    for holder, path in defaults:
        algorithm = holder.value(f"{path}.sseAlgorithm")
        if algorithm not in ("aws:kms", "aws:kms:dsse"):
            yield f"`{path}.sseAlgorithm` is {algorithm!r}, not a customer's key"
        elif not customers(holder.value(f"{path}.kmsMasterKeyId")):
            yield f"`{path}.kmsMasterKeyId` names no key of the customer's, so the provider holds it"


def _of_configuration(configuration: Resource) -> Iterator[tuple[Resource, str]]:
    for index in range(len(configuration.value("rules", []))):
        yield configuration, f"rules.{index}.applyServerSideEncryptionByDefault"


def _defaults(bucket: Resource, others: Sequence[Resource]) -> Iterator[tuple[Resource, str]]:
    """Where the encryption of `bucket` is stated: in resources beside it, or within it."""
    for configuration in companions(bucket, others, _SSE):
        yield from _of_configuration(configuration)
    if bucket.value("serverSideEncryptionConfiguration.rule"):
        yield bucket, "serverSideEncryptionConfiguration.rule.applyServerSideEncryptionByDefault"
    if bucket.value("serverSideEncryptionConfigurations.0.rules.0"):
        path = "serverSideEncryptionConfigurations.0.rules.0.applyServerSideEncryptionByDefaults.0"
        yield bucket, path


_URN = "urn:pulumi:s::p::aws:s3/bucket:Bucket::b"


_BUCKET = Resource("aws:s3/bucket:Bucket", "b", {"bucket": UNKNOWN}, urn=_URN)


def _sse(algorithm: str, key: Any = "k", of: str = _URN) -> Resource:
    default = {"sseAlgorithm": algorithm, "kmsMasterKeyId": key}
    props = {"bucket": UNKNOWN, "rules": [{"applyServerSideEncryptionByDefault": default}]}
    return Resource(_SSE[0], "b-sse", props, refers={"bucket": [of]})


def _inline(algorithm: str) -> dict[str, Any]:
    return {
        "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": algorithm, "kmsMasterKeyId": "k"}}
    }


CONTROL = Control(
    id="SOV-KEY-03",
    title="Every bucket encrypts under a customer's key",
    severity=Severity.HIGH,
    sources=("SOV-3",),
    remedy="AWS: a BucketServerSideEncryptionConfiguration with aws:kms and a key; GCP: `encryption`.",
    rule=StackRule(lambda token: token in (*BUCKETS, *_SSE), _bucket_key),
    cases=(
        Case("under a key", Verdict.GOOD, _BUCKET, others=(_sse("aws:kms"),)),
        Case(
            "stated within the bucket",
            Verdict.GOOD,
            Resource("aws:s3/bucket:Bucket", "b", {"serverSideEncryptionConfiguration": _inline("aws:kms")}),
        ),
        Case(
            "the provider's algorithm, within the bucket",
            Verdict.BAD,
            Resource("aws:s3/bucket:Bucket", "b", {"serverSideEncryptionConfiguration": _inline("AES256")}),
        ),
        Case("a configuration without its bucket", Verdict.BAD, _sse("AES256")),
        Case("a configuration without its bucket, under a key", Verdict.GOOD, _sse("aws:kms")),
        Case("AWS's key by its alias", Verdict.BAD, _BUCKET, others=(_sse("aws:kms", "alias/aws/s3"),)),
        Case(
            "the older type, stated within",
            Verdict.GOOD,
            Resource(
                "aws:s3/bucketV2:BucketV2",
                "b",
                {
                    "serverSideEncryptionConfigurations": [
                        {
                            "rules": [
                                {
                                    "applyServerSideEncryptionByDefaults": [
                                        {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "k"}
                                    ]
                                }
                            ]
                        }
                    ]
                },
            ),
        ),
        Case(
            "the older type beside its configuration",
            Verdict.GOOD,
            replace(_BUCKET, type="aws:s3/bucketV2:BucketV2"),
            others=(_sse("aws:kms"),),
        ),
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
