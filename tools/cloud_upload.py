"""A file on its way into Cloud Storage: one resumable upload, and no object before it is finished.

Of https://cloud.google.com/storage/docs/performing-resumable-uploads: bytes go in order, in multiples of
256 KiB but the last; after a failure the upload is asked how far it is (308 with `Range`), and goes on there.
"""

import base64
import contextlib
import hashlib
import re
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import httpx

from corral.tools.cloud_client import CloudClient
from corral.tools.failure import ToolFailure
from corral.tools.sources.transfer import Broken, repeated
from corral.tools.staging import HELD
from corral.tools.store import Location

PIECE = 16 << 20
"""Bytes of one request; a multiple of 256 KiB."""
UNIT = 256 << 10
"""What the store takes multiples of, until the end."""
OK, CREATED, INCOMPLETE, PRECONDITION_FAILED = 200, 201, 308, 412
LOST = frozenset((404, 410))
"""Answers about an upload that the store does not know any more."""


class Upload:
    """One file, invisible in the store until `finish`."""

    def __init__(self, store: CloudClient, target: Location, name: str, pool: ThreadPoolExecutor):
        self.name = name
        self._store, self._pool = store, pool
        self._bucket, self._key = target.bucket, target.key(name)
        self._what = f"gs://{self._bucket}/{self._key}"
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._buffer = bytearray()
        self._session: str | None = None
        self._sent = 0
        self._sending: Future[None] | None = None
        self._before = self._present()

    def write(self, chunk: bytes) -> None:
        """The next bytes.

        Raises:
            ToolFailure: the store refused a piece.
        """
        self._md5.update(chunk)
        self._buffer += chunk
        while len(self._buffer) >= PIECE:
            self._send(PIECE)

    def verified(self, sha256: str) -> None:
        """All bytes are here, and right: send what can be sent before the end."""
        self._sha256 = sha256
        if self._session is None and len(self._buffer) <= HELD:
            return
        whole = len(self._buffer) // UNIT * UNIT
        if whole:
            self._send(whole)
        self._await()

    def finish(self) -> None:
        """Make it an object, and compare the store's MD5 of it.

        Raises:
            ToolFailure: the store refused, or has another content: it is removed again.
        """
        rest = bytes(self._buffer)
        if self._session is None:
            stated = {"metadata": {"sha256": self._sha256}}
            self._store.write(self._bucket, self._key, rest, self._before, stated)
            return
        answer = self._piece(self._session, self._sent, rest, total=self._sent + len(rest))
        md5 = base64.b64encode(self._md5.digest()).decode()
        self._store.settled(self._bucket, self._key, answer, md5)
        self._session = None

    def discard(self) -> None:
        """Leave nothing of it in the store; an upload that cannot be cancelled now goes after a week."""
        with contextlib.suppress(ToolFailure):
            self._await()
        if self._session is not None:
            with contextlib.suppress(httpx.HTTPError, ToolFailure):
                self._store.http.delete(self._session)
            self._session = None

    def _send(self, count: int) -> None:
        self._await()
        body = bytes(self._buffer[:count])
        del self._buffer[:count]
        session, start = self._started(), self._sent
        self._sent += count
        self._sending = self._pool.submit(self._sent_piece, session, start, body)

    def _await(self) -> None:
        if self._sending is not None:
            under_way, self._sending = self._sending, None
            under_way.result()

    def _started(self) -> str:
        if self._session is None:
            answer = self._asked()
            if answer.status_code == PRECONDITION_FAILED:
                # Another import has ended since: its file is replaced, unless a third one comes.
                self._before = self._present()
                answer = self._asked()
            if answer.status_code == PRECONDITION_FAILED:
                raise ToolFailure(
                    f"{self._what}: another import has written it meanwhile; run the import again"
                )
            self._session = str(answer.headers["Location"])
        return self._session

    def _present(self) -> dict[str, str]:
        """The condition that what is written replaces what is there now, and nothing that comes meanwhile."""
        there = self._store.metadata(self._bucket, self._key) or {}
        return {"ifGenerationMatch": str(there.get("generation", 0))}

    def _asked(self) -> httpx.Response:
        query = {"uploadType": "resumable", "name": self._key, **self._before}
        url = self._store.upload_url(self._bucket, query)
        return self._store.call("POST", url, self._what, expected=(OK, PRECONDITION_FAILED))

    def _sent_piece(self, session: str, start: int, body: bytes) -> None:
        self._piece(session, start, body, total=None)

    def _piece(self, session: str, start: int, body: bytes, *, total: int | None) -> httpx.Response:
        """Send `body`, which is at `start`; `total`: it is the last one. The store's last answer."""
        end, failed = start + len(body), False
        at = start

        def attempt() -> httpx.Response:
            nonlocal at, failed
            if failed:
                answer = self._put(session, {"Content-Range": f"bytes */{_text(total)}"}, b"")
                if answer.status_code != INCOMPLETE:
                    return answer
                at = _kept(answer)
                if not start <= at <= end:
                    raise ToolFailure(
                        f"{self._what}: the store kept {at} bytes of an upload, not {start} or more"
                    )
                if at == end and total is None:
                    return answer
            failed = True
            span = f"{at}-{end - 1}" if at < end else "*"
            headers = {"Content-Range": f"bytes {span}/{_text(total)}"}
            answer = self._put(session, headers, body[at - start :])
            if answer.status_code == INCOMPLETE and (total is not None or _kept(answer) != end):
                raise Broken(f"the store kept {_kept(answer)} bytes of {end}")
            return answer

        return repeated(self._what, attempt, self._store.notes)

    def _put(self, session: str, headers: Mapping[str, str], body: bytes) -> httpx.Response:
        expected = (OK, CREATED, INCOMPLETE, PRECONDITION_FAILED, *LOST)
        answer = self._store.once("PUT", session, self._what, headers, body, expected)
        if answer.status_code in LOST:
            raise ToolFailure(f"{self._what}: the store has lost the upload; run the import again")
        return answer


def _text(total: int | None) -> str:
    return "*" if total is None else str(total)


def _kept(answer: httpx.Response) -> int:
    """Bytes that the store has of an upload: none where it names no range."""
    match = re.fullmatch(r"bytes=0-(\d+)", answer.headers.get("Range", ""))
    return int(match[1]) + 1 if match else 0
