"""S3 as a store of models."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from corral.tools import store as s3
from corral.tools.failure import ToolFailure
from corral.tools.staging import StagedFile, remove_abandoned
from corral.tools.store import Stored

HIDDEN = (403, 501)
"""Answers to who may not list versions, and of stores that have none."""

Say = Callable[[str], None]


class S3Store:
    """The S3 store of the environment's AWS_* variables."""

    def __init__(self) -> None:
        self._client = s3.client()

    def read_json(self, location: s3.Location, name: str) -> dict[str, Any] | None:
        return s3.read_json(self._client, location, name)

    def write_json(self, location: s3.Location, name: str, value: dict[str, Any]) -> None:
        s3.write_json(self._client, location, name, value)

    def size_of(self, location: s3.Location, name: str) -> int | None:
        return s3.size_of(self._client, location, name)

    def sha256_of(self, location: s3.Location, name: str) -> str | None:
        return s3.sha256_of(self._client, location, name)

    def stage(self, target: s3.Location, name: str, pool: ThreadPoolExecutor) -> StagedFile:
        return StagedFile(self._client, target, name, pool)

    def remove_abandoned(self, target: s3.Location, say: Say) -> None:
        remove_abandoned(self._client, target, say)

    def listed(self, bucket: s3.Location, prefix: str) -> Sequence[Stored]:
        every = s3.listed(self._client, bucket.bucket, prefix)
        return [Stored(one["Key"], one["LastModified"]) for one in every]

    def remove(self, bucket: s3.Location, key: str) -> None:
        place = {"Bucket": bucket.bucket, "Key": key}
        # First as anybody may who writes: from here on it is not there, whatever becomes of its versions.
        self._client.delete_object(**place)
        for version in self._versions(bucket.bucket, key):
            self._client.delete_object(**place, VersionId=version)

    def _versions(self, bucket: str, key: str) -> Sequence[str]:
        """Versions of an object; none where this identity may not see them."""
        from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

        try:
            pages = list(
                self._client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
            )
        except ClientError as error:
            if s3.status_of(error) in HIDDEN:
                return []
            raise
        entries = [
            one for page in pages for part in ("Versions", "DeleteMarkers") for one in page.get(part, [])
        ]
        return [one["VersionId"] for one in entries if one["Key"] == key]

    def download(self, source: s3.Location, name: str, path: Path) -> None:
        from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

        try:
            self._client.download_file(source.bucket, source.key(name), str(path))
        except ClientError as error:
            raise ToolFailure(f"{name} in {source.uri} cannot be read: {s3.failure_of(error)}") from error
