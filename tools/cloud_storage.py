"""Cloud Storage as a store of models."""

import datetime
import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from corral.tools.cloud_client import CloudClient, md5_of
from corral.tools.cloud_upload import Upload
from corral.tools.failure import ToolFailure
from corral.tools.store import Location, Stored

Say = Callable[[str], None]
Json = dict[str, Any]


class CloudStorage:
    """Buckets of Cloud Storage, entered as the pod's account."""

    def __init__(self, notes: Say) -> None:
        self._client = CloudClient(notes)

    def read_json(self, location: Location, name: str) -> Json | None:
        body = self._whole(location, name)
        try:
            return None if body is None else cast(Json, json.loads(body))
        except ValueError:
            return None

    def write_json(self, location: Location, name: str, value: Json) -> None:
        body = json.dumps(value, indent=2, sort_keys=True).encode() + b"\n"
        key = location.key(name)
        there = self._client.metadata(location.bucket, key) or {}
        if there.get("md5Hash") != md5_of(body):  # A bucket with a period of retention takes nothing twice.
            self._client.write(location.bucket, key, body, {}, {"contentType": "application/json"})

    def size_of(self, location: Location, name: str) -> int | None:
        there = self._client.metadata(location.bucket, location.key(name))
        return None if there is None else int(there["size"])

    def sha256_of(self, location: Location, name: str) -> str | None:
        there = self._client.metadata(location.bucket, location.key(name))
        if there is None:
            return None
        digest = hashlib.sha256()
        for chunk in self._client.read(
            location.bucket, location.key(name), str(there["generation"]), self._client.notes
        ):
            digest.update(chunk)
        return digest.hexdigest()

    def stage(self, target: Location, name: str, pool: ThreadPoolExecutor) -> Upload:
        return Upload(self._client, target, name, pool)

    def remove_abandoned(self, target: Location, say: Say) -> None:
        """Nothing: an upload that nobody ends goes after a week by itself, and cannot be listed."""

    def listed(self, bucket: Location, prefix: str) -> Sequence[Stored]:
        return [_stored(one) for one in self._client.listed(bucket.bucket, prefix)]

    def remove(self, bucket: Location, key: str) -> None:
        """Remove one object; a versioned bucket keeps what it was for as long as its own rule says."""
        self._client.remove(bucket.bucket, key)

    def download(self, source: Location, name: str, path: Path) -> None:
        there = self._client.metadata(source.bucket, source.key(name))
        if there is None:
            raise ToolFailure(f"{name} in {source.uri} cannot be read: it is not there")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for chunk in self._client.read(
                source.bucket, source.key(name), str(there["generation"]), self._client.notes
            ):
                file.write(chunk)

    def _whole(self, location: Location, name: str) -> bytes | None:
        there = self._client.metadata(location.bucket, location.key(name))
        if there is None:
            return None
        return b"".join(self._client.read(location.bucket, location.key(name), str(there["generation"])))


def _stored(stated: Json) -> Stored:
    until = stated.get("retentionExpirationTime")
    return Stored(
        str(stated["name"]),
        datetime.datetime.fromisoformat(str(stated["timeCreated"])),
        None if until is None else datetime.datetime.fromisoformat(str(until)),
    )
