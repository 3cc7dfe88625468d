"""Doors for processes and people: a TCP listener on ClusterIP:port for each Service."""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from corral.embedded.kube import Object
from corral.embedded.node.endpoints import Backend, Unreachable, cluster_ip
from corral.embedded.node.network_relay import abort, connect, relay
from corral.embedded.objects import children, title

Door = tuple[str, int]
"""ClusterIP and port."""
Resolve = Callable[[str, int], Sequence[Backend]]
log = logging.getLogger(__name__)


def doors(services: Sequence[Object]) -> dict[Door, str]:
    """The TCP ports on loopback ClusterIPs, each with the title `namespace/name:port` of its Service."""
    return {
        (address, port["port"]): f"{title(item)}:{port['port']}"
        for item in services
        if (address := cluster_ip(item)) is not None and ipaddress.ip_address(address).is_loopback
        for port in children(item, "spec", "ports")
        if port.get("protocol", "TCP") == "TCP"
    }


class Forwarders:
    """The listeners that are open now."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._open: dict[Door, asyncio.Server] = {}
        self._closed: dict[Door, str] = {}
        self._refused: dict[Door, str] = {}

    async def update(self, wanted: Mapping[Door, str]) -> None:
        """Open what is wanted and not open, close what is no longer wanted.

        Connections of a closed listener live on until either side ends them. A door that cannot be
        bound is logged once by name and tried again at the next change.
        """
        for door in self._open.keys() - wanted.keys():
            self._open.pop(door).close()
            self._refused.pop(door, None)
        for door in self._closed.keys() - wanted.keys():
            self._closed.pop(door)
        for door in sorted(wanted.keys() - self._open.keys()):
            await self._bind(door, wanted[door])

    def opened(self) -> frozenset[Door]:
        return frozenset(self._open)

    def close(self) -> None:
        """Stop listening."""
        for server in self._open.values():
            server.close()
        self._open.clear()

    async def _bind(self, door: Door, name: str) -> None:
        try:
            self._open[door] = await asyncio.start_server(self._handler(door, name), *door)
        except OSError as cause:
            if door not in self._closed:
                log.warning("no door to service %s at %s:%d: %s", name, *door, _why(cause, door[1]))
            self._closed[door] = name
        else:
            self._closed.pop(door, None)

    def _handler(
        self, door: Door, name: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                behind = await connect(self._resolve(*door))
            except Unreachable as cause:
                if self._refused.get(door) != str(cause):
                    log.warning("refused a client of service %s: %s", name, cause)
                self._refused[door] = str(cause)
                abort(writer)
            else:
                self._refused.pop(door, None)
                await relay((reader, writer), behind)

        return handle


def _why(cause: OSError, port: int) -> str:
    if isinstance(cause, PermissionError):
        return (
            f"port {port} is below net.ipv4.ip_unprivileged_port_start; "
            "only the API server's proxy reaches it"
        )
    return cause.strerror or str(cause)
