"""Model files in an object store: S3, or Cloud Storage through its S3-compatible API.

A source may be another store than the platform's: `SOURCE_AWS_ENDPOINT_URL_S3`, `SOURCE_AWS_REGION`,
`SOURCE_AWS_ACCESS_KEY_ID` and `SOURCE_AWS_SECRET_ACCESS_KEY` name it; without them it is the platform's own;
without the keys it is read as anybody.
"""

import base64
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

from corral.catalogue.stores import CLOUD_STORAGE
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Say, Source, below, relative
from corral.tools.sources.transfer import CONNECT_ATTEMPTS, PASSING, Broken, repeated, retry_after
from corral.tools.store import Location, client, failure_of, header_of, listed, status_of

PREFIX = "SOURCE_"
RANGE = 8 << 20
"""Bytes of one request."""
AT_ONCE = 4
"""Requests under way."""
PRECONDITION_FAILED = 412


def s3_source(rest: str) -> "BucketSource":
    """A source `s3://BUCKET/PREFIX`, in a store of its own where the environment names one."""
    own = any(os.environ.get(f"{PREFIX}{name}") for name in ("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID"))
    signed = bool(os.environ.get(f"{PREFIX}AWS_ACCESS_KEY_ID"))
    chosen = client(prefix=PREFIX, signed=signed) if own else client()
    return BucketSource(Location.parse(f"s3://{rest}"), chosen)


def gs_source(rest: str) -> Source:
    """A source `gs://BUCKET/PREFIX`, by this pod's own identity, or by an HMAC key where there is one.

    The key is `SOURCE_AWS_ACCESS_KEY_ID` with its secret.
    """
    if not os.environ.get(f"{PREFIX}AWS_ACCESS_KEY_ID"):
        from corral.tools.sources.cloud import CloudSource

        return CloudSource(Location.parse(f"gs://{rest}"))
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
            entries = list(listed(self._store, where.bucket, where.prefix))
            files = [
                Listed(name, int(entry["Size"]), self._checksum(entry["Key"]), entry["ETag"].strip('"'))
                for entry in entries
                if (name := below(where.prefix, str(entry["Key"]))) is not None
            ]
        except (BotoCoreError, ClientError) as error:
            raise ToolFailure(f"{self._uri()} cannot be listed: {failure_of(error)}") from error
        if not files:
            raise ToolFailure(f"{self._uri()}: no file there")
        return Listing(None, tuple(files))

    def read(self, name: str, notes: Say) -> Iterator[bytes]:
        """The object in ranges of one version, several under way at a time."""
        where = self._location
        key = (
            where.prefix if where.prefix.rpartition("/")[2] == name else where.key(relative(name).as_posix())
        )
        uri = f"s3://{where.bucket}/{key}"
        head = repeated(uri, lambda: self._call(uri, self._store.head_object, Key=key), notes)
        size, version = int(head["ContentLength"]), str(head["ETag"])

        def brought(start: int) -> bytes:
            end = min(start + RANGE, size) - 1
            return repeated(uri, lambda: self._range(uri, key, version, start, end), notes)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from _in_order(pool, brought, range(0, size, RANGE))

    def _range(self, uri: str, key: str, version: str, start: int, end: int) -> bytes:
        # Errors of a body that breaks off are those of the library below.
        from botocore.exceptions import BotoCoreError, HTTPClientError  # pyright: ignore[reportMissingTypeStubs]
        from urllib3.exceptions import HTTPError

        options = {"Key": key, "Range": f"bytes={start}-{end}", "IfMatch": version}
        answer = self._call(uri, self._store.get_object, **options)
        try:
            body = bytes(answer["Body"].read())
        except (BotoCoreError, HTTPClientError, HTTPError, OSError) as error:
            raise Broken(f"the connection broke off after byte {start}") from error
        if len(body) != end + 1 - start:
            raise Broken(f"{len(body)} bytes came of {end + 1 - start}")
        return body

    def _call(self, uri: str, call: Callable[..., Any], **options: str) -> dict[str, Any]:
        """The store's answer.

        Raises:
            Broken: it is busy, after the client's own attempts.
            ToolFailure: it refuses, cannot be reached, or has another object by now.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # pyright: ignore[reportMissingTypeStubs]

        try:
            return cast(dict[str, Any], call(Bucket=self._location.bucket, **options))
        except ClientError as error:
            if status_of(error) == PRECONDITION_FAILED:
                raise ToolFailure(f"{uri}: it was changed while it was read; run the import again") from error
            if status_of(error) in PASSING:
                order = retry_after(header_of(error, "retry-after"))
                raise Broken(failure_of(error), order=order, attempts=CONNECT_ATTEMPTS) from error
            raise ToolFailure(f"{uri} cannot be read: {failure_of(error)}") from error
        except BotoCoreError as error:
            raise ToolFailure(f"{uri} cannot be read: {failure_of(error)}") from error

    def _uri(self) -> str:
        return f"s3://{self._location.bucket}/{self._location.prefix}"

    def _checksum(self, key: str) -> str | None:
        """SHA-256 that the store keeps of a whole object; None for one of its parts or of another kind."""
        answer = cast(
            dict[str, Any],
            self._store.head_object(Bucket=self._location.bucket, Key=key, ChecksumMode="ENABLED"),
        )
        checksum = str(answer.get("ChecksumSHA256", ""))
        if not checksum or "-" in checksum or answer.get("ChecksumType", "FULL_OBJECT") != "FULL_OBJECT":
            return None
        return base64.b64decode(checksum).hex()


def _in_order(
    pool: ThreadPoolExecutor, brought: Callable[[int], bytes], starts: Iterable[int]
) -> Iterator[bytes]:
    """What `brought` returns for each of `starts`, one more of them under way than threads at most."""
    under_way: deque[Future[bytes]] = deque()
    try:
        for start in starts:
            under_way.append(pool.submit(brought, start))
            if len(under_way) > AT_ONCE:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for one in under_way:
            one.cancel()
