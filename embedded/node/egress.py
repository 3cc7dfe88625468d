"""The API server's way to webhooks, Services, pods and kubelets: HTTP CONNECT on a unix socket."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from corral.embedded.home import private_directory
from corral.embedded.node.endpoints import Backend, Unreachable
from corral.embedded.node.kubelet import is_asked
from corral.embedded.node.network_relay import Stream, connect, relay

HEAD_BYTES = 16 * 1024
HEAD_SECONDS = 30.0

Resolve = Callable[[str, int], Sequence[Backend]]
log = logging.getLogger(__name__)


class Malformed(Exception):
    """The request is no CONNECT to `host:port`."""


async def serve(path: Path, resolve: Resolve, kubelet: Callable[[Stream], Awaitable[None]]) -> None:
    """Answer CONNECT requests on `path` until cancelled; one left by a killed node is replaced.

    `kubelet` answers on those that lead to a machine's.

    A refusal is `503` with the reason in the status line, which is what the API server reports, and
    in the body.
    """
    server = await asyncio.start_unix_server(
        _handler(resolve, kubelet), sock=_listener(path), limit=HEAD_BYTES, start_serving=False
    )
    try:
        await server.start_serving()
        await asyncio.Event().wait()
    finally:
        server.close()
        _remove(path)


def _listener(path: Path) -> socket.socket:
    private_directory(path.parent)
    _remove(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o600)
    return listener


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _handler(
    resolve: Resolve, kubelet: Callable[[Stream], Awaitable[None]]
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            host, port = await _asked(reader)
            behind = None if is_asked(host, port) else await connect(resolve(host, port))
        except Malformed as cause:
            _refuse(writer, 400, str(cause))
        except Unreachable as cause:
            log.warning("refused the API server: %s", cause)
            _refuse(writer, 503, str(cause))
        except (OSError, EOFError):
            writer.close()
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await (kubelet((reader, writer)) if behind is None else relay((reader, writer), behind))

    return handle


async def _asked(reader: asyncio.StreamReader) -> tuple[str, int]:
    try:
        async with asyncio.timeout(HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.LimitOverrunError, TimeoutError):
        raise Malformed(f"no request head of at most {HEAD_BYTES} bytes in {HEAD_SECONDS:.0f} s") from None
    return target(head)


def target(head: bytes) -> tuple[str, int]:
    """Host and port of a CONNECT request's head.

    >>> target(b"CONNECT 127.96.0.9:443 HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
    ('127.96.0.9', 443)
    """
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or words[0] != "CONNECT":
        raise Malformed("this socket answers `CONNECT host:port HTTP/1.1` only")
    host, _, port = words[1].rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise Malformed(f"CONNECT target {words[1]!r} is not host:port")
    return host, int(port)


def _refuse(writer: asyncio.StreamWriter, status: int, why: str) -> None:
    reason = " ".join(why.split()).encode("ascii", "replace")
    head = b"HTTP/1.1 %d %b\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    writer.write(head % (status, reason, len(reason) + 1) + reason + b"\n")
    writer.close()
