"""Model files on a Hugging Face hub, or on what speaks its API (`HF_ENDPOINT`, `HF_TOKEN`)."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import httpx

from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, inside, save

ENDPOINT = "https://huggingface.co"
REPOSITORY = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?/?")
COMMIT = re.compile(r"[0-9a-f]{40}")
OK = 200
TIMEOUT = httpx.Timeout(10.0, read=120.0)
REASONS = {401: "wants a token", 403: "access is not granted to this token", 404: "not there"}


def hub_source(rest: str, store: Any) -> "HubSource":
    """A source `hf://ORGANISATION/NAME[@REVISION]`.

    Raises:
        ToolFailure: it names no repository.
    """
    match = REPOSITORY.fullmatch(rest)
    if match is None:
        raise ToolFailure(f"hf://{rest}: expected hf://ORGANISATION/NAME[@REVISION]")
    return HubSource(match["name"], match["revision"] or "main")


class HubSource:
    """A repository at a revision: a commit, a tag or a branch."""

    def __init__(self, name: str, revision: str):
        self._name, self._revision = name, revision
        self._endpoint = os.environ.get("HF_ENDPOINT", ENDPOINT).rstrip("/")

    def listing(self) -> Listing:
        """Every file, with its SHA-256 where the hub keeps it: of what git does not hold itself."""
        answer = self._repository()
        siblings = cast(list[dict[str, Any]], answer.get("siblings") or [])
        files = [_listed(one) for one in siblings]
        commit = str(answer.get("sha", ""))
        if not files or not COMMIT.fullmatch(commit):
            raise ToolFailure(f"{self._uri()}: the hub lists no file of a commit")
        return Listing(commit, tuple(files))

    def fetch(self, name: str, scratch: Path) -> Path:
        target = inside(scratch, name)
        url = f"{self._endpoint}/{self._name}/resolve/{quote(self._revision, safe='')}/{quote(name)}"
        with self._opened(url) as answer:
            save(answer.iter_bytes(1 << 20), target)
        return target

    def _repository(self) -> dict[str, Any]:
        url = f"{self._endpoint}/api/models/{self._name}/revision/{quote(self._revision, safe='')}?blobs=true"
        with self._opened(url) as answer:
            answer.read()
            try:
                return cast(dict[str, Any], answer.json())
            except ValueError:
                raise ToolFailure(f"{self._uri()}: the hub's answer is no JSON") from None

    @contextmanager
    def _opened(self, url: str) -> Generator[httpx.Response]:
        token = os.environ.get("HF_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with (
                httpx.Client(timeout=TIMEOUT, follow_redirects=True, max_redirects=5) as http,
                http.stream("GET", url, headers=headers) as answer,
            ):
                if answer.status_code != OK:
                    reason = REASONS.get(answer.status_code, f"answers {answer.status_code}")
                    raise ToolFailure(f"{self._uri()}: {reason}")
                yield answer
        except httpx.HTTPError as error:
            raise ToolFailure(f"{self._uri()}: unreachable: {type(error).__name__}") from error

    def _uri(self) -> str:
        return f"hf://{self._name}@{self._revision}"


def _listed(entry: dict[str, Any]) -> Listed:
    large = cast(dict[str, Any], entry.get("lfs") or {})
    return Listed(
        str(entry["rfilename"]), int(large.get("size") or entry.get("size") or 0), large.get("sha256")
    )
