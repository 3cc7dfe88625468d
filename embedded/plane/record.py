"""What a plane remembers of itself: ports, address ranges, inventory and socket, in `plane.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, cast

from corral.embedded.home import PlaneHome, write_private


class NoPlane(Exception):
    """The plane was never made, or its record cannot be read."""


@dataclass(frozen=True)
class PlaneRecord:
    """The choices made when the plane was first started; they hold until `down`."""

    name: str
    api_port: int
    """Port of the API server on 127.0.0.1."""
    service_range: str
    """ClusterIPs, `127.S.0.0/16`: loopback addresses, so that every process here reaches them."""
    pod_octet: int
    """P: a pod has the address 10.P.x.y and listens on 127.P.x.y."""
    inventory: str
    """File that lists the simulated machines."""
    egress_socket: str
    """Unix socket on which the node serves CONNECT for the API server; under 100 bytes."""
    ports: Mapping[str, int]
    """Other ports of the control plane on 127.0.0.1, by kwokctl's option name."""

    @staticmethod
    def load(home: PlaneHome) -> "PlaneRecord":
        """Read `plane.json`.

        Raises:
            NoPlane: there is none, or it is not a plane's record.
        """
        try:
            text = home.record.read_text()
        except FileNotFoundError:
            raise NoPlane(
                f"plane {home.name!r} was never started (no {home.record}); `corral up -s {home.name}`"
            ) from None
        try:
            content = cast(dict[str, Any], json.loads(text))
            return PlaneRecord(**{field.name: content[field.name] for field in fields(PlaneRecord)})
        except (ValueError, KeyError, TypeError) as cause:
            raise NoPlane(
                f"{home.record} is no plane's record ({cause}); `corral down -s {home.name}`"
            ) from cause

    def save(self, home: PlaneHome) -> None:
        """Replace `plane.json` atomically."""
        write_private(home.record, json.dumps(asdict(self), indent=2) + "\n")

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def service_octet(self) -> int:
        """S of 127.S.0.0/16."""
        return int(self.service_range.split(".")[1])

    @property
    def egress(self) -> Path:
        return Path(self.egress_socket)
