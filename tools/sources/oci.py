"""Model files as layers of an OCI artifact, each named by its annotation `org.opencontainers.image.title`."""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import httpx

from corral.catalogue.registry import Unresolved, anonymous_token
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, inside, save

REFERENCE = re.compile(
    r"(?P<host>[\w.-]+(?::\d+)?)/(?P<path>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
TITLE = "org.opencontainers.image.title"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PACKED = ("tar", "tar+gzip", "tar+zstd")
OK = 200
UNAUTHORIZED = 401
TIMEOUT = httpx.Timeout(10.0, read=120.0)
REASONS = {401: "wants credentials", 403: "wants credentials", 404: "not there"}


def oci_source(rest: str, store: Any) -> "OciSource":
    """A source `oci://REGISTRY/REPOSITORY[:TAG|@DIGEST]`.

    Registries named in `CORRAL_INSECURE_REGISTRIES` (comma-separated) are asked over plain HTTP.

    Raises:
        ToolFailure: it names no artifact.
    """
    match = REFERENCE.fullmatch(rest)
    if match is None or not (match["tag"] or match["digest"]):
        raise ToolFailure(f"oci://{rest}: expected oci://REGISTRY/REPOSITORY:TAG or …@sha256:DIGEST")
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

    def fetch(self, name: str, scratch: Path) -> Path:
        _digest, layers = self._manifest
        if name not in layers:
            raise ToolFailure(f"{self._uri}: no file {name}; it has {', '.join(layers)}")
        target = inside(scratch, name)
        with self._opened(f"blobs/{layers[name]['digest']}") as answer:
            save(answer.iter_bytes(1 << 20), target)
        return target

    @cached_property
    def _manifest(self) -> tuple[str | None, dict[str, dict[str, Any]]]:
        with self._opened(f"manifests/{self._reference}", Accept=MANIFEST) as answer:
            answer.read()
            digest = answer.headers.get("Docker-Content-Digest")
            try:
                found = cast(dict[str, Any], answer.json())
            except ValueError:
                raise ToolFailure(f"{self._uri}: its manifest is no JSON") from None
        layers = cast(list[dict[str, Any]], found.get("layers") or [])
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

    @contextmanager
    def _opened(self, rest: str, **headers: str) -> Generator[httpx.Response]:
        url = f"{self._base}/{rest}"
        try:
            with httpx.Client(timeout=TIMEOUT, follow_redirects=True, max_redirects=5) as http:
                challenge = http.head(url, headers=headers)
                if challenge.status_code == UNAUTHORIZED:
                    token = anonymous_token(challenge, self._path, http, self._insecure)
                    headers = {**headers, "Authorization": f"Bearer {token}"}
                with http.stream("GET", url, headers=headers) as answer:
                    if answer.status_code != OK:
                        reason = REASONS.get(answer.status_code, f"answers {answer.status_code}")
                        raise ToolFailure(f"{self._uri}: {reason}")
                    yield answer
        except Unresolved as error:
            raise ToolFailure(f"{self._uri}: {error}") from error
        except httpx.HTTPError as error:
            raise ToolFailure(f"{self._uri}: unreachable: {type(error).__name__}") from error
