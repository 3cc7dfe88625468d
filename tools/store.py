"""The object store as the tools see it: S3 with credentials from the environment alone."""

import datetime
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from corral.tools.failure import ToolFailure

ATTEMPTS = 6
CHUNK = 1 << 20
UNREADABLE = (404, 500)
"""Answers for an object that is not there, or that the store cannot decrypt."""
CONNECT_SECONDS = 10
READ_SECONDS = 120
SCHEMES = ("s3", "gs")
"""Stores that models are kept in."""
SETTINGS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "REGION", "ENDPOINT_URL_S3")
"""Variables of a store, after `AWS_`."""


@dataclass(frozen=True)
class Location:
    """A bucket and a key prefix without slashes at its ends."""

    bucket: str
    prefix: str
    scheme: str = "s3"
    """`s3`, or `gs`: Cloud Storage."""

    @staticmethod
    def parse(uri: str) -> "Location":
        """From `s3://bucket/prefix` or `gs://bucket/prefix`.

        Raises:
            ToolFailure: another scheme, or no bucket.
        """
        scheme, separator, rest = uri.partition("://")
        bucket, _, prefix = rest.partition("/")
        if scheme not in SCHEMES or not separator or not bucket:
            raise ToolFailure(f"{uri}: expected s3://BUCKET/PREFIX or gs://BUCKET/PREFIX")
        return Location(bucket, prefix.strip("/"), scheme)

    @property
    def uri(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.prefix}"

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name


@dataclass(frozen=True)
class Stored:
    """An object of a store."""

    key: str
    modified: datetime.datetime
    """When it was written."""
    kept_until: datetime.datetime | None = None
    """Time before which the bucket lets nobody remove it; None: there is none."""


def client(*, signed: bool = True, prefix: str = "", endpoint: str | None = None) -> Any:
    """An S3 client with endpoint, region and keys of the environment's AWS_* variables.

    `signed=False` asks as anybody. With `prefix` the variables are those that begin with it, and the others
    are never used in their place. `endpoint` goes before the environment's.
    """
    import boto3  # pyright: ignore[reportMissingTypeStubs]
    from botocore import UNSIGNED  # pyright: ignore[reportMissingTypeStubs]
    from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]

    config = Config(
        signature_version="s3v4" if signed else UNSIGNED,
        s3={"addressing_style": "path", "us_east_1_regional_endpoint": "regional"},
        retries={"max_attempts": ATTEMPTS, "mode": "standard"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
    )
    # A session of its own: the shared one remembers the credentials it has seen first.
    if not prefix:
        return cast(Any, boto3).Session().client("s3", config=config, endpoint_url=endpoint)
    own = {name: os.environ.get(f"{prefix}AWS_{name}") for name in SETTINGS}
    keys = cast(Any, boto3).Session(
        aws_access_key_id=own["ACCESS_KEY_ID"] or None,
        aws_secret_access_key=own["SECRET_ACCESS_KEY"] or None,
        region_name=own["REGION"] or "us-east-1",
    )
    # Without an endpoint it is that of the region, whichever partition has it, and never the environment's,
    # which is the platform's own store.
    of_region = cast(Any, config).merge(Config(ignore_configured_endpoint_urls=True))
    return keys.client("s3", config=of_region, endpoint_url=endpoint or own["ENDPOINT_URL_S3"] or None)


def failure_of(error: Exception) -> str:
    """The store's own words for a failed call, without the request's headers."""
    response = cast(dict[str, Any], getattr(error, "response", {}))
    details = response.get("Error", {})
    return f"{details['Code']}: {details.get('Message', '')}" if "Code" in details else str(error)


def status_of(error: Exception) -> int:
    """HTTP status of a refused call; 0 when the store did not answer."""
    response = cast(dict[str, Any], getattr(error, "response", {}))
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def header_of(error: Exception, name: str) -> str | None:
    """A header of a refused call's answer, by its name in lower case."""
    response = cast(dict[str, Any], getattr(error, "response", {}))
    return response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get(name)


def read_json(store: Any, location: Location, name: str) -> dict[str, Any] | None:
    """The JSON object `name`; None when there is no such key or it is not JSON.

    Raises:
        botocore.exceptions.ClientError: the store refused for another reason.
    """
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        body = store.get_object(Bucket=location.bucket, Key=location.key(name))["Body"].read()
    except ClientError as error:
        if status_of(error) == 404:
            return None
        raise
    try:
        return cast(dict[str, Any], json.loads(body))
    except ValueError:
        return None


def listed(store: Any, bucket: str, prefix: str) -> Iterator[Mapping[str, Any]]:
    """What a listing has of each object whose key begins with `prefix`: `Key`, `ETag`, `Size` and the like.

    Raises:
        botocore.exceptions.ClientError: the store refused.
    """
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())


def size_of(store: Any, location: Location, name: str) -> int | None:
    """Bytes of an object; None when it is not there."""
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        return int(store.head_object(Bucket=location.bucket, Key=location.key(name))["ContentLength"])
    except ClientError as error:
        if status_of(error) == 404:
            return None
        raise


def sha256_of(store: Any, location: Location, name: str) -> str | None:
    """SHA-256 in hex of what the store gives out as `name`; None: it gives out nothing.

    Raises:
        botocore.exceptions.ClientError: the store refused.
    """
    from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

    try:
        body = store.get_object(Bucket=location.bucket, Key=location.key(name))["Body"]
    except ClientError as error:
        if status_of(error) in UNREADABLE:
            return None
        raise
    digest = hashlib.sha256()
    for chunk in body.iter_chunks(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def write_json(store: Any, location: Location, name: str, value: dict[str, Any]) -> None:
    body = json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"
    store.put_object(
        Bucket=location.bucket,
        Key=location.key(name),
        Body=body,
        ContentType="application/json",
        ChecksumAlgorithm="SHA256",
    )
