"""Bytes from one stream to another and back, with half-close and back-pressure."""

import asyncio
from collections.abc import Sequence

from corral.embedded.node.endpoints import Backend, Unreachable

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 10.0

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(backends: Sequence[Backend]) -> Stream:
    """A connection to the first of `backends` that accepts one.

    Raises:
        Unreachable: none does; the text says what each answered.
    """
    refusals: list[str] = []
    for backend in backends:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await asyncio.open_connection(backend.address, backend.port)
        except (OSError, TimeoutError) as cause:
            why = str(cause) or f"no answer within {CONNECT_SECONDS:.0f} s"
            refusals.append(f"{backend.pod} at {backend.address}:{backend.port}: {why}")
    raise Unreachable("; ".join(refusals))


async def relay(one: Stream, other: Stream) -> None:
    """Copy both ways until both sides have said all they have to say, then close both.

    A side that only stops sending still receives. There is no idle timeout; a broken connection on
    either side ends both.
    """
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(one[0], other[1]))
            both.create_task(_copy(other[0], one[1]))
    except* OSError:
        abort(one[1])
        abort(other[1])
    finally:
        one[1].close()
        other[1].close()


def abort(writer: asyncio.StreamWriter) -> None:
    """Drop the connection at once; what is not sent yet is lost."""
    writer.transport.abort()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK_BYTES):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()
