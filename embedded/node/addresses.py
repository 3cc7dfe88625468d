"""A pod's address: unique in the plane, remembered in the pod's folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from corral.embedded.home import write_private

SPACE = 255 * 254
"""10.P.x.y with x from 1 to 255 and y from 1 to 254; 10.P.0.1 is the API server's."""


class AddressesExhausted(Exception):
    """Every address of the plane's pods is taken."""


class Addresses:
    """Hands out 10.P.x.y; what the pods' folders remember stays taken until `release`."""

    def __init__(self, pods: Path, octet: int) -> None:
        self._octet = octet
        self._taken: dict[str, str] = {}
        self._next = 0
        for record in pods.glob("*/pod.json"):
            self._taken[record.parent.name] = str(json.loads(record.read_text())["ip"])
        self._next = len(self._taken)

    def take(self, uid: str, folder: Path, record: Mapping[str, Any]) -> str:
        """The pod's address, the same for the same UID; `record` is kept beside it in `pod.json`.

        Raises:
            AddressesExhausted: none is free.
        """
        known = self._taken.get(uid)
        if known is not None:
            return known
        used = set(self._taken.values())
        for offset in range(SPACE):
            high, low = divmod((self._next + offset) % SPACE, 254)
            address = f"10.{self._octet}.{high + 1}.{low + 1}"
            if address not in used:
                self._next += offset + 1
                self._taken[uid] = address
                write_private(folder / "pod.json", json.dumps({**record, "ip": address}))
                return address
        raise AddressesExhausted(f"all {SPACE} addresses 10.{self._octet}.x.y are taken")

    def release(self, uid: str) -> None:
        self._taken.pop(uid, None)
