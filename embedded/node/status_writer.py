"""What a pod's status is, told to the API server until that takes it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from corral.embedded.informer import Outage
from corral.embedded.kube import Api, ApiError, Object
from corral.embedded.node.status import is_finished
from corral.embedded.objects import condition, title

log = logging.getLogger("corral.node")
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Written:
    """A status as the API server took it."""

    body: Object
    version: int
    """The pod's resourceVersion then."""

    def is_overwritten(self, pod: Object) -> bool:
        """Whether another party changed a condition since: the node controller, once a machine was silent."""
        told = {entry["type"]: entry["status"] for entry in self.body["status"]["conditions"]}
        return _version(pod) > self.version and any(
            (condition(pod, kind) or {}).get("status") != value for kind, value in told.items()
        )


def _version(pod: Object) -> int:
    return int(pod["metadata"]["resourceVersion"])


class StatusWriter:
    """Writes a pod's status, as `body` makes it, once `changed` is set, or another party changed it."""

    def __init__(self, api: Api, path: str, pod: Object, body: Callable[[], Object]) -> None:
        self.changed = asyncio.Event()
        self._api = api
        self._path = path
        self._pod = pod
        self._body = body
        self._written: Written | None = None

    def met(self, pod: Object) -> None:
        """The pod as the API server has it now."""
        self._pod = pod
        if self._written is not None and self._written.is_overwritten(pod):
            self._written = None
            self.changed.set()

    async def run(self) -> None:
        """Write until cancelled; the status of a pod that is finished stays."""
        while True:
            await self.changed.wait()
            self.changed.clear()
            body = self._body()
            if not is_finished(self._pod) and (self._written is None or body != self._written.body):
                await self.persist(lambda body=body: self._write(body))

    async def write(self) -> None:
        """Write it now."""
        await self.persist(lambda: self._write(self._body()))

    async def _write(self, body: Object) -> None:
        answer = await self._api.patch(f"{self._path}/status", body, kind="strategic")
        self._written = Written(body, _version(answer))

    async def persist(self, call: Callable[[], Awaitable[object]]) -> None:
        """`call`, repeated while the API server may yet accept it; a refusal for good is logged."""
        outage = Outage(title(self._pod))
        while True:
            try:
                await call()
                return outage.over()
            except ApiError as error:
                if error.missing or (error.conflict and await self._replaced()):
                    return None
                if not error.temporary and not error.conflict:
                    return log.error("%s: the API server refused: %s", title(self._pod), error)
                outage.failed(error)
            except httpx.TransportError as error:
                outage.failed(error)
            await asyncio.sleep(RETRY_SECONDS)

    async def _replaced(self) -> bool:
        """Whether the pod is gone, or another one has its name."""
        try:
            live = await self._api.get(self._path)
        except ApiError as error:
            return error.missing
        except httpx.TransportError:
            return False
        return live["metadata"]["uid"] != self._pod["metadata"]["uid"]
