"""Content that arrives over a network that fails: repeated with patience, gone on with where it was cut."""

import datetime
import hashlib
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from time import sleep
from typing import TypeVar

import httpx

from corral.catalogue import authorities
from corral.tools.failure import ToolFailure

ATTEMPTS = 6
"""Failures in a row that brought nothing before it is given up."""
CONNECT_ATTEMPTS = 3
"""The same for a server that nothing was ever read from."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds before the second attempt, doubled from one to the next."""
LONGEST_ORDER = 600.0
"""Seconds that a server may order us to wait, by `Retry-After`."""
PROGRESS = 1 << 20
"""Bytes after which failures are counted anew."""
TIMEOUT = httpx.Timeout(10.0, read=60.0)
OK, PARTIAL, BEYOND_END = 200, 206, 416
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers that another attempt may change."""

Say = Callable[[str], None]
T = TypeVar("T")


def client() -> httpx.Client:
    """A client of what is read in parts."""
    return authorities.client(TIMEOUT)


def unheard(_line: str) -> None:
    """Notes of a short answer, which nobody reads."""


class Broken(Exception):
    """What another attempt may mend; the text is its reason."""

    def __init__(self, reason: str, *, order: float | None = None, attempts: int = ATTEMPTS):
        super().__init__(reason)
        self.order, self.attempts = order, attempts


class Patience:
    """Counts failures of one piece of work and waits between them."""

    def __init__(self, what: str, notes: Say):
        self._what, self._notes, self._failures = what, notes, 0

    def progress(self, count: int) -> None:
        """An attempt brought `count` bytes before it failed."""
        if count >= PROGRESS:
            self._failures = 0

    def wait(self, broken: Broken, where: str = "") -> None:
        """Wait before the next attempt.

        Raises:
            ToolFailure: there is none, or the server wants to be left alone for longer than anybody waits.
        """
        self._failures += 1
        if broken.order is not None and broken.order > LONGEST_ORDER:
            raise ToolFailure(f"{self._what}: {broken}; the server wants {broken.order:.0f} s of rest")
        if self._failures >= broken.attempts:
            raise ToolFailure(f"{self._what}: {broken}{where}, {self._failures} times in a row")
        pause = min(FIRST_WAIT * 2 ** (self._failures - 1), LONGEST_WAIT) * random.uniform(0.75, 1.0)
        if broken.order is not None:
            pause = max(pause, broken.order)
        self._notes(
            f"{self._what}: {broken}{where}; again in {pause:.1f} s ({self._failures} of {broken.attempts})"
        )
        sleep(pause)


def repeated(what: str, attempt: Callable[[], T], notes: Say) -> T:
    """What `attempt` returns at last.

    Raises:
        ToolFailure: it failed too often.
    """
    patience = Patience(what, notes)
    while True:
        try:
            return attempt()
        except Broken as broken:
            patience.wait(broken)


@dataclass(frozen=True)
class Part:
    """Content from byte `start` on."""

    start: int
    total: int | None
    """Bytes of the whole; None: the server does not say."""
    version: str | None
    """What changes with the content, such as a strong ETag."""
    chunks: Iterator[bytes]


OpenAt = Callable[[int, str | None], AbstractContextManager[Part]]
"""Content from an offset on, if it is of that version still; from its beginning otherwise."""


def content(open_at: OpenAt, what: str, notes: Say) -> Generator[bytes]:
    """The chunks of one file, each once, however often the connection breaks.

    Raises:
        ToolFailure: it broke too often, or the file is another one than that which was begun.
    """
    patience, digest = Patience(what, notes), hashlib.sha256()
    arrived, version, total = 0, None, None
    while True:
        before = arrived
        try:
            with open_at(arrived, version) as part:
                if (version is not None and part.version != version) or (
                    total is not None and part.total not in (None, total)
                ):
                    raise ToolFailure(f"{what}: it was changed while it was read; run the import again")
                version, total = part.version, part.total if total is None else total
                chunks = part.chunks
                if part.start < arrived:
                    chunks = _after(chunks, arrived - part.start, digest.digest(), what)
                for chunk in chunks:
                    digest.update(chunk)
                    arrived += len(chunk)
                    yield chunk
            if total is not None and arrived != total:
                raise Broken("it ended")
            return
        except Broken as broken:
            patience.progress(arrived - before)
            patience.wait(broken, f" at {arrived} of {total or 'unknown'} bytes")


def _after(chunks: Iterator[bytes], count: int, digest: bytes, what: str) -> Iterator[bytes]:
    """`chunks` after their first `count` bytes, which must be those that were read before."""
    again, left = hashlib.sha256(), count
    for chunk in chunks:
        again.update(chunk[:left])
        rest = chunk[left:]
        left = max(0, left - len(chunk))
        if left == 0:
            if again.digest() != digest:
                raise ToolFailure(f"{what}: it was changed while it was read; run the import again")
            yield rest
            break
    if left:
        raise Broken("it ended")
    yield from chunks


@contextmanager
def http_part(
    http: httpx.Client,
    url: str,
    headers: dict[str, str],
    refused: Callable[[int], ToolFailure],
    offset: int = 0,
    version: str | None = None,
    *,
    pin: str | None = None,
) -> Generator[Part]:
    """The answer to a GET of `url` from `offset` on, as HTTP's range requests have it (RFC 9110, 14).

    Without a strong ETag or a date nothing says that the rest belongs to the beginning: all of it is read.
    `pin` is the version of what cannot change under its URL.

    Raises:
        Broken: the connection failed, or the server is busy.
        ToolFailure: `refused` of any other status.
    """
    sent = {**headers, "Accept-Encoding": "identity"}
    if offset and version is not None:
        sent["Range"] = f"bytes={offset}-"
        if pin is None:
            sent["If-Range"] = version
    try:
        with http.stream("GET", url, headers=sent) as answer:
            part = _part(answer, offset, refused)
            yield part if pin is None else replace(part, version=pin)
    except httpx.ConnectError as error:
        raise Broken("no connection", attempts=ATTEMPTS if offset else CONNECT_ATTEMPTS) from error
    except httpx.TimeoutException as error:
        raise Broken(f"no byte for {TIMEOUT.read:.0f} s") from error
    except httpx.TransportError as error:
        raise Broken("the connection broke off") from error


def _part(answer: httpx.Response, offset: int, refused: Callable[[int], ToolFailure]) -> Part:
    status = answer.status_code
    if status in PASSING:
        raise Broken(f"the server answers {status}", order=retry_after(answer.headers.get("Retry-After")))
    version = _version(answer)
    if status == PARTIAL:
        start, total = _content_range(answer.headers.get("Content-Range", ""))
        if start != offset:
            raise Broken(f"the server sends from byte {start}, not {offset}")
        return Part(start, total, version, answer.iter_raw())
    if status == OK:
        length = answer.headers.get("Content-Length")
        total = int(length) if length is not None and length.isdigit() else None
        return Part(0, total, version, answer.iter_raw())
    raise refused(status)


def _version(answer: httpx.Response) -> str | None:
    etag = answer.headers.get("ETag", "")
    if etag and not etag.startswith("W/"):
        return etag
    return answer.headers.get("Last-Modified") or None


def _content_range(text: str) -> tuple[int, int | None]:
    unit, _, rest = text.partition(" ")
    span, _, total = rest.partition("/")
    start = span.partition("-")[0]
    if unit != "bytes" or not start.isdigit():
        raise Broken("the server's range is unreadable")
    return int(start), int(total) if total.isdigit() else None


def retry_after(text: str | None) -> float | None:
    """Seconds of a header `Retry-After`: a number, or a date; None: it says neither."""
    if not text:
        return None
    if text.strip().isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (until - datetime.datetime.now(datetime.UTC)).total_seconds())
