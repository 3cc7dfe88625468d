"""Placement groups, and what EC2 says of the interfaces of its Elastic Fabric Adapter."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import botocore.session
from tests.providers.aws.account import Account
from tests.providers.aws.kinds import Inputs, Kind, Made, replaced
from tests.providers.faults import error
from tests.providers.schema import UNKNOWN

PLACEMENT = "aws:ec2/placementGroup:PlacementGroup"
TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
GROUP = "placement group"
INTERFACES = ("interface", "efa", "efa-only")
"""Of `InterfaceType` of a launch template in EC2's API, which has no list of them in its model."""
ONLY = "efa-only"
ADDRESSES = ("associatePublicIpAddress", "privateIpAddress", "ipv4Addresses", "ipv4AddressCount")


def refusals(token: str, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Path and reason of each word that EC2 does not know, and of interfaces that cannot be."""
    if token == PLACEMENT:
        yield from _word("strategy", inputs.get("strategy"), _strategies())
    if token != TEMPLATE:
        return
    taken: set[tuple[int, int]] = set()
    interfaces = inputs.get("networkInterfaces", [])
    for index, one in enumerate([] if interfaces == UNKNOWN else interfaces):
        path = f"networkInterfaces[{index}]"
        yield from _word(f"{path}.interfaceType", one.get("interfaceType", INTERFACES[0]), INTERFACES)
        place = (one.get("networkCardIndex", 0), one.get("deviceIndex", 0))
        if place in taken:
            yield f"{path}.deviceIndex", f"{place[1]} on card {place[0]} is that of another interface"
        taken.add(place)
        if one.get("interfaceType") == ONLY:
            yield from (
                (f"{path}.{key}", "an interface for the fabric alone has no addresses")
                for key in ADDRESSES
                if key in one
            )


@cache
def _strategies() -> Sequence[str]:
    model = botocore.session.get_session().get_service_model("ec2")
    return model.operation_model("CreatePlacementGroup").input_shape.members["Strategy"].enum


def _word(path: str, value: Any, allowed: Sequence[str]) -> Iterator[tuple[str, str]]:
    if value not in (*allowed, UNKNOWN):
        yield path, f"{value!r} is none of {', '.join(allowed)}"


def _made(account: Account, inputs: Inputs) -> Made:
    """A placement group, which moto 5.2.5 has no calls for."""
    name = inputs["name"]
    account.valid(account.ec2, "CreatePlacementGroup", {"GroupName": name, "Strategy": inputs["strategy"]})
    account.simulate(GROUP, name, inputs)
    arn = account.arn("ec2", f"placement-group/{name}")
    return name, {"arn": arn, "placementGroupId": f"pg-{len(account.simulated):017x}"}


def _now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    return account.simulated.get((GROUP, identity))


def _retagged(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    account.simulated[GROUP, identity] = dict(new)
    return {}


def _gone(account: Account, identity: str, inputs: Inputs) -> None:
    account.simulated.pop((GROUP, identity), None)


def placed(account: Account, data: Mapping[str, Any]) -> None:
    """Refuse the data of a launch template that names a placement group which is not there.

    Raises:
        ClientError: as EC2 does when it starts instances by it.
    """
    name = data.get("Placement", {}).get("GroupName")
    if name is not None and (GROUP, name) not in account.simulated:
        message = f"The placement group {name} is unknown"
        raise error("InvalidPlacementGroup.Unknown", message, "CreateLaunchTemplate")


KINDS = {
    PLACEMENT: Kind(
        _made, _now, _gone, _retagged, replaced("name", "strategy", "partitionCount", "spreadLevel"), "name"
    )
}
