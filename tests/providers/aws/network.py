"""Networks: everything of EC2's that a cluster is made in."""

from typing import Any

from tests.providers.aws.account import Account, found, mapped, pairs, some, upper
from tests.providers.aws.kinds import Inputs, Kind, Made, replaced


def tagged(account: Account, identity: str, inputs: Inputs) -> None:
    """Tag what was just made."""
    if inputs.get("tags"):
        account.ec2.create_tags(Resources=[identity], Tags=pairs(inputs["tags"]))


def retagged(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    """Tags as they are to be."""
    gone = set(old.get("tags") or {}) - set(new.get("tags") or {})
    if gone:
        account.ec2.delete_tags(Resources=[identity], Tags=[{"Key": key} for key in gone])
    tagged(account, identity, new)
    return {}


def described(call: Any, key: str, identity: str, parameter: str) -> dict[str, Any] | None:
    answer = found(call, **{parameter: [identity]})
    (one,) = answer[key] if answer and answer[key] else [None]
    return one


def tags_of(one: dict[str, Any]) -> dict[str, Any]:
    return {"tags": mapped(one.get("Tags", []))}


def _vpc(account: Account, inputs: Inputs) -> Made:
    vpc = account.ec2.create_vpc(CidrBlock=inputs["cidrBlock"])["Vpc"]["VpcId"]
    tagged(account, vpc, inputs)
    _vpc_settings(account, vpc, {}, inputs)
    (group,) = account.ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    return vpc, {"arn": account.arn("ec2", f"vpc/{vpc}"), "defaultSecurityGroupId": group["GroupId"]}


def _vpc_settings(account: Account, vpc: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    for key in ("enableDnsSupport", "enableDnsHostnames"):
        if key in new:
            account.ec2.modify_vpc_attribute(VpcId=vpc, **upper({key: {"value": new[key]}}))
    return retagged(account, vpc, old, new)


def _vpc_now(account: Account, vpc: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_vpcs, "Vpcs", vpc, "VpcIds")
    if one is None:
        return None
    settings = {
        key: account.ec2.describe_vpc_attribute(VpcId=vpc, Attribute=key)[key[0].upper() + key[1:]]["Value"]
        for key in ("enableDnsSupport", "enableDnsHostnames")
    }
    return {"cidrBlock": one["CidrBlock"], **settings, **tags_of(one)}


def _subnet(account: Account, inputs: Inputs) -> Made:
    made = account.ec2.create_subnet(
        VpcId=inputs["vpcId"], CidrBlock=inputs["cidrBlock"], AvailabilityZone=inputs["availabilityZone"]
    )
    identity = made["Subnet"]["SubnetId"]
    tagged(account, identity, inputs)
    _subnet_settings(account, identity, {}, inputs)
    return identity, {"arn": account.arn("ec2", f"subnet/{identity}")}


def _subnet_settings(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    public = new.get("mapPublicIpOnLaunch", False)
    account.ec2.modify_subnet_attribute(SubnetId=identity, MapPublicIpOnLaunch={"Value": public})
    return retagged(account, identity, old, new)


def _subnet_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_subnets, "Subnets", identity, "SubnetIds")
    return one and {"mapPublicIpOnLaunch": one["MapPublicIpOnLaunch"], **tags_of(one)}


def _table(account: Account, inputs: Inputs) -> Made:
    identity = account.ec2.create_route_table(VpcId=inputs["vpcId"])["RouteTable"]["RouteTableId"]
    tagged(account, identity, inputs)
    return identity, {}


def _table_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_route_tables, "RouteTables", identity, "RouteTableIds")
    return one and tags_of(one)


def _association(account: Account, inputs: Inputs) -> Made:
    made = account.ec2.associate_route_table(RouteTableId=inputs["routeTableId"], SubnetId=inputs["subnetId"])
    return made["AssociationId"], {}


def _association_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    tables = account.ec2.describe_route_tables(
        Filters=[{"Name": "association.route-table-association-id", "Values": [identity]}]
    )["RouteTables"]
    return {"routeTableId": tables[0]["RouteTableId"]} if tables else None


def _target(inputs: Inputs) -> dict[str, Any]:
    return some(
        RouteTableId=inputs["routeTableId"],
        DestinationCidrBlock=inputs["destinationCidrBlock"],
        GatewayId=inputs.get("gatewayId"),
        NatGatewayId=inputs.get("natGatewayId"),
    )


def _route(account: Account, inputs: Inputs) -> Made:
    account.ec2.create_route(**_target(inputs))
    return f"r-{inputs['routeTableId']}-{inputs['destinationCidrBlock']}", {}


def _route_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    table = inputs["routeTableId"]
    one = described(account.ec2.describe_route_tables, "RouteTables", table, "RouteTableIds")
    for route in one["Routes"] if one else []:
        if route.get("DestinationCidrBlock") == inputs["destinationCidrBlock"]:
            return some(gatewayId=route.get("GatewayId"), natGatewayId=route.get("NatGatewayId"))
    return None


def _rerouted(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    account.ec2.replace_route(**_target(new))
    return {}


def _unrouted(account: Account, identity: str, inputs: Inputs) -> None:
    account.ec2.delete_route(
        RouteTableId=inputs["routeTableId"], DestinationCidrBlock=inputs["destinationCidrBlock"]
    )


def _internet(account: Account, inputs: Inputs) -> Made:
    identity = account.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    account.ec2.attach_internet_gateway(InternetGatewayId=identity, VpcId=inputs["vpcId"])
    tagged(account, identity, inputs)
    return identity, {}


def _internet_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(
        account.ec2.describe_internet_gateways, "InternetGateways", identity, "InternetGatewayIds"
    )
    return one and tags_of(one)


def _no_internet(account: Account, identity: str, inputs: Inputs) -> None:
    account.ec2.detach_internet_gateway(InternetGatewayId=identity, VpcId=inputs["vpcId"])
    account.ec2.delete_internet_gateway(InternetGatewayId=identity)


def _address(account: Account, inputs: Inputs) -> Made:
    made = account.ec2.allocate_address(Domain=inputs["domain"])
    tagged(account, made["AllocationId"], inputs)
    return made["AllocationId"], {"allocationId": made["AllocationId"], "publicIp": made["PublicIp"]}


def _address_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_addresses, "Addresses", identity, "AllocationIds")
    return one and tags_of(one)


def _nat(account: Account, inputs: Inputs) -> Made:
    made = account.ec2.create_nat_gateway(SubnetId=inputs["subnetId"], AllocationId=inputs["allocationId"])
    identity = made["NatGateway"]["NatGatewayId"]
    tagged(account, identity, inputs)
    return identity, {}


def _nat_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_nat_gateways, "NatGateways", identity, "NatGatewayIds")
    return None if one is None or one["State"] == "deleted" else tags_of(one)


def _prefixes(account: Account, service: str) -> None:
    """AWS's list of addresses of a service, which moto 5.2.5 has in partition `aws` alone."""
    listed = account.ec2.describe_managed_prefix_lists()["PrefixLists"]
    if service not in [one["PrefixListName"] for one in listed]:
        account.ec2.create_managed_prefix_list(PrefixListName=service, MaxEntries=1, AddressFamily="IPv4")


def _endpoint(account: Account, inputs: Inputs) -> Made:
    if inputs["vpcEndpointType"] == "Gateway":
        _prefixes(account, inputs["serviceName"])
    made = account.ec2.create_vpc_endpoint(
        **some(
            VpcId=inputs["vpcId"],
            VpcEndpointType=inputs["vpcEndpointType"],
            ServiceName=inputs["serviceName"],
            SubnetIds=inputs.get("subnetIds"),
            SecurityGroupIds=inputs.get("securityGroupIds"),
            RouteTableIds=inputs.get("routeTableIds"),
            PrivateDnsEnabled=inputs.get("privateDnsEnabled"),
        )
    )
    identity = made["VpcEndpoint"]["VpcEndpointId"]
    tagged(account, identity, inputs)
    return identity, {"arn": account.arn("ec2", f"vpc-endpoint/{identity}")}


def _endpoint_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_vpc_endpoints, "VpcEndpoints", identity, "VpcEndpointIds")
    if one is None or one.get("State", "").lower() == "deleted":
        return None
    return {"subnetIds": one.get("SubnetIds"), "routeTableIds": one.get("RouteTableIds"), **tags_of(one)}


def _endpoint_moved(account: Account, identity: str, old: Inputs, new: Inputs) -> dict[str, Any]:
    call: dict[str, Any] = {}
    for key, name in (("subnetIds", "SubnetIds"), ("routeTableIds", "RouteTableIds")):
        before, after = set(old.get(key) or []), set(new.get(key) or [])
        call |= {f"Add{name}": sorted(after - before), f"Remove{name}": sorted(before - after)}
    chosen = {key: value for key, value in call.items() if value}
    if chosen:
        account.ec2.modify_vpc_endpoint(VpcEndpointId=identity, **chosen)
    return retagged(account, identity, old, new)


def _flow_log(account: Account, inputs: Inputs) -> Made:
    made = account.ec2.create_flow_logs(
        ResourceIds=[inputs["vpcId"]],
        ResourceType="VPC",
        TrafficType=inputs["trafficType"],
        LogDestinationType=inputs["logDestinationType"],
        LogGroupName=inputs["logDestination"].rpartition(":log-group:")[2],
        DeliverLogsPermissionArn=inputs["iamRoleArn"],
    )
    assert not made["Unsuccessful"], made["Unsuccessful"]
    (identity,) = made["FlowLogIds"]
    tagged(account, identity, inputs)
    return identity, {"arn": account.arn("ec2", f"vpc-flow-log/{identity}")}


def _flow_log_now(account: Account, identity: str, inputs: Inputs) -> dict[str, Any] | None:
    one = described(account.ec2.describe_flow_logs, "FlowLogs", identity, "FlowLogIds")
    return one and {"trafficType": one["TrafficType"], **tags_of(one)}


def _delete(operation: str, parameter: str, *, several: bool = False) -> Any:
    def delete(account: Account, identity: str, inputs: Inputs) -> None:
        getattr(account.ec2, operation)(**{parameter: [identity] if several else identity})

    return delete


KINDS = {
    "aws:ec2/vpc:Vpc": Kind(
        _vpc, _vpc_now, _delete("delete_vpc", "VpcId"), _vpc_settings, replaced("cidrBlock")
    ),
    "aws:ec2/subnet:Subnet": Kind(
        _subnet,
        _subnet_now,
        _delete("delete_subnet", "SubnetId"),
        _subnet_settings,
        replaced("vpcId", "availabilityZone", "cidrBlock"),
    ),
    "aws:ec2/routeTable:RouteTable": Kind(
        _table, _table_now, _delete("delete_route_table", "RouteTableId"), retagged, replaced("vpcId")
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Kind(
        _association,
        _association_now,
        _delete("disassociate_route_table", "AssociationId"),
        None,
        replaced("subnetId", "routeTableId"),
    ),
    "aws:ec2/route:Route": Kind(
        _route, _route_now, _unrouted, _rerouted, replaced("routeTableId", "destinationCidrBlock")
    ),
    "aws:ec2/internetGateway:InternetGateway": Kind(
        _internet, _internet_now, _no_internet, retagged, replaced("vpcId")
    ),
    "aws:ec2/eip:Eip": Kind(
        _address, _address_now, _delete("release_address", "AllocationId"), retagged, replaced("domain")
    ),
    "aws:ec2/natGateway:NatGateway": Kind(
        _nat,
        _nat_now,
        _delete("delete_nat_gateway", "NatGatewayId"),
        retagged,
        replaced("subnetId", "allocationId"),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Kind(
        _endpoint,
        _endpoint_now,
        _delete("delete_vpc_endpoints", "VpcEndpointIds", several=True),
        _endpoint_moved,
        replaced("vpcId", "serviceName", "vpcEndpointType"),
    ),
    "aws:ec2/flowLog:FlowLog": Kind(
        _flow_log,
        _flow_log_now,
        _delete("delete_flow_logs", "FlowLogIds", several=True),
        retagged,
        replaced("vpcId", "trafficType", "logDestination", "logDestinationType", "iamRoleArn"),
    ),
}
