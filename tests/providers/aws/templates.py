"""Launch templates."""

from typing import Any

from tests.providers.aws.account import Account, found, mapped, pairs, upper
from tests.providers.aws.fabric import placed
from tests.providers.aws.kinds import Inputs, Kind, Made, replaced
from tests.providers.aws.network import retagged, tagged

TEXT = {"true": True, "false": False}
"""Switches that the SDK has as text."""
PARTS = (
    "blockDeviceMappings",
    "capacityReservationSpecification",
    "cpuOptions",
    "imageId",
    "instanceMarketOptions",
    "instanceType",
    "metadataOptions",
    "placement",
    "userData",
)
"""Inputs that are part of a version as they are."""


def _switched(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _switched(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_switched(one) for one in value]
    return TEXT.get(value, value) if isinstance(value, str) else value


def _data(inputs: Inputs) -> dict[str, Any]:
    data = upper(_switched({key: inputs[key] for key in PARTS if key in inputs}))
    interfaces = upper(_switched(inputs.get("networkInterfaces", [])))
    for one in interfaces:
        one["Groups"] = one.pop("SecurityGroups", [])
    specifications = [
        {"ResourceType": one["resourceType"], "Tags": pairs(one["tags"])}
        for one in inputs.get("tagSpecifications", [])
    ]
    return {**data, "NetworkInterfaces": interfaces, "TagSpecifications": specifications}


def _template(account: Account, inputs: Inputs) -> Made:
    data = _data(inputs)
    placed(account, data)
    made = account.ec2.create_launch_template(LaunchTemplateName=inputs["name"], LaunchTemplateData=data)[
        "LaunchTemplate"
    ]
    identity = made["LaunchTemplateId"]
    tagged(account, identity, inputs)
    arn = account.arn("ec2", f"launch-template/{identity}")
    return identity, {"arn": arn, "latestVersion": 1, "defaultVersion": 1}


def _template_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    answer = found(account.ec2.describe_launch_templates, LaunchTemplateIds=[identity])
    if not answer or not answer["LaunchTemplates"]:
        return None
    (one,) = answer["LaunchTemplates"]
    # moto 5.2.5 describes a template without its tags.
    tags = account.ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [identity]}])["Tags"]
    return {"name": one["LaunchTemplateName"], "tags": mapped(tags)}


def _template_changed(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    made = account.ec2.create_launch_template_version(
        LaunchTemplateId=identity, LaunchTemplateData=_data(new)
    )["LaunchTemplateVersion"]
    retagged(account, identity, old, new)
    return {"latestVersion": made["VersionNumber"]}


def _no_template(account: Account, identity: str, inputs: Inputs) -> None:
    account.ec2.delete_launch_template(LaunchTemplateId=identity)


KINDS = {
    "aws:ec2/launchTemplate:LaunchTemplate": Kind(
        _template,
        _template_now,
        _no_template,
        _template_changed,
        replaced("name"),
        "name",
        128,
        changing=frozenset({"latestVersion"}),
    )
}
