"""Asking a registry for a digest: OCI distribution with anonymous tokens, and Helm repository indexes."""

import hashlib
import re
import time
from collections.abc import Collection, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import yaml

from corral.catalogue import authorities, yamls

TIMEOUT = httpx.Timeout(10.0)
BODY_SECONDS = 60
"""How long one answer may take, however steadily it comes."""
OK = 200
UNAUTHORIZED = 401
MANIFEST_BYTES = 4 << 20
INDEX_BYTES = 64 << 20
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
ACCEPT = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
DOCKER = {"docker.io": "registry-1.docker.io"}
"""Registries whose API answers under another name."""


class Unresolved(Exception):
    """No digest for this reference; the text is the reason."""


def client() -> httpx.Client:
    """A client of registries."""
    return authorities.client(TIMEOUT)


def resolve(reference: str, http: httpx.Client, insecure: Collection[str] = ()) -> str:
    """`sha256:…` of `reference`.

    `reference` is `host/path:tag`, `oci://host/path/chart:version` or `https://repository/chart:version`.
    Hosts in `insecure` (`host` or `host:port`) are asked over plain HTTP.

    Raises:
        Unresolved: the registry cannot be reached, does not have it, or wants credentials.
    """
    base, colon, version = reference.rpartition(":")
    if not colon or "/" in version:
        raise Unresolved("no tag")
    try:
        if base.startswith(("https://", "http://")):
            return _from_index(base, version, http)
        host, _, path = base.removeprefix("oci://").partition("/")
        return _from_registry(host, path, version, http, insecure)
    except httpx.TimeoutException:
        raise Unresolved(f"no answer within {TIMEOUT.read:.0f} s") from None
    except httpx.HTTPError as error:
        raise Unresolved(f"unreachable: {type(error).__name__}") from None


def _from_registry(host: str, path: str, tag: str, http: httpx.Client, insecure: Collection[str]) -> str:
    scheme = "http" if host in insecure else "https"
    url = f"{scheme}://{DOCKER.get(host, host)}/v2/{path}/manifests/{tag}"
    headers = {"Accept": ACCEPT}
    answer = http.head(url, headers=headers)
    if answer.status_code == UNAUTHORIZED:
        headers["Authorization"] = f"Bearer {anonymous_token(answer, path, http, insecure)}"
        answer = http.head(url, headers=headers)
    _expect(answer)
    stated = answer.headers.get("Docker-Content-Digest", "")
    if DIGEST.fullmatch(stated):
        return stated
    return f"sha256:{hashlib.sha256(body(http, url, headers, MANIFEST_BYTES)).hexdigest()}"


def anonymous_token(
    answer: httpx.Response,
    path: str,
    http: httpx.Client,
    insecure: Collection[str],
    login: tuple[str, str] | None = None,
) -> str:
    """A token, as the challenge in `answer` says: an anonymous one, or that of `login`, user and password.

    Raises:
        Unresolved: there is none to be had, or it would travel in plain text.
    """
    challenge = answer.headers.get("WWW-Authenticate", "")
    fields: dict[str, str] = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    realm = fields.get("realm", "")
    if not challenge.lower().startswith("bearer ") or not realm:
        raise Unresolved("wants credentials")
    place = urlsplit(realm)
    if place.scheme != "https" and place.netloc not in insecure:
        raise Unresolved("sends its tokens over plain HTTP")
    scope = fields.get("scope") or f"repository:{path}:pull"
    query = {key: value for key, value in (("service", fields.get("service")), ("scope", scope)) if value}
    response = http.get(realm, params=query) if login is None else http.get(realm, params=query, auth=login)
    _expect(response)
    try:
        content = cast("Mapping[str, Any]", response.json())
        token = content.get("token") or content.get("access_token")
    except (ValueError, AttributeError):
        token = None
    if not isinstance(token, str):
        raise Unresolved("gave no token")
    return token


def index_entry(repository: str, name: str, version: str, http: httpx.Client) -> Mapping[str, Any]:
    """What the index of a Helm repository says about one chart.

    Raises:
        Unresolved: it has no such chart, or is no index.
    """
    try:
        index = yamls.load(body(http, f"{repository}/index.yaml", {}, INDEX_BYTES))
        entries = cast("list[dict[str, Any]]", index["entries"].get(name, []))
    except (yaml.YAMLError, TypeError, KeyError, AttributeError):
        raise Unresolved("its index.yaml is no Helm index") from None
    bare = version.removeprefix("v")
    for entry in entries:
        if str(entry.get("version", "")).removeprefix("v") == bare:
            return entry
    raise Unresolved("not in its index")


def _from_index(base: str, version: str, http: httpx.Client) -> str:
    repository, _, name = base.rpartition("/")
    return stated_digest(index_entry(repository, name, version, http))


def stated_digest(entry: Mapping[str, Any]) -> str:
    """The digest in an entry of an index.

    Raises:
        Unresolved: it states none.
    """
    digest = f"sha256:{str(entry.get('digest', '')).removeprefix('sha256:')}"
    if DIGEST.fullmatch(digest):
        return digest
    raise Unresolved("its index states no digest")


def manifest(host: str, path: str, reference: str, http: httpx.Client, insecure: Collection[str]) -> bytes:
    """The manifest of a tag or digest.

    Raises:
        Unresolved: the registry does not have it, or wants credentials.
    """
    return _stored(host, path, f"manifests/{reference}", http, insecure, MANIFEST_BYTES)


def blob(
    host: str, path: str, digest: str, http: httpx.Client, insecure: Collection[str], limit: int
) -> bytes:
    """A blob of at most `limit` bytes; raises as `manifest` does."""
    return _stored(host, path, f"blobs/{digest}", http, insecure, limit)


def _stored(
    host: str, path: str, what: str, http: httpx.Client, insecure: Collection[str], limit: int
) -> bytes:
    url = f"{'http' if host in insecure else 'https'}://{DOCKER.get(host, host)}/v2/{path}/{what}"
    headers = {"Accept": f"{ACCEPT}, */*"}
    answer = http.head(url, headers=headers)
    if answer.status_code == UNAUTHORIZED:
        headers["Authorization"] = f"Bearer {anonymous_token(answer, path, http, insecure)}"
    return body(http, url, headers, limit)


def body(http: httpx.Client, url: str, headers: Mapping[str, str], limit: int) -> bytes:
    """What `url` answers, at most `limit` bytes.

    Raises:
        Unresolved: it is longer, takes too long, or is refused.
    """
    content, end = bytearray(), time.monotonic() + BODY_SECONDS
    with http.stream("GET", url, headers=dict(headers)) as answer:
        _expect(answer)
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > limit:
                raise Unresolved(f"an answer of more than {limit >> 20} MiB")
            if time.monotonic() > end:
                raise Unresolved(f"an answer of more than {BODY_SECONDS} s")
    return bytes(content)


def _expect(answer: httpx.Response) -> None:
    known = {401: "wants credentials", 403: "wants credentials", 404: "not there", 429: "asks to slow down"}
    if answer.status_code != OK:
        raise Unresolved(known.get(answer.status_code, f"answers {answer.status_code}"))
