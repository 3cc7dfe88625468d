"""Security groups and their rules."""

from dataclasses import dataclass
from typing import Any

from tests.providers.aws.account import Account, some, upper
from tests.providers.aws.kinds import Inputs, Kind, Made, nothing, replaced
from tests.providers.aws.network import described, retagged, tagged, tags_of


def _closed(account: Account, inputs: Inputs) -> Made:
    """The group is there already, and becomes what is stated."""
    (group,) = account.ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [inputs["vpcId"]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    identity = group["GroupId"]
    _close(account, identity, {}, inputs)
    return identity, {"name": "default"}


def _close(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    one = described(account.ec2.describe_security_groups, "SecurityGroups", identity, "GroupIds")
    assert one is not None
    if one["IpPermissions"]:
        account.ec2.revoke_security_group_ingress(GroupId=identity, IpPermissions=one["IpPermissions"])
    if one["IpPermissionsEgress"]:
        account.ec2.revoke_security_group_egress(GroupId=identity, IpPermissions=one["IpPermissionsEgress"])
    for rule in new.get("ingress", []):
        _admit(account, identity, rule, rule["cidrBlocks"])
    return retagged(account, identity, old, new)


def _group(account: Account, inputs: Inputs) -> Made:
    made = account.ec2.create_security_group(
        GroupName=inputs["name"], Description=inputs["description"], VpcId=inputs["vpcId"]
    )
    _close(account, made["GroupId"], {}, inputs)
    return made["GroupId"], {"arn": account.arn("ec2", f"security-group/{made['GroupId']}")}


def _group_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_security_groups, "SecurityGroups", identity, "GroupIds")
    if one is None:
        return None
    ingress = [
        {
            **{"protocol": rule["IpProtocol"], "fromPort": rule.get("FromPort", 0)},
            **{"toPort": rule.get("ToPort", 0), "cidrBlocks": [each["CidrIp"]]},
            **({"description": each["Description"]} if each.get("Description") else {}),
        }
        for rule in one["IpPermissions"]
        for each in rule["IpRanges"]
    ]
    return {"ingress": ingress, "egress": upper(one["IpPermissionsEgress"]), **tags_of(one)}


def _ungroup(account: Account, identity: str, inputs: Inputs) -> None:
    account.ec2.delete_security_group(GroupId=identity)


def _admit(account: Account, group: str, rule: Inputs, blocks: list[str]) -> None:
    ranges = [some(CidrIp=block, Description=rule.get("description")) for block in blocks]
    permission = {"IpProtocol": rule["protocol"], "FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    account.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**permission, "IpRanges": ranges}]
    )


@dataclass(frozen=True)
class _Rules:
    """Rules of one direction: `ingress` or `egress`."""

    direction: str

    def _call(self, account: Account, verb: str) -> Any:
        return getattr(account.ec2, f"{verb}_security_group_{self.direction}")

    def create(self, account: Account, inputs: Inputs) -> Made:
        permission = some(
            IpProtocol=inputs["ipProtocol"], FromPort=inputs.get("fromPort"), ToPort=inputs.get("toPort")
        )
        text = inputs.get("description")
        if "cidrIpv4" in inputs:
            permission["IpRanges"] = [some(CidrIp=inputs["cidrIpv4"], Description=text)]
        if "referencedSecurityGroupId" in inputs:
            pair = some(GroupId=inputs["referencedSecurityGroupId"], Description=text)
            permission["UserIdGroupPairs"] = [pair]
        made = self._call(account, "authorize")(GroupId=inputs["securityGroupId"], IpPermissions=[permission])
        identity = made["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        tagged(account, identity, inputs)
        return identity, {"securityGroupRuleId": identity}

    def read(self, account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
        rules = account.ec2.describe_security_group_rules(
            Filters=[{"Name": "group-id", "Values": [inputs["securityGroupId"]]}]
        )["SecurityGroupRules"]
        return {} if any(one["SecurityGroupRuleId"] == identity for one in rules) else None

    def delete(self, account: Account, identity: str, inputs: Inputs) -> None:
        self._call(account, "revoke")(GroupId=inputs["securityGroupId"], SecurityGroupRuleIds=[identity])

    @property
    def kind(self) -> Kind:
        return Kind(self.create, self.read, self.delete, None, replaced("securityGroupId"))


KINDS = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Kind(
        _closed, _group_now, nothing, _close, replaced("vpcId")
    ),
    "aws:ec2/securityGroup:SecurityGroup": Kind(
        _group, _group_now, _ungroup, _close, replaced("name", "description", "vpcId"), "name"
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _Rules("ingress").kind,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _Rules("egress").kind,
}
