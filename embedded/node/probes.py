"""Probes as a pod states them: a counter that turns results into a verdict, and the checks themselves."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx

from corral.embedded.kube import Object
from corral.embedded.objects import at, children

Execute = Callable[[Sequence[str], float], Awaitable[bool]]
"""Run a command as the container would, at most so many seconds; whether it exited with 0."""


@dataclass
class Counter:
    """A verdict that changes only after enough results in a row.

    >>> counter = Counter(success=1, failure=2, verdict=True)
    >>> [counter.observe(result) for result in (False, False, True)]
    [None, False, True]
    """

    success: int
    failure: int
    passing: bool | None
    """Current verdict; None while there is none."""
    _run: int = 0
    _last: bool | None = None

    def observe(self, result: bool) -> bool | None:
        """Take one result; the new verdict when it changed, or failed again after as many failures."""
        self._run = self._run + 1 if result == self._last else 1
        self._last = result
        if self._run < (self.success if result else self.failure):
            return None
        if result and self.passing is True:
            return None
        changed = self.passing != result
        self.passing = result
        return result if changed else None


@dataclass(frozen=True)
class Probe:
    """One probe with the kubelet's defaults filled in; times in seconds."""

    action: Object
    delay: float
    period: float
    timeout: float
    success: int
    failure: int
    grace: float | None

    @staticmethod
    def of(stated: Object) -> "Probe":
        return Probe(
            stated,
            float(stated.get("initialDelaySeconds") or 0),
            float(stated.get("periodSeconds") or 10),
            float(stated.get("timeoutSeconds") or 1),
            int(stated.get("successThreshold") or 1),
            int(stated.get("failureThreshold") or 3),
            stated.get("terminationGracePeriodSeconds"),
        )


async def watch(
    probe: Probe, check: Callable[[], Awaitable[bool]], counter: Counter, changed: Callable[[bool], Any]
) -> None:
    """Check forever at the probe's pace; `changed` gets every new verdict."""
    await asyncio.sleep(probe.delay)
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        passing = counter.observe(await check())
        if passing is not None:
            changed(passing)
        await asyncio.sleep(max(0.0, begun + probe.period - loop.time()))


def port_of(container: Object, stated: Any) -> int:
    """Number of a port given by number or by name.

    Raises:
        ValueError: the container has no port of this name.
    """
    if str(stated).isdigit():
        return int(stated)
    ports = children(container, "ports")
    for port in ports:
        if port.get("name") == stated:
            return int(port["containerPort"])
    known = ", ".join(str(port.get("name")) for port in ports) or "none"
    raise ValueError(f"container {container['name']}: no port named {stated!r}; it has {known}")


async def check(probe: Probe, container: Object, bind: str, execute: Execute) -> bool:
    """One check against the pod's own address; whether it passed within the probe's timeout."""
    action = probe.action
    if "exec" in action:
        return await execute(cast(list[str], action["exec"].get("command") or []), probe.timeout)
    if "httpGet" in action:
        return await http_get(action["httpGet"], container, bind, probe.timeout)
    stated = at(action, "grpc" if "grpc" in action else "tcpSocket", "port")
    return await _tcp(bind, port_of(container, stated), probe.timeout)


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


UNVERIFIED = _unverified()
"""As the kubelet: probes do not verify certificates."""


async def http_get(action: Object, container: Object, bind: str, seconds: float) -> bool:
    """Whether the container answers an `httpGet` action in time and without an error."""
    scheme = str(action.get("scheme") or "HTTP").lower()
    host = action.get("host") or bind
    path = str(action.get("path") or "/")
    url = f"{scheme}://{host}:{port_of(container, action['port'])}/{path.lstrip('/')}"
    headers = {str(h["name"]): str(h["value"]) for h in children(action, "httpHeaders")}
    try:
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(verify=UNVERIFIED, trust_env=False, timeout=seconds) as client,
        ):
            answer = await client.get(url, headers={"User-Agent": "kube-probe/corral", **headers})
    except (httpx.HTTPError, TimeoutError):
        return False
    return 200 <= answer.status_code < 400


async def _tcp(host: str, port: int, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            _reader, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
