"""S3 as a store of models."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from corral.tools import store as s3
from corral.tools.failure import ToolFailure
from corral.tools.staging import StagedFile, remove_abandoned

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

    def download(self, source: s3.Location, name: str, path: Path) -> None:
        from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

        try:
            self._client.download_file(source.bucket, source.key(name), str(path))
        except ClientError as error:
            raise ToolFailure(f"{name} in {source.uri} cannot be read: {s3.failure_of(error)}") from error
