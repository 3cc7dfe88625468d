"""A collection of the Kubernetes API kept up to date, and one log line for a failure that goes on."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import httpx

from corral.embedded.kube import Api, ApiError, Object

EXPIRED = 410
LONGEST_BACKOFF_SECONDS = 5.0
LOG_INTERVAL_SECONDS = 60.0

log = logging.getLogger("corral.kube")


class Outage:
    """Log lines about a failure that goes on: its first occurrence, each new cause, then one a minute."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._cause = ""
        self._logged = 0.0

    def failed(self, error: Exception) -> None:
        """Log `error` unless the same was logged within the last minute."""
        cause = f"{type(error).__name__}: {error}"
        now = time.monotonic()
        if cause != self._cause or now - self._logged >= LOG_INTERVAL_SECONDS:
            log.warning("%s: retrying after %s", self._subject, cause)
            self._cause, self._logged = cause, now

    def over(self) -> None:
        """Log the recovery, when a failure was logged."""
        if self._cause:
            log.info("%s: recovered", self._subject)
            self._cause = ""


OnChange = Callable[[Literal["set", "gone"], Object], Awaitable[None] | None]


class Informer:
    """A collection kept up to date: lists, watches, and starts again when the server was away.

    `on_change` is called with `set` or `gone` and the object, one call at a time. When it raises
    `ApiError` or `httpx.TransportError` the object is handed in again after a short pause; any other
    error ends `run`.
    """

    def __init__(self, api: Api, path: str, on_change: OnChange | None = None, **params: Any) -> None:
        self.items: dict[tuple[str, str], Object] = {}
        self.synced = asyncio.Event()
        self._api = api
        self._path = path
        self._on_change = on_change
        self._params = params
        self._unhandled: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Follow the collection until cancelled."""
        pause = 0.1
        outage = Outage(self._path)
        while True:
            try:
                version = await self._list()
                outage.over()
                pause = 0.1
                while True:
                    version = await self._follow(version)
            except (ApiError, httpx.TransportError) as error:
                if not (isinstance(error, ApiError) and error.status == EXPIRED):
                    outage.failed(error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_BACKOFF_SECONDS)

    async def _list(self) -> str:
        items, version = await self._api.snapshot(self._path, **self._params)
        fresh = {key_of(item): item for item in items}
        for key in [key for key in self.items if key not in fresh]:
            await self._gone(self.items[key])
        for key, item in fresh.items():
            old = self.items.get(key)
            if old is not None and key not in self._unhandled and _version(old) == _version(item):
                continue
            if old is not None and old["metadata"].get("uid") != item["metadata"].get("uid"):
                await self._gone(old)
            await self._set(item)
        self.synced.set()
        return version

    async def _follow(self, version: str) -> str:
        async for event in self._api.changes(self._path, version, **self._params):
            if event.kind == "DELETED":
                await self._gone(event.object)
            elif event.kind != "BOOKMARK":
                await self._set(event.object)
            version = _version(event.object)
        return version

    async def _set(self, item: Object) -> None:
        key = key_of(item)
        self.items[key] = item
        self._unhandled.add(key)
        await self._notify("set", item)
        self._unhandled.discard(key)

    async def _gone(self, item: Object) -> None:
        await self._notify("gone", item)
        self.items.pop(key_of(item), None)
        self._unhandled.discard(key_of(item))

    async def _notify(self, kind: Literal["set", "gone"], item: Object) -> None:
        if self._on_change is None:
            return
        waiting = self._on_change(kind, item)
        if waiting is not None:
            await waiting


def key_of(item: Object) -> tuple[str, str]:
    """Namespace (empty when cluster-scoped) and name."""
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]


def _version(item: Object) -> str:
    return str(item["metadata"].get("resourceVersion", ""))
