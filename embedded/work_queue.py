"""Work by key: what changed is looked at again, once, and failed work is tried again a few times."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import httpx

from corral.embedded.kube import ApiError

ATTEMPTS = 8
LONGEST_PAUSE_SECONDS = 5.0

Key = TypeVar("Key", bound=Hashable)


class WorkQueue(Generic[Key]):
    """Keys that wait to be worked on, each at most once, in the order they were added.

    Work that meets a refusal of the API server (a conflict, a namespace that is not there yet, a
    server that restarts) or of the file system is repeated with growing pauses, `ATTEMPTS` times;
    then it is logged and waits until its key is added again. Any other error ends `run`.
    """

    def __init__(self, work: Callable[[Key], Awaitable[None]], log: logging.Logger) -> None:
        self._reconcile = work
        self._log = log
        self._waiting: dict[Key, None] = {}
        self._failures: dict[Key, int] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._added = asyncio.Event()

    def add(self, key: Key) -> None:
        """Work on `key` soon."""
        self._waiting[key] = None
        self._added.set()

    def add_later(self, key: Key, seconds: float) -> None:
        """Work on `key` after `seconds`, in place of an earlier such request."""
        earlier = self._timers.pop(key, None)
        if earlier is not None:
            earlier.cancel()
        self._timers[key] = asyncio.get_running_loop().call_later(seconds, self._timer_fired, key)

    async def run(self) -> None:
        """Work until cancelled, one key at a time."""
        try:
            while True:
                await self._added.wait()
                self._added.clear()
                while self._waiting:
                    key = next(iter(self._waiting))
                    del self._waiting[key]
                    await self._try(key)
        finally:
            for timer in self._timers.values():
                timer.cancel()

    def _timer_fired(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    async def _try(self, key: Key) -> None:
        try:
            await self._reconcile(key)
        except (ApiError, httpx.TransportError, OSError) as cause:
            failures = self._failures.get(key, 0) + 1
            if failures < ATTEMPTS:
                self._failures[key] = failures
                self.add_later(key, min(0.1 * 2**failures, LONGEST_PAUSE_SECONDS))
                return
            self._log.error("%s: given up until it changes: %s", key, cause)
        self._failures.pop(key, None)
