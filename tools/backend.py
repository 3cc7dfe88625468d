"""Where Pulumi keeps a stack's state before there is a stack: a bucket and a key on AWS."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from corral.catalogue.aws import partition_of, partitions, tls_only
from corral.tools.failure import ToolFailure
from corral.tools.store import failure_of, status_of

OLD_VERSION_DAYS = 90
"""For which a state that another has replaced can be brought back."""
CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
LIFECYCLE = {
    "Rules": [
        {
            "ID": "old-states",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSION_DAYS},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    ]
}
NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
"""A bucket's name without dots, which an alias of KMS cannot have."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Backend:
    """A bucket for state, and the alias of the key that encrypts it and the stacks' secrets."""

    bucket: str
    region: str

    @property
    def alias(self) -> str:
        return f"alias/{self.bucket}"

    @property
    def url(self) -> str:
        """For `PULUMI_BACKEND_URL`, or `backend.url` of Pulumi.yaml."""
        return f"s3://{self.bucket}?region={self.region}"

    @property
    def secrets_provider(self) -> str:
        """For `pulumi stack init --secrets-provider`."""
        return f"awskms://{self.alias}?region={self.region}"


def ensure(backend: Backend, say: Say) -> None:
    """Make key and bucket, or bring what is there to the same settings; nothing is ever removed.

    Raises:
        ToolFailure: the region is unknown, or the bucket is another's or elsewhere.
        botocore.exceptions.ClientError: AWS refused.
    """
    import boto3  # pyright: ignore[reportMissingTypeStubs]

    if not NAME.fullmatch(backend.bucket):
        raise ToolFailure(
            f"--bucket: {backend.bucket} is no name that both take; use 3 to 63 of a-z, 0-9 and -"
        )
    partition = partition_of(backend.region)
    if partition is None:
        known = " or ".join(partitions())
        raise ToolFailure(
            f"--region: {backend.region} is in no partition that is known; use a region of {known}"
        )
    session = cast(Any, boto3).Session(region_name=backend.region)
    store = session.client("s3")
    present = _present(backend, store)
    key = _key(backend, session.client("kms"), say)
    if not present:
        place = {} if backend.region == "us-east-1" else {"LocationConstraint": backend.region}
        created = {"CreateBucketConfiguration": place} if place else {}
        store.create_bucket(Bucket=backend.bucket, ObjectOwnership="BucketOwnerEnforced", **created)
        say(f"bucket {backend.bucket}: created")
    _settings(backend.bucket, partition, key, store)
    say(
        f"bucket {backend.bucket}: closed to the public, TLS only, versioned, encrypted by {backend.alias}; "
        f"old versions stay for {OLD_VERSION_DAYS} days"
    )
    say(f"export PULUMI_BACKEND_URL='{backend.url}'")
    say(f"pulumi stack init STACK --secrets-provider='{backend.secrets_provider}'")


def _present(backend: Backend, store: Any) -> bool:
    """Whether the bucket is there, ours and in the region."""
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        place = store.get_bucket_location(Bucket=backend.bucket)["LocationConstraint"] or "us-east-1"
    except ClientError as error:
        if status_of(error) == 404:
            return False
        raise ToolFailure(
            f"bucket {backend.bucket} is another's, or may not be read: {failure_of(error)}"
        ) from error
    if place != backend.region:
        raise ToolFailure(
            f"bucket {backend.bucket} is in {place}: name it so by --region, or take another name"
        )
    return True


def _key(backend: Backend, service: Any, say: Say) -> str:
    """ARN of the key behind the alias; made where there is none, and rotated each year."""
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        key = service.describe_key(KeyId=backend.alias)["KeyMetadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NotFoundException":
            raise
        key = service.create_key(Description=f"State and secrets of stacks in {backend.bucket}")[
            "KeyMetadata"
        ]
        service.create_alias(AliasName=backend.alias, TargetKeyId=key["KeyId"])
        say(f"key {backend.alias}: created")
    if not key["Enabled"]:
        raise ToolFailure(
            f"key {backend.alias} is {key['KeyState']}: enable it, or take another bucket's name"
        )
    service.enable_key_rotation(KeyId=key["KeyId"])
    return str(key["Arn"])


def _settings(bucket: str, partition: str, key: str, store: Any) -> None:
    store.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=CLOSED)
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    store.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    if not _answers(lambda: store.get_bucket_lifecycle_configuration(Bucket=bucket)):
        store.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=LIFECYCLE)
    # Somebody's own policy stays as it is.
    if not _answers(lambda: store.get_bucket_policy(Bucket=bucket)):
        store.put_bucket_policy(Bucket=bucket, Policy=json.dumps(_policy(bucket, partition)))


def _answers(question: Callable[[], object]) -> bool:
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        question()
    except ClientError as error:
        if status_of(error) != 404:
            raise
        return False
    return True


def _policy(bucket: str, partition: str) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [tls_only(f"arn:{partition}:s3:::{bucket}")]}
