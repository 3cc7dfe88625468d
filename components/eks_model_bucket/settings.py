"""The bucket with its settings, each a resource of its own, as AWS's provider has them.

Each is protected as the bucket is: a `destroy` that the bucket refuses takes everything else, and would leave
it open.
"""

import pulumi
import pulumi_aws as aws

from corral.catalogue.aws import tls_only
from corral.components._aws import AwsSite, document
from corral.components.eks_model_bucket.args import EksModelBucketArgs

OLD_VERSION_DAYS = 30
UPLOAD_DAYS = 7
"""Days after which parts of an upload that never ended go."""


def bucket_of(site: AwsSite, args: EksModelBucketArgs, key: pulumi.Output[str]) -> pulumi.Output[str]:
    """Name of the bucket, known once every setting is there."""
    bucket = aws.s3.Bucket(
        f"{site.name}-bucket",
        bucket=args.get("bucket"),
        object_lock_enabled="lock_days" in args,
        force_destroy=not site.protect,
        region=site.region,
        tags=site.tagged(),
        opts=site.child(protect=site.protect),
    )
    versioning = _versioning(site, bucket)
    settings: list[pulumi.CustomResource] = [
        versioning,
        _encryption(site, bucket, key),
        *_closed(site, bucket),
        _lifecycle(site, bucket, versioning, args.get("old_version_days", OLD_VERSION_DAYS)),
    ]
    if "lock_days" in args:
        settings.append(_lock(site, bucket, versioning, args["lock_days"]))
    return pulumi.Output.all(bucket.bucket, *(one.id for one in settings)).apply(lambda known: str(known[0]))


def _versioning(site: AwsSite, bucket: aws.s3.Bucket) -> aws.s3.BucketVersioning:
    return aws.s3.BucketVersioning(
        f"{site.name}-versioning",
        bucket=bucket.bucket,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        region=site.region,
        opts=site.child(protect=site.protect),
    )


def _encryption(
    site: AwsSite, bucket: aws.s3.Bucket, key: pulumi.Output[str]
) -> aws.s3.BucketServerSideEncryptionConfiguration:
    default = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
        sse_algorithm="aws:kms", kms_master_key_id=key
    )
    return aws.s3.BucketServerSideEncryptionConfiguration(
        f"{site.name}-encryption",
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=default, bucket_key_enabled=True
            )
        ],
        region=site.region,
        opts=site.child(protect=site.protect),
    )


def _closed(site: AwsSite, bucket: aws.s3.Bucket) -> list[pulumi.CustomResource]:
    block = aws.s3.BucketPublicAccessBlock(
        f"{site.name}-public-access",
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        region=site.region,
        opts=site.child(protect=site.protect),
    )
    owner = aws.s3.BucketOwnershipControls(
        f"{site.name}-ownership",
        bucket=bucket.bucket,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        region=site.region,
        opts=site.child(protect=site.protect),
    )
    # S3 refuses two changes of who may enter at once.
    policy = aws.s3.BucketPolicy(
        f"{site.name}-policy",
        bucket=bucket.bucket,
        policy=bucket.bucket.apply(lambda name: document([tls_only(f"arn:{site.partition}:s3:::{name}")])),
        region=site.region,
        opts=site.child(depends_on=[block], protect=site.protect),
    )
    return [block, owner, policy]


def _lifecycle(
    site: AwsSite, bucket: aws.s3.Bucket, versioning: aws.s3.BucketVersioning, days: int
) -> aws.s3.BucketLifecycleConfiguration:
    rule = aws.s3.BucketLifecycleConfigurationRuleArgs(
        id="leftovers",
        status="Enabled",
        filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=UPLOAD_DAYS
        ),
        noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=days
        ),
    )
    return aws.s3.BucketLifecycleConfiguration(
        f"{site.name}-lifecycle",
        bucket=bucket.bucket,
        rules=[rule],
        region=site.region,
        opts=site.child(depends_on=[versioning], protect=site.protect),
    )


def _lock(
    site: AwsSite, bucket: aws.s3.Bucket, versioning: aws.s3.BucketVersioning, days: int
) -> aws.s3.BucketObjectLockConfiguration:
    retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(mode="COMPLIANCE", days=days)
    return aws.s3.BucketObjectLockConfiguration(
        f"{site.name}-lock",
        bucket=bucket.bucket,
        rule=aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention),
        region=site.region,
        opts=site.child(depends_on=[versioning], protect=site.protect),
    )
