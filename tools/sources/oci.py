"""Model files as layers of an OCI artifact, each named by its annotation `org.opencontainers.image.title`.

`OCI_USERNAME` and `OCI_PASSWORD` log in to the registry where it asks for that.
"""

import base64
import hashlib
import json
import os
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import Any, cast

import httpx

from corral.catalogue.registry import Unresolved, anonymous_token
from corral.catalogue.vocabulary import SourceScheme
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Say, parts
from corral.tools.sources.transfer import (
    CONNECT_ATTEMPTS,
    Broken,
    Part,
    client,
    content,
    http_part,
    repeated,
    unheard,
)

TITLE = "org.opencontainers.image.title"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PACKED = ("tar", "tar+gzip", "tar+zstd")
UNAUTHORIZED = 401
REASONS = {401: "wants credentials", 403: "wants credentials", 404: "not there"}


def oci_source(rest: str) -> "OciSource":
    """A source `oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]`.

    Registries named in `CORRAL_INSECURE_REGISTRIES` (comma-separated) are asked over plain HTTP.

    Raises:
        ToolFailure: it names no artifact.
    """
    match = parts(SourceScheme.OCI, rest)
    return OciSource(match["host"], match["path"], match["digest"] or match["tag"])


class OciSource:
    """An artifact whose layers are plain files."""

    def __init__(self, host: str, path: str, reference: str):
        self._uri = f"oci://{host}/{path}{'@' if reference.startswith('sha256:') else ':'}{reference}"
        self._insecure = os.environ.get("CORRAL_INSECURE_REGISTRIES", "").split(",")
        scheme = "http" if host in self._insecure else "https"
        self._base, self._path, self._reference = f"{scheme}://{host}/v2/{path}", path, reference

    def listing(self) -> Listing:
        digest, layers = self._manifest
        return Listing(
            digest,
            tuple(
                Listed(name, int(layer["size"]), str(layer["digest"]).removeprefix("sha256:"))
                for name, layer in layers.items()
            ),
        )

    def read(self, name: str, notes: Say) -> Iterator[bytes]:
        _digest, layers = self._manifest
        if name not in layers:
            raise ToolFailure(f"{self._uri}: no file {name}; it has {', '.join(layers)}")
        blob = f"blobs/{layers[name]['digest']}"

        def open_at(offset: int, version: str | None) -> AbstractContextManager[Part]:
            return self._opened(blob, {}, offset, version)

        yield from content(open_at, f"{name} of {self._uri}", notes)

    @cached_property
    def _manifest(self) -> tuple[str | None, dict[str, dict[str, Any]]]:
        def answer() -> bytes:
            with self._opened(f"manifests/{self._reference}", {"Accept": MANIFEST}) as part:
                return b"".join(part.chunks)

        text = repeated(self._uri, answer, unheard)
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        if self._reference.startswith("sha256:") and digest != self._reference:
            raise ToolFailure(f"{self._uri}: the registry sends a manifest with digest {digest}")
        try:
            manifest = cast(dict[str, Any], json.loads(text))
        except ValueError:
            raise ToolFailure(f"{self._uri}: its manifest is no JSON") from None
        layers = cast(list[dict[str, Any]], manifest.get("layers") or [])
        packed = [one for one in layers if str(one.get("mediaType", "")).endswith(PACKED)]
        if packed:
            raise ToolFailure(
                f"{self._uri}: its layers are archives; push the files themselves, as oras does"
            )
        named = {str(one.get("annotations", {}).get(TITLE, "")): one for one in layers}
        if not named or "" in named:
            raise ToolFailure(
                f"{self._uri}: a layer without {TITLE}; push the files themselves, as oras does"
            )
        return digest, named

    def _authorization(self, challenge: httpx.Response, http: httpx.Client) -> str:
        user, password = os.environ.get("OCI_USERNAME"), os.environ.get("OCI_PASSWORD")
        login = (user, password) if user and password else None
        if login and challenge.headers.get("WWW-Authenticate", "").lower().startswith("basic"):
            return f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"
        return f"Bearer {anonymous_token(challenge, self._path, http, self._insecure, login)}"

    @contextmanager
    def _opened(
        self, rest: str, headers: dict[str, str], offset: int = 0, version: str | None = None
    ) -> Generator[Part]:
        url = f"{self._base}/{rest}"
        try:
            with client() as http:
                challenge = _challenge(http, url, headers)
                if challenge is not None:
                    headers = {**headers, "Authorization": self._authorization(challenge, http)}
                # A blob is named by its digest: what is behind the name cannot become another.
                pin = rest if rest.startswith("blobs/") else None
                with http_part(http, url, headers, self._refused, offset, version, pin=pin) as part:
                    yield part
        except Unresolved as error:
            raise ToolFailure(f"{self._uri}: {error}") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ToolFailure(f"{self._uri}: unreachable: {type(error).__name__}") from error

    def _refused(self, status: int) -> ToolFailure:
        return ToolFailure(f"{self._uri}: {REASONS.get(status, f'answers {status}')}")


def _challenge(http: httpx.Client, url: str, headers: dict[str, str]) -> httpx.Response | None:
    """The answer of a registry that asks for a login; None: it asks for none."""
    try:
        answer = http.head(url, headers=headers)
    except httpx.TransportError as error:
        raise Broken("no connection", attempts=CONNECT_ATTEMPTS) from error
    return answer if answer.status_code == UNAUTHORIZED else None
