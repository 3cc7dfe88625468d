"""What kube-proxy does elsewhere: a TCP listener on ClusterIP:port for each Service."""

import asyncio
import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from corral.embedded.kube import Object
from corral.embedded.node.endpoints import Backend, Unreachable, cluster_ip
from corral.embedded.node.network_relay import abort, connect, relay
from corral.embedded.objects import children, title

ServicePort = tuple[str, int]
"""ClusterIP and port."""
Resolve = Callable[[str, int], Sequence[Backend]]
log = logging.getLogger(__name__)


def service_ports(services: Sequence[Object]) -> dict[ServicePort, str]:
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
        self._open: dict[ServicePort, asyncio.Server] = {}
        self._failed: dict[ServicePort, str] = {}
        self._refused: dict[ServicePort, str] = {}

    async def update(self, desired: Mapping[ServicePort, str]) -> None:
        """Open what is wanted and not open, close what is no longer wanted.

        Connections of a closed listener live on until either side ends them. A port that cannot be
        bound is logged once by name and tried again at the next change.
        """
        for service_port in self._open.keys() - desired.keys():
            self._open.pop(service_port).close()
            self._refused.pop(service_port, None)
        for service_port in self._failed.keys() - desired.keys():
            self._failed.pop(service_port)
        for service_port in sorted(desired.keys() - self._open.keys()):
            await self._bind(service_port, desired[service_port])

    def opened(self) -> frozenset[ServicePort]:
        return frozenset(self._open)

    def close(self) -> None:
        """Stop listening."""
        for server in self._open.values():
            server.close()
        self._open.clear()

    async def _bind(self, service_port: ServicePort, name: str) -> None:
        try:
            self._open[service_port] = await asyncio.start_server(
                self._handler(service_port, name), *service_port
            )
        except OSError as cause:
            if service_port not in self._failed:
                log.warning(
                    "no listener of service %s at %s:%d: %s",
                    name,
                    *service_port,
                    _why(cause, service_port[1]),
                )
            self._failed[service_port] = name
        else:
            self._failed.pop(service_port, None)

    def _handler(
        self, service_port: ServicePort, name: str
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                behind = await connect(self._resolve(*service_port))
            except Unreachable as cause:
                if self._refused.get(service_port) != str(cause):
                    log.warning("refused a client of service %s: %s", name, cause)
                self._refused[service_port] = str(cause)
                abort(writer)
            else:
                self._refused.pop(service_port, None)
                await relay((reader, writer), behind)

        return handle


def _why(cause: OSError, port: int) -> str:
    if isinstance(cause, PermissionError):
        return (
            f"port {port} is below net.ipv4.ip_unprivileged_port_start; "
            "only the API server's proxy reaches it"
        )
    return cause.strerror or str(cause)
