"""A small asynchronous client of the Kubernetes API: dicts in, dicts out."""

import asyncio
import base64
import contextlib
import json
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import httpx
import yaml

Object = dict[str, Any]
"""A Kubernetes object as the API server writes it."""
Objects = list[Object]

PatchKind = Literal["merge", "json", "strategic", "apply"]
CONTENT_TYPES: Mapping[str, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}
WATCH_SECONDS = 240
DEFERRALS = 10
"""How often a request is sent again because the server asked for that, as in client-go."""
LONGEST_DEFERRAL_SECONDS = 10.0


class ApiError(Exception):
    """The API server refused; `status` is the HTTP status, `reason` Kubernetes' word for it."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def missing(self) -> bool:
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """The object exists already, or changed since it was read."""
        return self.status == 409

    @property
    def temporary(self) -> bool:
        """Whether the same request may be accepted later."""
        return self.status in (408, 429) or self.status >= 500


@dataclass(frozen=True)
class Event:
    """One event of a watch; `kind` is ADDED, MODIFIED, DELETED or BOOKMARK."""

    kind: str
    object: Object


def resource(
    group_version: str,
    plural: str,
    namespace: str | None = None,
    name: str | None = None,
    sub: str | None = None,
) -> str:
    """Path of a resource on the API server.

    >>> resource("v1", "pods", "llm", "chat", "status")
    '/api/v1/namespaces/llm/pods/chat/status'
    >>> resource("apps/v1", "deployments")
    '/apis/apps/v1/deployments'
    """
    root = "/apis" if "/" in group_version else "/api"
    parts = [root, group_version, *(("namespaces", namespace) if namespace else ()), plural, name, sub]
    return "/".join(part for part in parts if part)


class Api:
    """One API server, as one identity."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @classmethod
    def connect(cls, kubeconfig: Path, *, user_agent: str) -> "Api":
        """Client for the current context of `kubeconfig`; nothing is sent yet.

        Raises:
            OSError: the file, or one it names, cannot be read.
            ValueError: it has no usable current context.
        """
        cluster, user = _current(kubeconfig)
        headers = {"User-Agent": user_agent, "Accept": "application/json"}
        token = _inline_or_file(user, "token", "tokenFile")
        if token:
            headers["Authorization"] = f"Bearer {token.strip()}"
        return cls(
            httpx.AsyncClient(
                base_url=str(cluster["server"]),
                verify=_tls(cluster, user),
                headers=headers,
                trust_env=False,
                timeout=httpx.Timeout(30.0, pool=None),
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            )
        )

    async def get(self, path: str, **params: Any) -> Object:
        """The object at `path`; raises `ApiError`, `.missing` when there is none."""
        return await self._send("GET", path, params=params)

    async def list(self, path: str, **params: Any) -> Objects:
        """All items of a collection, each with its apiVersion and kind."""
        items, _version = await self.snapshot(path, **params)
        return items

    async def snapshot(self, path: str, **params: Any) -> tuple[Objects, str]:
        """All items of a collection, and the resourceVersion to watch from."""
        collection = await self._send("GET", path, params=params)
        kind = str(collection.get("kind", "")).removesuffix("List")
        head = {"apiVersion": collection.get("apiVersion"), "kind": kind}
        items = [{**head, **item} for item in cast(Objects, collection.get("items") or [])]
        return items, str(collection["metadata"]["resourceVersion"])

    async def create(self, path: str, body: Object, **params: Any) -> Object:
        """Create; raises `ApiError`, `.conflict` when it exists."""
        return await self._send("POST", path, params=params, body=body)

    async def patch(
        self,
        path: str,
        body: Object | Objects,
        *,
        kind: PatchKind = "merge",
        field_manager: str = "corral-node",
    ) -> Object:
        """Patch; kind `apply` is a forced server-side apply."""
        params: Object = {"fieldManager": field_manager}
        if kind == "apply":
            params["force"] = "true"
        return await self._send("PATCH", path, params=params, body=body, content_type=CONTENT_TYPES[kind])

    async def replace(self, path: str, body: Object, **params: Any) -> Object:
        return await self._send("PUT", path, params=params, body=body)

    async def delete(self, path: str, body: Object | None = None) -> None:
        """Delete; an object that is not there is fine."""
        try:
            await self._send("DELETE", path, body=body)
        except ApiError as error:
            if not error.missing:
                raise

    async def watch(self, path: str, **params: Any) -> AsyncIterator[Event]:
        """The events after one list: every item as ADDED first, then changes until the server ends the watch.

        Raises:
            ApiError: the watch was refused or ended by an error event (410: list again).
            httpx.TransportError: the server is gone.
        """
        items, version = await self.snapshot(path, **params)
        for item in items:
            yield Event("ADDED", item)
        async for event in self.changes(path, version, **params):
            if event.kind != "BOOKMARK":
                yield event

    async def changes(self, path: str, version: str, **params: Any) -> AsyncIterator[Event]:
        """The events after `version`, bookmarks included, until the server ends the watch."""
        query = _query(
            {
                **params,
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": version,
                "timeoutSeconds": WATCH_SECONDS,
            }
        )
        timeout = httpx.Timeout(30.0, read=WATCH_SECONDS + 30.0, pool=None)
        request = self._client.build_request("GET", path, params=query, timeout=timeout)
        answer = await self._deferred(request, stream=True)
        async with contextlib.aclosing(answer):
            if answer.status_code >= 400:
                await answer.aread()
                raise _error(answer)
            async for line in answer.aiter_lines():
                if not line.strip():
                    continue
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _status_error(event["object"], int(event["object"].get("code", 500)))
                yield Event(event["type"], event["object"])

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Object | Objects | None = None,
        content_type: str = "application/json",
    ) -> Object:
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": content_type}
        request = self._client.build_request(
            method, path, params=_query(params or {}), content=content, headers=headers
        )
        answer = await self._deferred(request)
        if answer.status_code >= 400:
            raise _error(answer)
        return cast(Object, answer.json())

    async def _deferred(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response:
        """The answer to `request`, sent again as long as `Retry-After` says so, at most `DEFERRALS` times."""
        answer = await self._client.send(request, stream=stream)
        for _ in range(DEFERRALS):
            seconds = retry_after(answer)
            if seconds is None:
                break
            await answer.aclose()
            await asyncio.sleep(seconds)
            answer = await self._client.send(request, stream=stream)
        return answer


def _query(params: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in params.items() if value is not None}


def retry_after(answer: httpx.Response) -> float | None:
    """Seconds after which the server invites the same request; None when it does not."""
    if answer.status_code != 429 and answer.status_code < 500:
        return None
    try:
        return min(max(float(answer.headers["Retry-After"]), 0.0), LONGEST_DEFERRAL_SECONDS)
    except (KeyError, ValueError):
        return None


def _error(answer: httpx.Response) -> ApiError:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    return _status_error(cast(Object, body), answer.status_code, answer.text[:300])


def _status_error(status: Object, code: int, text: str = "") -> ApiError:
    return ApiError(code, str(status.get("reason") or "Unknown"), str(status.get("message") or text))


def _current(kubeconfig: Path) -> tuple[Object, Object]:
    document = yaml.safe_load(kubeconfig.read_text())
    if not isinstance(document, dict):
        raise ValueError(f"{kubeconfig}: not a kubeconfig")
    config = cast(Object, document)

    def named(section: str, name: str) -> Object:
        for entry in cast(Objects, config.get(section) or []):
            if entry["name"] == name:
                return cast(Object, entry[section.removesuffix("s")] or {})
        raise ValueError(f"{kubeconfig}: no entry {name!r} under {section}")

    context = named("contexts", str(config.get("current-context", "")))
    return named("clusters", context["cluster"]), named("users", context["user"])


def _inline_or_file(entry: Object, inline: str, file: str) -> str | None:
    if entry.get(inline):
        return str(entry[inline])
    return Path(entry[file]).read_text() if entry.get(file) else None


def _data_or_file(entry: Object, name: str) -> str | None:
    data = entry.get(f"{name}-data")
    if data:
        return base64.b64decode(data).decode()
    return Path(entry[name]).read_text() if entry.get(name) else None


def _tls(cluster: Object, user: Object) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=_data_or_file(cluster, "certificate-authority"))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _data_or_file(user, "client-certificate"), _data_or_file(user, "client-key")
    if certificate and key:
        # ssl reads client certificates from files only; this one is private and gone at once.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
            pair.write(certificate + "\n" + key)
            pair.flush()
            context.load_cert_chain(pair.name)
    return context
