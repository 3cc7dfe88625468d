"""Verified downloads over HTTP, given up on quickly where the network has none."""

import hashlib
import platform
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from corral.embedded.toolchain.errors import SourceUnavailable, ToolchainError

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 3.0
READ_SECONDS = 60.0
NO_DOWNLOADS = "no release downloads from here"
SHA256 = re.compile(r"\b[0-9a-fA-F]{64}\b")


class ReleaseAccess:
    """Release downloads of one run: the first host that cannot be reached ends them all."""

    def __init__(self) -> None:
        self.reachable: bool | None = None
        """None until the first attempt."""
        self._client: httpx.Client | None = None

    @property
    def client(self) -> "httpx.Client":
        # Of every command that looks up a program few download one.
        import httpx

        if self._client is None:
            timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
            self._client = httpx.Client(timeout=timeout, follow_redirects=True)
        return self._client

    def probe(self, url: str) -> bool:
        """Whether releases can be downloaded at all, tried once per run with the host of `url`."""
        import httpx

        if self.reachable is None:
            try:
                self.client.head(url)
                self.reachable = True
            except httpx.TransportError:
                self.reachable = False
        return self.reachable

    @contextmanager
    def stream(self, url: str) -> Generator["httpx.Response"]:
        """The successful response to a GET, its body unread.

        Raises:
            SourceUnavailable: no connection, or an answer that is not a success.
        """
        import httpx

        if self.reachable is False:
            raise SourceUnavailable(NO_DOWNLOADS)
        try:
            with self.client.stream("GET", url) as response:
                self.reachable = True
                if not response.is_success:
                    raise SourceUnavailable(f"{url}: HTTP {response.status_code}")
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            self.reachable = False
            raise SourceUnavailable(f"{NO_DOWNLOADS} ({error})") from error
        except httpx.TransportError as error:
            raise SourceUnavailable(f"{url}: {error}") from error

    def text(self, url: str) -> str:
        with self.stream(url) as response:
            return response.read().decode()

    def file(self, url: str, sha256: str, target: Path) -> None:
        """Download `url` to `target`.

        Raises:
            SourceUnavailable: it cannot be had here.
            ToolchainError: what came has another SHA-256; nothing is left at `target`.
        """
        total = hashlib.sha256()
        with self.stream(url) as response, target.open("wb") as out:
            for piece in response.iter_bytes(1 << 20):
                total.update(piece)
                out.write(piece)
        if total.hexdigest() != sha256.lower():
            target.unlink()
            raise ToolchainError(f"{url}: SHA-256 is {total.hexdigest()}, published is {sha256}; not used")


def published_sha256(text: str, file_name: str) -> str:
    """The SHA-256 of `file_name` in a checksum file: a bare sum, or lines of sum and name.

    Raises:
        SourceUnavailable: the file is not listed.
    """
    lines = [line.split() for line in text.splitlines() if SHA256.search(line)]
    named = {fields[-1].lstrip("*").rsplit("/", 1)[-1]: fields[0] for fields in lines if len(fields) > 1}
    bare = [fields[0] for fields in lines if len(fields) == 1]
    if file_name in named:
        return named[file_name]
    if len(bare) == 1:
        return bare[0]
    raise SourceUnavailable(f"no SHA-256 of {file_name} is published")


def architecture() -> str:
    """This machine in Go's words, `amd64` or `arm64`."""
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def expand(template: str, version: str) -> str:
    """Fill `{version}`, `{arch}` (amd64, arm64) and `{cpu}` (x64, arm64) into a URL or path."""
    arch = architecture()
    return template.format(version=version, arch=arch, cpu={"amd64": "x64"}.get(arch, arch))
