"""Model files in an object store: S3, or Cloud Storage through its S3-compatible API.

A source may be another store than the platform's: `SOURCE_AWS_ENDPOINT_URL_S3`, `SOURCE_AWS_REGION`,
`SOURCE_AWS_ACCESS_KEY_ID` and `SOURCE_AWS_SECRET_ACCESS_KEY` name it; without them it is the platform's own.
"""

import base64
import os
from pathlib import Path
from typing import Any, cast

from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, inside
from corral.tools.store import Location, client, failure_of

PREFIX = "SOURCE_"
CLOUD_STORAGE = "https://storage.googleapis.com"


def s3_source(rest: str, store: Any) -> "BucketSource":
    """A source `s3://BUCKET/PREFIX`, in a store of its own where the environment names one."""
    own = any(os.environ.get(f"{PREFIX}{name}") for name in ("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID"))
    return BucketSource(Location.parse(f"s3://{rest}"), client(prefix=PREFIX) if own else store)


def gs_source(rest: str, store: Any) -> "BucketSource":
    """A source `gs://BUCKET/PREFIX`; its HMAC key comes as `SOURCE_AWS_ACCESS_KEY_ID` and its secret.

    Raises:
        ToolFailure: there is no such key.
    """
    if not os.environ.get(f"{PREFIX}AWS_ACCESS_KEY_ID"):
        raise ToolFailure(f"gs://{rest}: an HMAC key is needed in {PREFIX}AWS_ACCESS_KEY_ID and its secret")
    endpoint = os.environ.get(f"{PREFIX}AWS_ENDPOINT_URL_S3") or CLOUD_STORAGE
    return BucketSource(Location.parse(f"s3://{rest}"), client(prefix=PREFIX, endpoint=endpoint))


class BucketSource:
    """Objects below a prefix; a prefix that is an object itself is that one file."""

    def __init__(self, location: Location, store: Any):
        self._location, self._store = location, store

    def listing(self) -> Listing:
        from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

        where = self._location
        try:
            pages = self._store.get_paginator("list_objects_v2").paginate(
                Bucket=where.bucket, Prefix=where.prefix
            )
            entries = [entry for page in pages for entry in page.get("Contents", [])]
            files = [
                Listed(name, int(entry["Size"]), self._checksum(entry["Key"]))
                for entry in entries
                if (name := self._name(str(entry["Key"]))) is not None
            ]
        except (BotoCoreError, ClientError) as error:
            raise ToolFailure(f"{self._uri()} cannot be listed: {failure_of(error)}") from error
        if not files:
            raise ToolFailure(f"{self._uri()}: no file there")
        return Listing(None, tuple(files))

    def fetch(self, name: str, scratch: Path) -> Path:
        from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

        where = self._location
        key = where.prefix if where.prefix.rpartition("/")[2] == name else where.key(name)
        target = inside(scratch, name)
        try:
            self._store.download_file(where.bucket, key, str(target))
        except (BotoCoreError, ClientError) as error:
            raise ToolFailure(f"s3://{where.bucket}/{key} cannot be read: {failure_of(error)}") from error
        return target

    def _uri(self) -> str:
        return f"s3://{self._location.bucket}/{self._location.prefix}"

    def _name(self, key: str) -> str | None:
        prefix = self._location.prefix
        if key == prefix:
            return key.rpartition("/")[2]
        below = f"{prefix}/" if prefix else ""
        inner = key.removeprefix(below)
        return inner if key.startswith(below) and inner and not inner.endswith("/") else None

    def _checksum(self, key: str) -> str | None:
        """SHA-256 that the store keeps of a whole object; None for one of its parts or of another kind."""
        answer = cast(
            dict[str, Any],
            self._store.head_object(Bucket=self._location.bucket, Key=key, ChecksumMode="ENABLED"),
        )
        told = str(answer.get("ChecksumSHA256", ""))
        if not told or "-" in told or answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
            return None
        return base64.b64decode(told).hex()
