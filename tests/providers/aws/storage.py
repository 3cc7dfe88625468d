"""Buckets, whose settings are resources of their own."""

import json
from collections.abc import Callable
from typing import Any

from tests.providers.aws.account import Account, found, mapped, pairs, some, upper
from tests.providers.aws.kinds import Inputs, Kind, Made, replaced


def _bucket(account: Account, inputs: Inputs) -> Made:
    name = inputs["bucket"]
    account.s3.create_bucket(
        Bucket=name,
        CreateBucketConfiguration={"LocationConstraint": account.region},
        ObjectLockEnabledForBucket=inputs.get("objectLockEnabled", False),
    )
    _bucket_tags(account, name, {}, inputs)
    return name, _computed(account, name)


def _computed(account: Account, name: str) -> dict[str, Any]:
    return {"arn": f"arn:{account.partition}:s3:::{name}", "bucketRegion": account.region}


def _bucket_tags(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    account.s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs(new.get("tags"))})
    return {}


def _bucket_now(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
    if name not in [one["Name"] for one in account.s3.list_buckets()["Buckets"]]:
        return None
    answer = found(account.s3.get_bucket_tagging, Bucket=name)
    tags = mapped(answer["TagSet"]) if answer else {}
    return {"bucket": name, "tags": tags, **_computed(account, name)}


def _no_bucket(account: Account, name: str, inputs: Inputs) -> None:
    if inputs.get("forceDestroy"):
        _emptied(account, name)
    account.s3.delete_bucket(Bucket=name)


def _emptied(account: Account, name: str) -> None:
    """Every version of every object gone, as the provider does it where `forceDestroy` is true."""
    for page in account.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            account.s3.delete_object(Bucket=name, Key=one["Key"], VersionId=one["VersionId"])


def _setting(
    put: str,
    get: str,
    delete: str | None,
    sent: Callable[[Inputs], dict[str, Any]],
    seen: Callable[[dict[str, Any]], dict[str, Any]],
) -> Kind:
    """One setting of a bucket: put as a whole, whether it is made or changed."""

    def create(account: Account, inputs: Inputs) -> Made:
        getattr(account.s3, put)(Bucket=inputs["bucket"], **sent(inputs))
        return inputs["bucket"], {}

    def read(account: Account, name: str, inputs: Inputs) -> dict[str, Any] | None:
        answer = found(getattr(account.s3, get), Bucket=name)
        return None if answer is None else seen(answer)

    def update(account: Account, name: str, old: Inputs, new: Inputs) -> dict[str, Any]:
        create(account, new)
        return {}

    def remove(account: Account, name: str, inputs: Inputs) -> None:
        if delete is not None:
            found(getattr(account.s3, delete), Bucket=name)

    return Kind(create, read, remove, update, replaced("bucket"))


PUBLIC = ("blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets")
"""Switches of public access, as the SDK calls them."""


def _public(inputs: Inputs) -> dict[str, Any]:
    return {"PublicAccessBlockConfiguration": upper({key: inputs.get(key, False) for key in PUBLIC})}


def _public_now(answer: dict[str, Any]) -> dict[str, Any]:
    now = answer["PublicAccessBlockConfiguration"]
    return {key: now[key[0].upper() + key[1:]] for key in PUBLIC}


def _encryption(inputs: Inputs) -> dict[str, Any]:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": some(
                SSEAlgorithm=rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"],
                KMSMasterKeyID=rule["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId"),
            ),
            "BucketKeyEnabled": rule.get("bucketKeyEnabled", False),
        }
        for rule in inputs["rules"]
    ]
    return {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _encryption_now(answer: dict[str, Any]) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        default = rule["ApplyServerSideEncryptionByDefault"]
        stated = some(sseAlgorithm=default["SSEAlgorithm"], kmsMasterKeyId=default.get("KMSMasterKeyID"))
        key = {"bucketKeyEnabled": True} if rule.get("BucketKeyEnabled") else {}
        rules.append({"applyServerSideEncryptionByDefault": stated, **key})
    return {"rules": rules}


def _lifecycle(inputs: Inputs) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    for rule in inputs["rules"]:
        abort = rule["abortIncompleteMultipartUpload"]["daysAfterInitiation"]
        old = rule["noncurrentVersionExpiration"]["noncurrentDays"]
        rules.append(
            {
                "ID": rule["id"],
                "Status": rule["status"],
                "Filter": {"Prefix": rule["filter"]["prefix"]},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": abort},
                "NoncurrentVersionExpiration": {"NoncurrentDays": old},
            }
        )
    return {"LifecycleConfiguration": {"Rules": rules}}


def _lifecycle_now(answer: dict[str, Any]) -> dict[str, Any]:
    rules = [
        {
            "id": rule["ID"],
            "status": rule["Status"],
            "filter": {"prefix": rule["Filter"].get("Prefix", "")},
            "abortIncompleteMultipartUpload": {
                "daysAfterInitiation": rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
            },
            "noncurrentVersionExpiration": {
                "noncurrentDays": rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
            },
        }
        for rule in answer["Rules"]
    ]
    return {"rules": rules}


def _lock(inputs: Inputs) -> dict[str, Any]:
    retention = inputs["rule"]["defaultRetention"]
    rule = {"DefaultRetention": {"Mode": retention["mode"], "Days": retention["days"]}}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}


def _lock_now(answer: dict[str, Any]) -> dict[str, Any]:
    retention = answer["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    return {"rule": {"defaultRetention": {"mode": retention["Mode"], "days": retention["Days"]}}}


KINDS = {
    "aws:s3/bucket:Bucket": Kind(
        _bucket,
        _bucket_now,
        _no_bucket,
        _bucket_tags,
        replaced("bucket", "objectLockEnabled"),
        "bucket",
        63,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _setting(
        "put_bucket_versioning",
        "get_bucket_versioning",
        None,
        lambda one: {"VersioningConfiguration": {"Status": one["versioningConfiguration"]["status"]}},
        lambda answer: {"versioningConfiguration": {"status": answer.get("Status", "Disabled")}},
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _setting(
        "put_bucket_encryption",
        "get_bucket_encryption",
        "delete_bucket_encryption",
        _encryption,
        _encryption_now,
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _setting(
        "put_public_access_block",
        "get_public_access_block",
        "delete_public_access_block",
        _public,
        _public_now,
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _setting(
        "put_bucket_ownership_controls",
        "get_bucket_ownership_controls",
        "delete_bucket_ownership_controls",
        lambda one: {"OwnershipControls": {"Rules": [upper(one["rule"])]}},
        lambda answer: {
            "rule": {"objectOwnership": answer["OwnershipControls"]["Rules"][0]["ObjectOwnership"]}
        },
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _setting(
        "put_bucket_policy",
        "get_bucket_policy",
        "delete_bucket_policy",
        lambda one: {"Policy": one["policy"]},
        lambda answer: {"policy": json.dumps(json.loads(answer["Policy"]))},
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _setting(
        "put_bucket_lifecycle_configuration",
        "get_bucket_lifecycle_configuration",
        "delete_bucket_lifecycle",
        _lifecycle,
        _lifecycle_now,
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _setting(
        "put_object_lock_configuration", "get_object_lock_configuration", None, _lock, _lock_now
    ),
}
