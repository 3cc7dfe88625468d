"""A loopback HTTP server and an empty toolchain for the tests of this folder."""

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.doubles.servers import Handler, listening

from corral.embedded.toolchain import ToolMissing, tool
from corral.embedded.toolchain.builder import Builder


class Site(Handler):
    """Files served on loopback, with a record of what was requested."""

    files: dict[str, bytes]
    asked: list[str]
    url: str

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.split("?")[0]
        self.answer(200 if path in self.files else 404, self.files.get(path, b""))


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
def site() -> Iterator[type[Site]]:
    handler = type("Here", (Site,), {"files": {}, "asked": []})
    with listening(handler) as address:
        handler.url = f"http://{address}"
        yield handler


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
def builder(toolchain: Path) -> Builder:
    def no_go(_builder: Builder) -> Path:
        raise AssertionError("no Go is needed here")

    held = Builder(toolchain, no_go, lambda line: None)
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
