"""Model files on a Hugging Face hub, or on what speaks its API (`HF_ENDPOINT`, `HF_TOKEN`)."""

import json
import os
import re
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, cast
from urllib.parse import quote

import httpx

from corral.catalogue.vocabulary import SourceScheme
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Say, parts, relative
from corral.tools.sources.transfer import Part, client, content, http_part, repeated, unheard

ENDPOINT = "https://huggingface.co"
COMMIT = re.compile(r"[0-9a-f]{40}")
REASONS = {401: "wants a token", 403: "access is not granted to this token", 404: "not there"}


def hub_source(rest: str) -> "HubSource":
    """A source `hf://ORGANISATION/NAME[@REVISION]`.

    Raises:
        ToolFailure: it names no repository.
    """
    match = parts(SourceScheme.HUB, rest)
    return HubSource(match["name"], match["revision"] or "main")


class HubSource:
    """A repository at a revision: a commit, a tag or a branch."""

    def __init__(self, name: str, revision: str):
        self._name, self._revision = name, revision
        self._endpoint = (os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")

    def listing(self) -> Listing:
        """Every file, with its SHA-256 where the hub keeps it: of what git does not hold itself."""
        answer = self._repository()
        siblings = cast(list[dict[str, Any]], answer.get("siblings") or [])
        files = [_listed(one) for one in siblings]
        commit = str(answer.get("sha", ""))
        if not files or not COMMIT.fullmatch(commit):
            raise ToolFailure(f"{self._uri()}: the hub lists no file of a commit")
        return Listing(commit, tuple(files))

    def read(self, name: str, notes: Say) -> Iterator[bytes]:
        path = quote(relative(name).as_posix())
        url = f"{self._endpoint}/{self._name}/resolve/{quote(self._revision, safe='')}/{path}"

        def open_at(offset: int, version: str | None) -> AbstractContextManager[Part]:
            return self._opened(url, offset, version)

        yield from content(open_at, f"{name} of {self._uri()}", notes)

    def _repository(self) -> dict[str, Any]:
        url = f"{self._endpoint}/api/models/{self._name}/revision/{quote(self._revision, safe='')}?blobs=true"

        def answer() -> bytes:
            with self._opened(url) as part:
                return b"".join(part.chunks)

        try:
            return cast(dict[str, Any], json.loads(repeated(self._uri(), answer, unheard)))
        except ValueError:
            raise ToolFailure(f"{self._uri()}: the hub's answer is no JSON") from None

    @contextmanager
    def _opened(self, url: str, offset: int = 0, version: str | None = None) -> Generator[Part]:
        token = os.environ.get("HF_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with (
                client() as http,
                http_part(http, url, headers, self._refused, offset, version) as part,
            ):
                yield part
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ToolFailure(f"{self._uri()}: unreachable: {type(error).__name__}") from error

    def _refused(self, status: int) -> ToolFailure:
        return ToolFailure(f"{self._uri()}: {REASONS.get(status, f'answers {status}')}")

    def _uri(self) -> str:
        return f"hf://{self._name}@{self._revision}"


def _listed(entry: dict[str, Any]) -> Listed:
    large = cast(dict[str, Any], entry.get("lfs") or {})
    return Listed(
        str(entry["rfilename"]), int(large.get("size") or entry.get("size") or 0), large.get("sha256")
    )
