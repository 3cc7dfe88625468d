"""What a kubelet answers the API server: the output of containers, for `kubectl logs`.

It speaks TLS with the plane's own certificate, on connections that reach the node by its private socket.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import h11

from corral.embedded.home import PlaneHome
from corral.embedded.node.attempts import Attempt
from corral.embedded.node.logs import find
from corral.embedded.node.network_relay import CHUNK_BYTES, Stream
from corral.embedded.node.tasks import cancel, first_of
from corral.embedded.plane.control import certificates

PORT = 10250
"""Where the API server asks a node, since its status names no other port."""
LOGS = "containerLogs"
OF_TIMES = ("sinceSeconds", "sinceTime", "timestamps")
"""Options of `kubectl logs` that need the time of a line."""


class Refused(Exception):
    """The request has no answer here."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


def context(home: PlaneHome) -> ssl.SSLContext:
    """TLS with the certificate of the plane's administrator."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    folder = certificates(home)
    made.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    return made


def is_asked(host: str, port: int) -> bool:
    """Whether the API server's way to `host:port` is that to the kubelet of a machine.

    >>> is_asked("whole-0", 10250), is_asked("10.97.0.3", 10250), is_asked("webhook.cert-manager.svc", 10250)
    (True, False, False)
    """
    return port == PORT and not host.endswith(".svc") and not host.replace(".", "").isdecimal()


async def answer(home: PlaneHome, stream: Stream) -> None:
    """Answer one request of the API server, then close; it ends when the server hangs up."""
    reader, writer = stream
    connection = h11.Connection(h11.SERVER)
    try:
        await writer.start_tls(context(home))
        request = await _request(connection, reader)
        sending = asyncio.create_task(_send(connection, writer, request, home))
        hung_up = asyncio.create_task(reader.read(1))
        try:
            await first_of(sending, hung_up)
        finally:
            await cancel(sending, hung_up)
    except (h11.RemoteProtocolError, OSError, EOFError):
        writer.transport.abort()
    finally:
        writer.close()


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(CHUNK_BYTES))
    if not isinstance(event, h11.Request):
        raise EOFError
    return event


async def _send(
    connection: h11.Connection, writer: asyncio.StreamWriter, request: h11.Request, home: PlaneHome
) -> None:
    try:
        command, limit = tail(home, request.method.decode(), request.target.decode("ascii"))
    except Refused as cause:
        body = f"{cause}\n".encode()
        _write(connection, writer, _head(cause.status, {"Content-Length": str(len(body))}))
        _write(connection, writer, h11.Data(data=body))
    else:
        _write(connection, writer, _head(HTTPStatus.OK, {}))
        async for data in _output(command, limit):
            _write(connection, writer, h11.Data(data=data))
            await writer.drain()
    _write(connection, writer, h11.EndOfMessage())
    await writer.drain()


def _write(connection: h11.Connection, writer: asyncio.StreamWriter, event: h11.Event) -> None:
    writer.write(connection.send(event) or b"")


def _head(status: HTTPStatus, more: Mapping[str, str]) -> h11.Response:
    headers = {"Content-Type": "text/plain", "Connection": "close", **more}
    return h11.Response(status_code=status, headers=list(headers.items()))


def tail(home: PlaneHome, method: str, target: str) -> tuple[list[str], int | None]:
    """What prints what `GET /containerLogs/NAMESPACE/POD/CONTAINER?OPTIONS` asks for, and its most bytes.

    Raises:
        Refused: a kubelet has more paths and options; or there is no such output.
    """
    url = urlsplit(target)
    options = {key: values[-1] for key, values in parse_qs(url.query).items()}
    parts = url.path.strip("/").split("/")
    if method != "GET" or len(parts) != 4 or parts[0] != LOGS:
        what = parts[0] or "/"
        why = f"the node of the embedded plane answers `kubectl logs` alone, and not {what}"
        raise Refused(HTTPStatus.NOT_IMPLEMENTED, why)
    timed = [key for key in OF_TIMES if options.get(key, "false") != "false"]
    if timed:
        why = f"the node of the embedded plane keeps no time of a line: leave out {', '.join(timed)}"
        raise Refused(HTTPStatus.BAD_REQUEST, why)
    try:
        path = find(home, parts[1], parts[2], parts[3], previous=options.get("previous") == "true")
        limit = options.get("limitBytes")
        return _command(path, options), None if limit is None else int(limit)
    except (LookupError, ValueError) as cause:
        # The one status whose text the API server hands on.
        raise Refused(HTTPStatus.BAD_REQUEST, str(cause)) from cause


def _command(path: Path, options: Mapping[str, str]) -> list[str]:
    lines = options.get("tailLines")
    how = ["-n", "+1" if lines is None else str(int(lines))]
    run = Attempt(path.parent, int(path.stem))
    if options.get("follow") == "true" and run.process is not None and run.outcome is None:
        how += ["-f", f"--pid={run.process.pid}"]
    return ["tail", *how, "--", str(path)]


async def _output(command: list[str], limit: int | None) -> AsyncIterator[bytes]:
    """What `command` prints, as it comes, `limit` bytes at most."""
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    left = limit
    try:
        while left != 0 and (data := await process.stdout.read(min(CHUNK_BYTES, left or CHUNK_BYTES))):
            left = None if left is None else left - len(data)
            yield data
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
