"""A loopback HTTP server and an empty toolchain for the tests of this folder."""

import hashlib
import io
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from corral.embedded.toolchain import ToolMissing, tool
from corral.embedded.toolchain.workshop import Workshop


class Site:
    """Files served on loopback, with a record of what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                site.asked.append(self.path)
                path = self.path.split("?")[0]
                if path in site.files:
                    self.answer(200, site.files[path])
                else:
                    self.answer(404, b"")

            def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing: the tests read `asked`."""

        return Handler


def tar_of(files: Mapping[str, bytes]) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return held.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    yield served
    served.close()


@pytest.fixture
def toolchain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an empty toolchain; nothing else is on PATH."""
    root = tmp_path / "toolchain"
    monkeypatch.setenv("CORRAL_TOOLCHAIN", str(root))
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return root


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Puts a program on PATH that prints the given line."""

    def put(name: str, prints: str) -> Path:
        path = tmp_path / "path" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{prints}'\n")
        path.chmod(0o755)
        return path

    return put


@pytest.fixture
def workshop(toolchain: Path) -> Workshop:
    def no_go(_workshop: Workshop) -> Path:
        raise AssertionError("no Go is needed here")

    held = Workshop(toolchain, no_go, lambda line: None)
    held.scratch.mkdir(parents=True)
    return held


@pytest.fixture
def render(tmp_path: Path) -> Callable[..., str]:
    """Renders a chart with the toolchain's Helm; skips where that is not set up."""
    try:
        helm = tool("helm")
    except ToolMissing as missing:
        pytest.skip(str(missing))

    def rendered(chart: Path, *arguments: str) -> str:
        return subprocess.run(
            [helm, "template", "release", chart, "--namespace", "release", *arguments],
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    return rendered
