"""Google Cloud of this process: what was made, by id; buckets are those of the tests' Cloud Storage."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.doubles.cloud_storage import Cloud, cloud_storage

if TYPE_CHECKING:
    from tests.providers.gcp.control_planes import ControlPlane

NUMBER = "424242424242"
"""Number of every project."""
LOCATIONS = "gcp.resourceLocations"
ALREADY = "alreadyExists"
GLOBAL = "global"


class GoogleError(Exception):
    """What Google's client says of a call that is refused."""

    def __init__(self, code: str, message: str):
        super().__init__(f"googleapi: Error {STATUS.get(code, 400)}: {message}, {code}")
        self.code = code


STATUS = {
    ALREADY: 409,
    "notFound": 404,
    "rateLimitExceeded": 429,
    "quotaExceeded": 403,
    "forbidden": 403,
    "resourceInUseByAnotherResource": 400,
    "conditionNotMet": 412,
    "conflict": 409,
}


def refusal(code: str, message: str, _operation: str) -> GoogleError:
    """For faults that are planned."""
    return GoogleError(code, message)


@dataclass
class Thing:
    """One resource as Google has it."""

    type: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    gone: bool = False
    """Whether it was removed by the stack and stays all the same, as rings and keys do."""


@dataclass
class Google:
    """All projects, and the project and region that are configured."""

    storage: Cloud
    project: str = ""
    region: str = ""
    things: dict[str, Thing] = field(default_factory=dict[str, Thing])
    plane: "ControlPlane | None" = None
    """As what a cluster comes up; None: nothing answers at its endpoint."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(10_000_001))

    def of(self, kind: str) -> dict[str, Thing]:
        """What is there of a type, by id: the last word of the type, such as `NodePool`."""
        return {
            key: one for key, one in self.things.items() if one.type.endswith(f":{kind}") and not one.gone
        }

    def add(self, token: str, identity: str, inputs: Mapping[str, Any], outputs: dict[str, Any]) -> None:
        """Make what is not there yet.

        Raises:
            GoogleError: as Google says when it is, or when it may not be in that place.
        """
        if identity in self.things:
            raise GoogleError(ALREADY, f"The resource '{identity}' already exists")
        self._require_place(inputs)
        self.things[identity] = Thing(token, dict(inputs), outputs)

    def require(self, identity: str) -> Thing:
        """What has that id.

        Raises:
            GoogleError: nothing has it.
        """
        thing = self.things.get(identity)
        if thing is None or thing.gone:
            raise GoogleError("notFound", f"The resource '{identity}' was not found")
        return thing

    def remove(self, identity: str) -> None:
        """Take it away, unless something there is made of it.

        Raises:
            GoogleError: as Google says when it is in use.
        """
        for key, other in self.things.items():
            if key != identity and not other.gone and f'"{identity}"' in json.dumps(other.inputs):
                message = f"The resource '{identity}' is already being used by '{key}'"
                raise GoogleError("resourceInUseByAnotherResource", message)
        self.things.pop(identity, None)

    def _require_place(self, inputs: Mapping[str, Any]) -> None:
        """What the organization policy of locations lets in."""
        place = str(inputs.get("location") or inputs.get("region") or GLOBAL).lower()
        for one in self.of("Policy").values():
            (rule,) = one.inputs["spec"]["rules"]
            allowed = [
                value.removeprefix("in:").removesuffix("-locations")
                for value in rule["values"]["allowedValues"]
            ]
            if place != GLOBAL and not any(place.startswith(value) for value in allowed):
                raise GoogleError("conditionNotMet", f"'{place}' violates constraint '{LOCATIONS}'")


@contextmanager
def google() -> Iterator[Google]:
    """Google Cloud, empty at first."""
    with cloud_storage() as storage:
        yield Google(storage)
