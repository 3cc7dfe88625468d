"""Keeps a bucket as the platform needs it: versioned, encrypted by default, closed to anonymous callers."""

import uuid
from collections.abc import Callable
from typing import Any

from corral.tools.failure import ToolFailure
from corral.tools.store import client, failure_of, status_of

ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
CLOSED = {401, 403}

Say = Callable[[str], None]


def ensure(name: str, store: Any, say: Say) -> None:
    """Make bucket `name`, set versioning and default encryption, and prove by a probe object that they hold.

    Raises:
        ToolFailure: the store accepts the settings and does not keep them, or lets strangers in.
        botocore.exceptions.ClientError: the store refused.
    """
    _create(name, store, say)
    store.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    store.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=ENCRYPTION)
    probe = f".corral-probe-{uuid.uuid4().hex}"
    store.put_object(Bucket=name, Key=probe, Body=b"probe")
    try:
        _require_versioned(name, store)
        _require_encrypted(name, probe, store)
        _require_closed(name, probe)
    finally:
        _remove(name, probe, store)
    say(f"bucket {name}: versioned, encrypted by default (AES256), closed to anonymous callers")


def _create(name: str, store: Any, say: Say) -> None:
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        store.head_bucket(Bucket=name)
    except ClientError as error:
        if status_of(error) != 404:
            raise
        region = store.meta.region_name
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        store.create_bucket(Bucket=name, **place)
        say(f"bucket {name}: created")


def _require_versioned(name: str, store: Any) -> None:
    status = store.get_bucket_versioning(Bucket=name).get("Status")
    if status != "Enabled":
        raise ToolFailure(f"bucket {name} is not versioned (status {status or 'unset'})")


def _require_encrypted(name: str, probe: str, store: Any) -> None:
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        rules = store.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    except ClientError as error:
        raise ToolFailure(f"bucket {name} has no default encryption: {failure_of(error)}") from error
    used = store.head_object(Bucket=name, Key=probe).get("ServerSideEncryption")
    if not rules or used != "AES256":
        raise ToolFailure(
            f"bucket {name} does not encrypt by default: a probe was stored as {used or 'plain'}"
        )


def _require_closed(name: str, probe: str) -> None:
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    stranger = client(signed=False)
    attempts: dict[str, Callable[[], Any]] = {
        "list": lambda: stranger.list_objects_v2(Bucket=name),
        "read": lambda: stranger.get_object(Bucket=name, Key=probe),
        "write": lambda: stranger.put_object(Bucket=name, Key=f"{probe}-anonymous", Body=b""),
    }
    for verb, attempt in attempts.items():
        try:
            attempt()
        except ClientError as error:
            if status_of(error) in CLOSED:
                continue
            raise ToolFailure(f"bucket {name}: anonymous {verb} ended in {failure_of(error)}") from error
        raise ToolFailure(f"bucket {name}: anonymous callers may {verb}")


def _remove(name: str, probe: str, store: Any) -> None:
    """Remove every version of the probe's objects."""
    listing = store.list_object_versions(Bucket=name, Prefix=probe)
    for entry in listing.get("Versions", []) + listing.get("DeleteMarkers", []):
        store.delete_object(Bucket=name, Key=entry["Key"], VersionId=entry["VersionId"])
