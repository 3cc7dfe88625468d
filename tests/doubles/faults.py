"""Servers on loopback that fail in the ways networks and stores do."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import httpx
from tests.doubles.servers import Handler

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Faults:
    """How a server serves its one file."""

    content: bytes
    later: bytes | None = None
    """What the file is from the second answer on."""
    etag: bool = True
    ranges: bool = True
    cut_after: int | None = None
    """Bytes of a body after which the connection is closed."""
    cuts: int = 10**6
    """How many answers are cut."""
    busy: list[tuple[int, str | None]] = field(default_factory=list)
    """Status and `Retry-After` of the first answers."""
    stalls: int = 0
    """How many answers stop half-way without closing."""
    seen: list[dict[str, str]] = field(default_factory=list)
    """Headers of every request for the file."""
    address: str = ""

    @property
    def ranged(self) -> list[str]:
        return [one["Range"] for one in self.seen if "Range" in one]


def handler(faults: Faults) -> type[Handler]:
    """A hub with `org/tiny` and a registry with `models/tiny:1.0`, each of one file `model.gguf`."""

    class Source(Handler):
        def do_HEAD(self) -> None:
            self.answer(200)

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            digest = hashlib.sha256(faults.content).hexdigest()
            if path.startswith("/api/models/org/tiny/revision/"):
                entry = {"rfilename": "model.gguf", "size": len(faults.content)}
                entry["lfs"] = {"sha256": digest, "size": len(faults.content)}
                self.answer(200, json.dumps({"sha": COMMIT, "siblings": [entry]}).encode())
            elif path == "/v2/models/tiny/manifests/1.0":
                layer = {"mediaType": "application/octet-stream", "size": len(faults.content)}
                layer |= {"digest": f"sha256:{digest}"}
                layer["annotations"] = {"org.opencontainers.image.title": "model.gguf"}
                self.answer(200, json.dumps({"schemaVersion": 2, "layers": [layer]}).encode())
            else:
                self._file()

        def _file(self) -> None:
            faults.seen.append(dict(self.headers.items()))
            if faults.busy:
                status, order = faults.busy.pop(0)
                self.answer(status, headers=None if order is None else {"Retry-After": order})
                return
            first = len(faults.seen) == 1
            body = faults.content if first or faults.later is None else faults.later
            etag = f'"{hashlib.md5(body).hexdigest()}"'
            requested = self.headers.get("Range")
            start = (
                int(requested.removeprefix("bytes=").partition("-")[0]) if requested and faults.ranges else 0
            )
            if self.headers.get("If-Range") not in (None, etag):
                start = 0
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if faults.etag:
                self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            rest = body[start:]
            if faults.stalls:
                faults.stalls -= 1
                self.wfile.write(rest[: len(rest) // 2])
                self.wfile.flush()
                time.sleep(1.5)
                self.close_connection = True
            elif faults.cut_after is not None and faults.cuts > 0 and len(rest) > faults.cut_after:
                faults.cuts -= 1
                self.wfile.write(rest[: faults.cut_after])
                self.close_connection = True
            else:
                self.wfile.write(rest)

    return Source


@dataclass
class StoreFaults:
    """How a store answers that stands before a real one."""

    cut: int = 0
    """How many bodies of GETs of objects end half-way."""
    busy: int = 0
    """How many GETs of objects are answered 503 `SlowDown`, with `Retry-After: 0`."""
    before: Callable[[int], None] | None = None
    """What happens before a GET of an object, by its number from 0."""
    gets: int = 0


def before_store(endpoint: str, faults: StoreFaults) -> type[Handler]:
    """A store that passes requests on to `endpoint`, with faults in its GETs of ranges."""
    lock = threading.Lock()
    dropped = ("transfer-encoding", "connection", "content-length", "date", "server")

    class Store(Handler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            cut = False
            if self.command == "GET" and "Range" in self.headers:
                with lock:
                    number, faults.gets = faults.gets, faults.gets + 1
                    if faults.before is not None:
                        faults.before(number)
                    if faults.busy:
                        faults.busy -= 1
                        self._busy()
                        return
                    if faults.cut:
                        faults.cut, cut = faults.cut - 1, True
            with httpx.Client(trust_env=False, timeout=30) as http:
                answer = http.request(
                    self.command, f"{endpoint}{self.path}", content=body, headers=dict(self.headers.items())
                )
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                if name.lower() not in dropped:
                    self.send_header(name, value)
            head = self.command == "HEAD"
            self.send_header(
                "Content-Length", answer.headers["Content-Length"] if head else str(len(answer.content))
            )
            self.end_headers()
            self.wfile.write(answer.content[: len(answer.content) // 2] if cut else answer.content)
            self.close_connection = cut

        def _busy(self) -> None:
            text = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
            self.answer(503, text, {"Retry-After": "0"})

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on

    return Store
