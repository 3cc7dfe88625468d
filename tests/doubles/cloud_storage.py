"""A Cloud Storage of this process: the part of its JSON API that the tools rely on, and a metadata server.

Of https://cloud.google.com/storage/docs/json_api/v1 (objects: get, list, insert, delete) and
https://cloud.google.com/storage/docs/performing-resumable-uploads. Google's own client reads it too
(`tests/programs/test_programs_run.py`), so that it is not only what our tools believe.
"""

import base64
import contextlib
import datetime
import hashlib
import itertools
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from tests.doubles.servers import Handler, listening

UNIT = 256 << 10
READ, WRITE = "roles/storage.objectViewer", "roles/storage.objectUser"


@dataclass
class Fault:
    """What goes wrong with calls whose line (`PUT /upload/…?…`) has `pattern`, so many times."""

    pattern: str
    status: int | None = None
    """Answer in place of the work; None: the connection is closed."""
    retry_after: str | None = None
    done: bool = False
    """Whether the work is done first, and only its answer is lost."""
    keep: int | None = None
    """Bytes of the request's body that are taken all the same."""
    cut: int | None = None
    """Bytes of the answer's body after which the connection is closed."""
    corrupt: bool = False
    """Whether the last byte of the content is stored as another one."""
    times: int = 1


@dataclass
class Session:
    bucket: str
    key: str
    match: str | None
    content: bytearray = field(default_factory=bytearray)
    made: dict[str, Any] | None = None


@dataclass
class Cloud:
    """Buckets, who may enter them, and what was asked."""

    buckets: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Objects by bucket and name; `content` is beside their metadata."""
    roles: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Role and member that a bucket is opened to; a bucket without an entry is open to everybody known."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Member of each token that is good."""
    entered: set[tuple[str, str]] = field(default_factory=set)
    """Member and role of calls that were let in."""
    faults: list[Fault] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """Every call in order."""
    sessions: dict[str, Session] = field(default_factory=dict)
    member_of: Callable[[Any], str | None] = lambda _: "somebody"
    """Member that a request to the metadata server is of; None: it is nobody's."""
    lock: Any = field(default_factory=threading.RLock)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1_700_000_000_000_001))
    address: str = ""
    metadata_address: str = ""

    def put(self, bucket: str, key: str, content: bytes, **more: Any) -> dict[str, Any]:
        """Make an object."""
        path = quote(key, safe="")
        made = {
            "kind": "storage#object",
            "bucket": bucket,
            "name": key,
            "generation": str(next(self._numbers)),
            "metageneration": "1",
            "timeCreated": datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z"),
            "size": str(len(content)),
            "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
            "mediaLink": f"http://{self.address}/download/storage/v1/b/{bucket}/o/{path}?alt=media",
            **more,
            "content": content,
        }
        self.buckets[bucket][key] = made
        return made

    def names(self, bucket: str) -> list[str]:
        return sorted(self.buckets[bucket])

    def content(self, bucket: str, key: str) -> bytes:
        return self.buckets[bucket][key]["content"]

    def issue(self, member: str) -> str:
        """A token of that member."""
        token = f"ya29.{next(self._numbers)}-{member}"
        self.tokens[token] = member
        return token

    def next_fault(self, line: str) -> Fault | None:
        for one in self.faults:
            if one.times > 0 and re.search(one.pattern, line):
                one.times -= 1
                return one
        return None


class _Metadata(Handler):
    cloud: Cloud

    def do_GET(self) -> None:
        if self.headers.get("Metadata-Flavor") != "Google":
            self.answer(403)
            return
        member = self.cloud.member_of(self)
        if member is None or not self.path.startswith(
            "/computeMetadata/v1/instance/service-accounts/default/"
        ):
            self.answer(404)
            return
        with self.cloud.lock:
            token = self.cloud.issue(member)
        body = {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}
        self.answer(
            200, json.dumps(body).encode(), {"Content-Type": "application/json", "Metadata-Flavor": "Google"}
        )


class _Api(Handler):
    cloud: Cloud
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # A client that went away.
            super().handle()

    def do_GET(self) -> None:
        self._served()

    do_PUT = do_POST = do_DELETE = do_GET

    def _served(self) -> None:
        self._said: tuple[int, bytes, Any] | None = None
        self._cut, self._lost = None, False
        self._worked()
        # Without the lock: a client may send the one file on while it reads the other.
        if self._said is not None:
            self._send(*self._said)

    def _worked(self) -> None:
        line = f"{self.command} {self.path}"
        if span := self.headers.get("Content-Range"):
            line += f" [{span}]"
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.cloud.lock:
            self.cloud.lines.append(line)
            fault = self.cloud.next_fault(line)
            if fault and fault.status is not None:
                more = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
                self.answer(fault.status, b"busy", more)
                return
            if fault and fault.keep is not None:
                self._keep(body[: fault.keep])
                self._hang_up()
                return
            if fault and not (fault.done or fault.cut is not None or fault.corrupt):
                self._hang_up()
                return
            self._corrupt = bool(fault and fault.corrupt)
            self._cut = fault.cut if fault else None
            self._lost = bool(fault and fault.done)
            self._answered(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _keep(self, body: bytes) -> None:
        session = self.cloud.sessions[self._query()["upload_id"]]
        session.content += body[: len(body) // UNIT * UNIT]

    def answer(self, status: int, body: bytes = b"", headers: Any = None) -> None:
        self._said = (status, body, headers)

    def _send(self, status: int, body: bytes, headers: Any) -> None:
        if getattr(self, "_lost", False):
            self._hang_up()
            return
        cut = getattr(self, "_cut", None)
        if cut is None:
            super().answer(status, body, headers)
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        self.wfile.flush()
        self._hang_up()

    def _json(self, value: Any, status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), {"Content-Type": "application/json; charset=UTF-8"})

    def _error(self, status: int, message: str) -> None:
        self._json({"error": {"code": status, "message": message}}, status)

    def _query(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}

    def _answered(self, body: bytes) -> None:
        path, query = urlsplit(self.path).path, self._query()
        if "upload_id" in query:  # The session's URL is what lets in.
            self._session(query["upload_id"], body)
            return
        match = re.fullmatch(r"(/upload|/download)?/storage/v1/b/([^/]+)(?:/o(?:/(.+))?)?", path)
        if match is None:
            self._error(404, "Not Found")
            return
        bucket, key = unquote(match[2]), unquote(match[3] or "")
        if bucket not in self.cloud.buckets:
            self._error(404, "The specified bucket does not exist.")
            return
        member = self.cloud.tokens.get(self.headers.get("Authorization", "").removeprefix("Bearer "))
        if member is None:
            self._error(401, "Invalid Credentials")
            return
        needed = READ if self.command == "GET" else WRITE
        held = {role for role, one in self.cloud.roles.get(bucket, {(WRITE, member)}) if one == member}
        if not held & {needed, WRITE}:
            verb = "get" if needed == READ else "create"
            self._error(403, f"{member} does not have storage.objects.{verb} access")
            return
        self.cloud.entered.add((member, needed))
        if self.command == "POST":
            self._insert(bucket, query, body)
            return
        if self.command == "GET" and path.endswith(("/o", f"/b/{match[2]}")):
            self._list(bucket, query) if path.endswith("/o") else self._json({"name": bucket})
            return
        there = self.cloud.buckets[bucket].get(key)
        if there is None or query.get("generation", there["generation"]) != there["generation"]:
            self._error(404, f"No such object: {bucket}/{key}")
            return
        if self.command == "DELETE":
            del self.cloud.buckets[bucket][key]
            self.answer(204)
            return
        if query.get("alt") != "media":
            self._json(_stated(there))
            return
        self._media(there)
        return

    def _list(self, bucket: str, query: dict[str, str]) -> None:
        names = [one for one in self.cloud.names(bucket) if one.startswith(query.get("prefix", ""))]
        start, count = int(query.get("pageToken", 0)), min(int(query.get("maxResults", 1000)), 2)
        page: dict[str, Any] = {"kind": "storage#objects"}
        if names[start : start + count]:
            page["items"] = [_stated(self.cloud.buckets[bucket][one]) for one in names[start : start + count]]
        if names[start + count :]:
            page["nextPageToken"] = str(start + count)
        self._json(page)

    def _media(self, there: dict[str, Any]) -> None:
        content: bytes = there["content"]
        headers = {
            "Content-Type": "application/octet-stream",
            "X-Goog-Generation": there["generation"],
            "X-Goog-Hash": f"md5={there['md5Hash']}",
        }
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match is None:
            self.answer(200, content, headers)
            return
        start, end = int(match[1]), min(int(match[2] or len(content) - 1), len(content) - 1)
        if start >= len(content):
            self.answer(416, b"", headers)
            return
        headers["Content-Range"] = f"bytes {start}-{end}/{len(content)}"
        self.answer(206, content[start : end + 1], headers)
        return

    def _present(self, bucket: str, key: str) -> str:
        there = self.cloud.buckets[bucket].get(key)
        return "0" if there is None else str(there["generation"])

    def _insert(self, bucket: str, query: dict[str, str], body: bytes) -> None:
        match = query.get("ifGenerationMatch")
        if query["uploadType"] == "resumable":
            if match not in (None, self._present(bucket, query["name"])):
                self._error(412, "At least one of the pre-conditions you specified did not hold.")
                return
            identity = f"s{len(self.cloud.sessions)}"
            self.cloud.sessions[identity] = Session(bucket, query["name"], match)
            place = f"http://{self.cloud.address}/upload/storage/v1/b/{bucket}/o?uploadType=resumable&upload_id={identity}"
            self.answer(200, b"", {"Location": place})
            return
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        stated, _ = message_from_bytes(head + body).get_payload()
        details = json.loads(stated.get_payload())
        data = body[body.index(b"\r\n\r\n", body.index(b"octet-stream")) + 4 : body.rindex(b"\r\n--")]
        data = self._arrived(data)
        md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
        if details.pop("md5Hash", md5) != md5:
            self._error(400, "Provided MD5 hash doesn't match calculated MD5 hash.")
            return
        if match not in (None, self._present(bucket, details["name"])):
            self._error(412, "At least one of the pre-conditions you specified did not hold.")
            return
        self._json(_stated(self.cloud.put(bucket, details.pop("name"), data, **details)))
        return

    def _arrived(self, content: bytes) -> bytes:
        return content[:-1] + bytes([content[-1] ^ 1]) if self._corrupt else content

    def _session(self, identity: str, body: bytes) -> None:
        session = self.cloud.sessions.get(identity)
        if session is None:
            self._error(410, "Gone")
            return
        if self.command == "DELETE":
            del self.cloud.sessions[identity]
            self.answer(499)
            return
        if session.made is not None:
            self._json(_stated(session.made))
            return
        match = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.headers["Content-Range"])
        assert match is not None, self.headers["Content-Range"]
        if match[1] is not None:
            start, end = int(match[1]), int(match[2])
            if len(body) != end + 1 - start or start != len(session.content):
                self._error(503, "out of order")
                return
            if match[3] == "*" and len(body) % UNIT:
                self._error(400, "a multiple of 256 KiB is needed but at the end")
                return
            session.content += self._arrived(body)
        if match[3] != "*" and len(session.content) == int(match[3]):
            if session.match not in (None, self._present(session.bucket, session.key)):
                self._error(412, "At least one of the pre-conditions you specified did not hold.")
                return
            session.made = self.cloud.put(session.bucket, session.key, bytes(session.content))
            self._json(_stated(session.made))
            return
        more = {"Range": f"bytes=0-{len(session.content) - 1}"} if session.content else {}
        self.answer(308, b"", more)
        return


def _stated(there: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in there.items() if key != "content"}


@contextmanager
def cloud_storage() -> Iterator[Cloud]:
    """Both servers on loopback, without any bucket."""
    cloud = Cloud()
    api, metadata = (type("Here", (kind,), {"cloud": cloud}) for kind in (_Api, _Metadata))
    with listening(api) as cloud.address, listening(metadata) as cloud.metadata_address:
        yield cloud
