"""A file on its way into S3: sent in parts, and no object before it is finished."""

import datetime
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from corral.tools.failure import ToolFailure
from corral.tools.store import Location, failure_of

HELD = 1 << 20
"""Bytes of a file that is kept in memory and sent as a whole."""
PARTS = ((4000, 8 << 20), (10_000, 64 << 20))
"""Number of a part up to which parts have a size: 33 GB in parts of 8 MiB, then 64 MiB; S3 takes 10,000."""
UNDER_WAY = 10
"""Parts that are sent at a time; boto3's transfers send as many."""
MOST_UNDER_WAY = 256 << 20
"""Bytes of them."""
ABANDONED = datetime.timedelta(days=1)
"""Age of an upload that nobody goes on with."""

Say = Callable[[str], None]


class StagedFile:
    """One file, invisible in the store until `finish`."""

    def __init__(self, store: Any, target: Location, name: str, pool: ThreadPoolExecutor):
        self.name = name
        self._store, self._target, self._pool = store, target, pool
        self._place = {"Bucket": target.bucket, "Key": target.key(name)}
        self._buffer = bytearray()
        self._upload: str | None = None
        self._sending: deque[Future[dict[str, Any]]] = deque()
        self._sizes: deque[int] = deque()
        """Of what is being sent, in bytes."""
        self._parts: list[dict[str, Any]] = []
        self._count = 0

    def write(self, chunk: bytes) -> None:
        """The next bytes.

        Raises:
            ToolFailure: the store refused a part.
        """
        self._buffer += chunk
        while len(self._buffer) >= (size := self._part_size()):
            part = bytes(self._buffer[:size])
            del self._buffer[:size]
            self._send(part)

    def verified(self, sha256: str) -> None:
        """All bytes are here, and right: send what is left, so that `finish` has little to do."""
        self._sha256 = sha256
        if self._upload is None and len(self._buffer) <= HELD:
            return
        if self._buffer or self._count == 0:
            self._send(bytes(self._buffer))
            self._buffer.clear()
        while self._sending:
            self._await_one()

    def finish(self) -> None:
        """Make it an object; the store checks every part by SHA-256.

        Raises:
            ToolFailure: the store refused.
        """
        if self._upload is None:
            body = bytes(self._buffer)
            metadata = {"sha256": self._sha256}
            self._call("put_object", Body=body, ChecksumAlgorithm="SHA256", Metadata=metadata)
        else:
            parts = sorted(self._parts, key=lambda part: int(part["PartNumber"]))
            self._call("complete_multipart_upload", UploadId=self._upload, MultipartUpload={"Parts": parts})
            self._upload = None

    def discard(self) -> None:
        """Leave nothing of it in the store."""
        from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

        for one in self._sending:
            one.cancel()
        for one in self._sending:
            if not one.cancelled():
                one.exception()
        self._sending.clear()
        self._sizes.clear()
        if self._upload is not None:
            try:
                self._store.abort_multipart_upload(**self._place, UploadId=self._upload)
            except (BotoCoreError, ClientError):
                return  # The next import removes it, see `remove_abandoned`.
            self._upload = None

    def _part_size(self) -> int:
        return next(size for last, size in PARTS if self._count < last)

    def _send(self, body: bytes) -> None:
        if self._upload is None:
            # What its SHA-256 is, nobody knows before the end: the manifest has it.
            answer = self._call("create_multipart_upload", ChecksumAlgorithm="SHA256")
            self._upload = str(answer["UploadId"])
        while len(self._sending) >= UNDER_WAY or sum(self._sizes) > MOST_UNDER_WAY - len(body):
            self._await_one()
        self._count += 1
        if self._count > PARTS[-1][0]:
            raise ToolFailure(f"{self._uri()} is larger than an object can be")
        self._sizes.append(len(body))
        self._sending.append(self._pool.submit(self._sent, self._upload, self._count, body))

    def _sent(self, upload: str, number: int, body: bytes) -> dict[str, Any]:
        options = {"UploadId": upload, "PartNumber": number, "ChecksumAlgorithm": "SHA256"}
        answer = self._call("upload_part", Body=body, **options)
        kept = {"PartNumber": number, "ETag": answer["ETag"]}
        return kept | {key: answer[key] for key in ("ChecksumSHA256",) if key in answer}

    def _await_one(self) -> None:
        self._sizes.popleft()
        self._parts.append(self._sending.popleft().result())

    def _call(self, method: str, **options: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

        try:
            return getattr(self._store, method)(**self._place, **options)
        except (BotoCoreError, ClientError) as error:
            raise ToolFailure(f"{self._uri()} cannot be written: {failure_of(error)}") from error

    def _uri(self) -> str:
        return f"s3://{self._target.bucket}/{self._target.key(self.name)}"


def remove_abandoned(store: Any, target: Location, say: Say) -> None:
    """Remove what imports into `target` left behind that were killed a day ago or earlier."""
    from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

    oldest = datetime.datetime.now(datetime.UTC) - ABANDONED
    try:
        prefix = target.key("") if target.prefix else ""
        uploads = store.list_multipart_uploads(Bucket=target.bucket, Prefix=prefix).get("Uploads", [])
        for upload in uploads:
            if upload["Initiated"] < oldest:
                store.abort_multipart_upload(
                    Bucket=target.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )
                say(f"removed the rest of an earlier upload of {upload['Key']}")
    except (BotoCoreError, ClientError) as error:
        say(f"unfinished uploads of {target.uri} cannot be listed: {failure_of(error)}")
