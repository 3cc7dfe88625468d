"""Ports and address ranges of a plane: chosen once, so that several planes live side by side."""

import os
import re
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass

FIRST_PORT, LAST_PORT = 20_000, 29_999
"""Below the range from which Linux gives ports to outgoing connections (32768 and up by default)."""
FIRST_OCTET, LAST_OCTET = 96, 250
RANGES = "CORRAL_RANGES"
"""Variable that narrows them for new planes."""
PORTS = (
    "kubeApiserverPort",
    "etcdPort",
    "etcdPeerPort",
    "kubeControllerManagerPort",
    "kubeSchedulerPort",
    "kwokControllerPort",
)


class AddressesInUse(Exception):
    """A port or range that the plane needs belongs to somebody else now."""


@dataclass(frozen=True)
class Claim:
    """A pair of address ranges held for one plane as long as `held` is open."""

    octet: int
    lock: socket.socket

    @property
    def service_range(self) -> str:
        return f"127.{self.octet}.0.0/16"

    @property
    def pod_octet(self) -> int:
        return self.octet + 1


def claim(octet: int) -> Claim | None:
    """Claim 127.octet.0.0/16 and the /16 after it; None when another plane holds them.

    The claim is a socket in Linux' abstract namespace, which is per network namespace just as loopback is:
    it reaches every user of this machine, leaves no file and ends with its last holder.
    """
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        lock.bind(f"\0corral/127.{octet}")
    except OSError:
        lock.close()
        return None
    return Claim(octet, lock)


def claim_any(taken: Collection[int]) -> Claim:
    """Claim the first free pair of ranges that is not in `taken`.

    Raises:
        AddressesInUse: every pair is taken, or `CORRAL_RANGES` names none.
    """
    usable = _usable()
    for octet in usable:
        ranges = None if octet in taken else claim(octet)
        if ranges:
            return ranges
    raise AddressesInUse(
        f"no free address range in 127.{usable[0]}.0.0 to 127.{usable[-1] + 1}.255.255: stop another plane"
    )


def _usable() -> range:
    """First octet of each pair that a new plane may take."""
    text = os.environ.get(RANGES, f"{FIRST_OCTET}-{LAST_OCTET}")
    match = re.fullmatch(r"([0-9]{2,3})-([0-9]{2,3})", text, re.ASCII)
    first, last = (int(one) for one in match.groups()) if match else (0, 0)
    if first % 2 or not FIRST_OCTET <= first <= last <= LAST_OCTET:
        raise AddressesInUse(
            f"{RANGES}={text}: give FIRST-LAST, from an even number, within {FIRST_OCTET}-{LAST_OCTET}"
        )
    return range(first, last + 1, 2)


def free(port: int) -> bool:
    """Whether nothing listens on `port` of any address of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


def free_ports(octet: int, taken: Collection[int]) -> dict[str, int]:
    """A free port for every entry of `PORTS`, none of `taken`.

    Raises:
        AddressesInUse: fewer than needed are free.
    """
    # Each pair of ranges starts at a place of its own, so that planes started together do not race.
    start = FIRST_PORT + (octet - FIRST_OCTET) * 50
    usable = (port for port in _circle(start) if port not in taken and free(port))
    try:
        return {name: next(usable) for name in PORTS}
    except StopIteration:
        raise AddressesInUse(f"no free ports between {FIRST_PORT} and {LAST_PORT}") from None


def _circle(start: int) -> Iterator[int]:
    yield from range(start, LAST_PORT + 1)
    yield from range(FIRST_PORT, start)
