"""When a plane is ready: the API server says so, the node serves its socket, every machine is Ready."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import httpx

from corral.embedded.home import PlaneHome
from corral.embedded.kube import Api, ApiError, resource
from corral.embedded.objects import is_true
from corral.embedded.plane import kubeconfig
from corral.embedded.plane.record import PlaneRecord

INTERVAL_SECONDS = 0.05


def api_ready(home: PlaneHome) -> bool:
    """Whether the API server says now that it is ready."""
    url = f"{PlaneRecord.load(home).server}/readyz"
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url, verify=kubeconfig.tls(home), trust_env=False, timeout=5).status_code == 200
    return False


async def api_server(home: PlaneHome, record: PlaneRecord) -> None:
    """Return once the API server says that it is ready."""
    async with httpx.AsyncClient(verify=kubeconfig.tls(home), trust_env=False, timeout=5) as client:

        async def ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await client.get(f"{record.server}/readyz")).status_code == 200
            return False

        await _until(ready)


async def egress(record: PlaneRecord) -> None:
    """Return once the node accepts connections on its socket."""

    async def ready() -> bool:
        with contextlib.suppress(OSError):
            _reader, writer = await asyncio.open_unix_connection(record.egress_socket)
            writer.close()
            return True
        return False

    await _until(ready)


async def nodes(home: PlaneHome, record: PlaneRecord) -> None:
    """Return once every machine of the inventory is a Ready node."""
    from corral.embedded.hardware.inventory import load

    machines = {machine.name for machine in load(record.inventory)}
    api = Api.connect(home.kubeconfig, user_agent="corral-supervisor")
    ready: set[str] = set()
    try:
        while not machines <= ready:
            with contextlib.suppress(ApiError, httpx.TransportError):
                async for event in api.watch(resource("v1", "nodes")):
                    name = event.object["metadata"]["name"]
                    (ready.add if is_true(event.object, "Ready") else ready.discard)(name)
                    if machines <= ready:
                        return
            await asyncio.sleep(INTERVAL_SECONDS)
    finally:
        await api.aclose()


async def _until(ready: Callable[[], Awaitable[bool]]) -> None:
    # Another program becomes ready and tells nobody: it is asked, for as long as the caller waits.
    while not await ready():  # noqa: ASYNC110
        await asyncio.sleep(INTERVAL_SECONDS)
