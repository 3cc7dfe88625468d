"""What the API server gets from the node for `kubectl logs`: TLS and HTTP on the socket of its ways out."""

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import h11
import pytest
from tests.doubles.mirror import certificates as make_certificates

from corral.embedded.home import PlaneHome
from corral.embedded.node import kubelet
from corral.embedded.node.egress import serve
from corral.embedded.plane.control import certificates
from corral.embedded.plane.processes import Process

FIRST, SECOND = b"one\ntwo\nthree\n", b"restarted\n"
SERVER = "/containerLogs/red/chat/server"


@pytest.fixture
def home(tmp_path: Path) -> PlaneHome:
    """A plane where pod `red/chat` has run its container `server` twice."""
    home = PlaneHome(tmp_path / "home" / "dev")
    folder = home.pods / "uid" / "server"
    folder.mkdir(parents=True)
    record = {"namespace": "red", "name": "chat", "containers": ["server"]}
    (home.pods / "uid" / "pod.json").write_text(json.dumps(record))
    (folder / "0.log").write_bytes(FIRST)
    (folder / "1.log").write_bytes(SECOND)
    _authority, key_and_certificate = make_certificates(tmp_path)
    certificates(home).mkdir(parents=True)
    for name in ("admin.crt", "admin.key"):
        shutil.copy(key_and_certificate, certificates(home) / name)
    return home


class Asked:
    """One request to the kubelet of machine `whole-0`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.connection = reader, writer, h11.Connection(h11.CLIENT)

    async def next(self) -> h11.Event:
        while (event := self.connection.next_event()) is h11.NEED_DATA:
            self.connection.receive_data(await self.reader.read(4096))
        assert isinstance(event, h11.Event)
        return event

    async def rest(self) -> tuple[int, bytes]:
        head, body = await self.next(), b""
        assert isinstance(head, h11.Response)
        while isinstance(event := await self.next(), h11.Data):
            body += event.data
        return head.status_code, body


@asynccontextmanager
async def asking(home: PlaneHome, target: str, method: str = "GET") -> AsyncIterator[Asked]:
    path = home.root / "egress.sock"
    server = asyncio.create_task(serve(path, lambda *_: [], partial(kubelet.answer, home)))
    try:
        while not path.exists():
            assert not server.done(), server.exception()
            await asyncio.sleep(0)
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"CONNECT whole-0:10250 HTTP/1.1\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        # As the API server, that knows no authority of kubelets here.
        trusting = ssl.create_default_context()
        trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
        await writer.start_tls(trusting)
        asked = Asked(reader, writer)
        request = h11.Request(method=method, target=target, headers=[("Host", "whole-0")])
        for event in (request, h11.EndOfMessage()):
            writer.write(asked.connection.send(event) or b"")
        yield asked
        writer.close()
    finally:
        server.cancel()
        await asyncio.gather(server, return_exceptions=True)


def answer(home: PlaneHome, target: str, method: str = "GET") -> tuple[int, bytes]:
    async def ask() -> tuple[int, bytes]:
        async with asking(home, target, method) as asked:
            return await asked.rest()

    return asyncio.run(asyncio.wait_for(ask(), 30))


@pytest.mark.parametrize(
    ("options", "output"),
    [
        ("", SECOND),
        ("?previous=true", FIRST),
        ("?previous=true&tailLines=2", b"two\nthree\n"),
        ("?previous=true&tailLines=0", b""),
        ("?previous=true&limitBytes=5", b"one\nt"),
        ("?follow=true", SECOND),
        ("?timestamps=false", SECOND),
    ],
)
def test_the_output_of_a_run_is_what_kubectl_logs_asks_for(home: PlaneHome, options: str, output: bytes):
    assert answer(home, SERVER + options) == (200, output)


@pytest.mark.parametrize(
    ("method", "target", "status", "text"),
    [
        ("GET", "/containerLogs/red/chat/sidecar", 400, "no container 'sidecar'; it has server"),
        ("GET", "/containerLogs/red/other/server", 400, "no pod red/other has run here as a process"),
        ("GET", SERVER + "?sinceSeconds=5", 400, "keeps no time of a line: leave out sinceSeconds"),
        ("GET", SERVER + "?tailLines=few", 400, "few"),
        ("POST", "/exec/red/chat/server", 501, "answers `kubectl logs` alone, and not exec"),
        ("GET", "/containerLogs/red/../server", 400, "no pod red/.. has run here"),
    ],
)
def test_what_there_is_not_is_said(home: PlaneHome, method: str, target: str, status: int, text: str):
    got, body = answer(home, target, method)
    assert got == status and text in body.decode(), (got, body)


def test_following_shows_what_comes_and_ends_with_the_program(home: PlaneHome):
    program = subprocess.Popen(["sleep", "60"])
    found = Process.of(program.pid)
    assert found is not None
    folder = home.pods / "uid" / "server"
    (folder / "1.process.json").write_text(json.dumps({"pid": found.pid, "start": found.start}))

    async def follow() -> tuple[bytes, bytes, h11.Event]:
        async with asking(home, SERVER + "?follow=true") as asked:
            await asked.next()
            first = await asked.next()
            with (folder / "1.log").open("ab") as log:
                log.write(b"more\n")
            second = await asked.next()
            program.kill()
            program.wait()
            assert isinstance(first, h11.Data) and isinstance(second, h11.Data)
            return bytes(first.data), bytes(second.data), await asked.next()

    try:
        first, second, end = asyncio.run(asyncio.wait_for(follow(), 30))
    finally:
        program.kill()
        program.wait()
    assert (first, second) == (SECOND, b"more\n") and isinstance(end, h11.EndOfMessage)


def test_who_hangs_up_leaves_no_process_behind(home: PlaneHome):
    program = subprocess.Popen(["sleep", "60"])
    found = Process.of(program.pid)
    assert found is not None
    record = home.pods / "uid" / "server" / "1.process.json"
    record.write_text(json.dumps({"pid": found.pid, "start": found.start}))

    def followers() -> list[str]:
        listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
        return [line for line in listed.splitlines() if line.startswith("tail") and str(home.root) in line]

    async def hang_up() -> None:
        async with asking(home, SERVER + "?follow=true") as asked:
            await asked.next()
            await asked.next()
            assert followers()
            asked.writer.close()
            while followers():  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    try:
        asyncio.run(asyncio.wait_for(hang_up(), 30))
    finally:
        program.kill()
        program.wait()
