"""The calls to AWS that pulumi-aws makes of a resource's inputs, as boto3 has them.

Written from botocore's models; nothing here knows the component. What moto does not implement (add-ons,
access entries) is validated against botocore's model of the call alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.validate import ParamValidator
from tests.components.harness import Graph, Registered

Inputs = Mapping[str, Any]


class Account:
    """An account that is empty at first; `known` maps what the graph calls a thing to what AWS calls it."""

    def __init__(self, region: str):
        self.region = region
        self.known: dict[str, str] = {}
        session = boto3.session.Session("testing", "testing", region_name=region)
        self.ec2, self.eks, self.iam, self.kms, self.logs = (
            session.client(name) for name in ("ec2", "eks", "iam", "kms", "logs")
        )

    def make(self, graph: Graph) -> None:
        """Make everything of `graph`, in the order in which it was registered."""
        group = self.ec2.create_security_group(GroupName="made-by-eks", Description="of the cluster")
        self.known["sg-cluster"] = group["GroupId"]
        for one in graph:
            if one.custom:
                inputs = self._real(one.inputs)
                assert inputs.get("region", self.region) == self.region, one.name
                CALLS[one.kind](self, one, inputs)

    def _real(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._real(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._real(item) for item in value]
        if isinstance(value, str):
            return self.known.get(value, value)
        return value

    def made(self, one: Registered, identity: str) -> None:
        self.known[f"{one.name}-id"] = identity

    def valid(self, operation: str, **call: Any) -> None:
        """Whether botocore would send it."""
        shape = self.eks.meta.service_model.operation_model(operation).input_shape
        report = ParamValidator().validate(
            {key: value for key, value in call.items() if value is not None}, shape
        )
        assert not report.has_errors(), report.generate_report()


def _some(**call: Any) -> dict[str, Any]:
    return {key: value for key, value in call.items() if value is not None}


def _upper(value: Any) -> Any:
    """EC2's spelling of names: the first letter is a capital one."""
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: _upper(item) for key, item in value.items()}
    return [_upper(item) for item in value] if isinstance(value, list) else value


def _tags(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in inputs["tags"].items()]


def _vpc(account: Account, one: Registered, inputs: Inputs) -> None:
    vpc = account.ec2.create_vpc(CidrBlock=inputs["cidrBlock"])["Vpc"]["VpcId"]
    for key in ("enableDnsSupport", "enableDnsHostnames"):
        account.ec2.modify_vpc_attribute(VpcId=vpc, **_upper({key: {"value": inputs[key]}}))
    account.made(one, vpc)


def _subnet(account: Account, one: Registered, inputs: Inputs) -> None:
    made = account.ec2.create_subnet(
        VpcId=inputs["vpcId"], CidrBlock=inputs["cidrBlock"], AvailabilityZone=inputs["availabilityZone"]
    )
    identity = made["Subnet"]["SubnetId"]
    account.ec2.modify_subnet_attribute(
        SubnetId=identity, MapPublicIpOnLaunch={"Value": inputs["mapPublicIpOnLaunch"]}
    )
    account.made(one, identity)


def _routes(account: Account, one: Registered, inputs: Inputs) -> None:
    made = account.ec2.create_route_table(VpcId=inputs["vpcId"])
    account.made(one, made["RouteTable"]["RouteTableId"])


def _association(account: Account, one: Registered, inputs: Inputs) -> None:
    account.ec2.associate_route_table(RouteTableId=inputs["routeTableId"], SubnetId=inputs["subnetId"])


def _route(account: Account, one: Registered, inputs: Inputs) -> None:
    account.ec2.create_route(
        **_some(
            RouteTableId=inputs["routeTableId"],
            DestinationCidrBlock=inputs["destinationCidrBlock"],
            GatewayId=inputs.get("gatewayId"),
            NatGatewayId=inputs.get("natGatewayId"),
        )
    )


def _gateway(account: Account, one: Registered, inputs: Inputs) -> None:
    identity = account.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    account.ec2.attach_internet_gateway(InternetGatewayId=identity, VpcId=inputs["vpcId"])
    account.made(one, identity)


def _address(account: Account, one: Registered, inputs: Inputs) -> None:
    account.known[f"{one.name}-allocation"] = account.ec2.allocate_address(Domain=inputs["domain"])[
        "AllocationId"
    ]


def _nat(account: Account, one: Registered, inputs: Inputs) -> None:
    made = account.ec2.create_nat_gateway(SubnetId=inputs["subnetId"], AllocationId=inputs["allocationId"])
    account.made(one, made["NatGateway"]["NatGatewayId"])


def _default_group(account: Account, one: Registered, inputs: Inputs) -> None:
    assert inputs["ingress"] == inputs["egress"] == []
    filters = [{"Name": "vpc-id", "Values": [inputs["vpcId"]]}, {"Name": "group-name", "Values": ["default"]}]
    (group,) = account.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    account.ec2.revoke_security_group_egress(
        GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"]
    )


def _group(account: Account, one: Registered, inputs: Inputs) -> None:
    made = account.ec2.create_security_group(
        GroupName=one.name, Description=inputs["description"], VpcId=inputs["vpcId"]
    )
    account.made(one, made["GroupId"])
    for rule in inputs["ingress"]:
        ranges = [{"CidrIp": cidr, "Description": rule["description"]} for cidr in rule["cidrBlocks"]]
        _admit(account, made["GroupId"], rule["protocol"], rule, ranges)


def _rule(account: Account, one: Registered, inputs: Inputs) -> None:
    ranges = [{"CidrIp": inputs["cidrIpv4"], "Description": inputs["description"]}]
    _admit(account, inputs["securityGroupId"], inputs["ipProtocol"], inputs, ranges)


def _admit(account: Account, group: str, protocol: str, ports: Inputs, ranges: list[dict[str, str]]) -> None:
    permission = {"IpProtocol": protocol, "FromPort": ports["fromPort"], "ToPort": ports["toPort"]}
    account.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{**permission, "IpRanges": ranges}]
    )


def _endpoint(account: Account, one: Registered, inputs: Inputs) -> None:
    account.ec2.create_vpc_endpoint(
        **_some(
            VpcId=inputs["vpcId"],
            VpcEndpointType=inputs["vpcEndpointType"],
            ServiceName=inputs["serviceName"],
            SubnetIds=inputs.get("subnetIds"),
            SecurityGroupIds=inputs.get("securityGroupIds"),
            RouteTableIds=inputs.get("routeTableIds"),
            PrivateDnsEnabled=inputs.get("privateDnsEnabled"),
        )
    )


def _key(account: Account, one: Registered, inputs: Inputs) -> None:
    tags = [{"TagKey": key, "TagValue": value} for key, value in inputs["tags"].items()]
    made = account.kms.create_key(Policy=inputs["policy"], Description=inputs["description"], Tags=tags)
    metadata = made["KeyMetadata"]
    if inputs["enableKeyRotation"]:
        account.kms.enable_key_rotation(KeyId=metadata["KeyId"])
    partition = metadata["Arn"].split(":")[1]
    graphs = f"arn:{partition}:kms:{account.region}:111122223333:key/{one.name}"
    account.known |= {one.name: metadata["KeyId"], graphs: metadata["Arn"]}


def _alias(account: Account, one: Registered, inputs: Inputs) -> None:
    account.kms.create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])


def _role(account: Account, one: Registered, inputs: Inputs) -> None:
    made = account.iam.create_role(
        RoleName=one.name, AssumeRolePolicyDocument=inputs["assumeRolePolicy"], Tags=_tags(inputs)
    )
    arn = made["Role"]["Arn"]
    account.known[f"arn:{arn.split(':')[1]}:iam::111122223333:role/{one.name}"] = arn


def _attachment(account: Account, one: Registered, inputs: Inputs) -> None:
    account.iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])


def _role_policy(account: Account, one: Registered, inputs: Inputs) -> None:
    account.iam.put_role_policy(RoleName=inputs["role"], PolicyName=one.name, PolicyDocument=inputs["policy"])


def _log_group(account: Account, one: Registered, inputs: Inputs) -> None:
    account.logs.create_log_group(
        logGroupName=inputs["name"], kmsKeyId=inputs["kmsKeyId"], tags=inputs["tags"]
    )
    account.logs.put_retention_policy(logGroupName=inputs["name"], retentionInDays=inputs["retentionInDays"])


def _cluster(account: Account, one: Registered, inputs: Inputs) -> None:
    logging = [{"types": inputs["enabledClusterLogTypes"], "enabled": True}]
    account.eks.create_cluster(
        name=inputs["name"],
        version=inputs["version"],
        roleArn=inputs["roleArn"],
        resourcesVpcConfig=inputs["vpcConfig"],
        accessConfig=inputs["accessConfig"],
        encryptionConfig=[inputs["encryptionConfig"]],
        logging={"clusterLogging": logging},
        bootstrapSelfManagedAddons=inputs["bootstrapSelfManagedAddons"],
        deletionProtection=inputs["deletionProtection"],
        tags=inputs["tags"],
    )


def _template(account: Account, one: Registered, inputs: Inputs) -> None:
    (disk,) = inputs["blockDeviceMappings"]
    (interface,) = inputs["networkInterfaces"]
    made = account.ec2.create_launch_template(
        LaunchTemplateName=one.name,
        LaunchTemplateData={
            "InstanceType": inputs["instanceType"],
            "MetadataOptions": _upper(inputs["metadataOptions"]),
            "BlockDeviceMappings": [
                {
                    "DeviceName": disk["deviceName"],
                    "Ebs": {
                        **_upper(disk["ebs"]),
                        "Encrypted": disk["ebs"]["encrypted"] == "true",
                        "DeleteOnTermination": disk["ebs"]["deleteOnTermination"] == "true",
                    },
                }
            ],
            "NetworkInterfaces": [
                {
                    "DeviceIndex": interface["deviceIndex"],
                    "AssociatePublicIpAddress": interface["associatePublicIpAddress"] == "true",
                    "DeleteOnTermination": interface["deleteOnTermination"] == "true",
                    "Groups": interface["securityGroups"],
                }
            ],
            "TagSpecifications": [
                {"ResourceType": one["resourceType"], "Tags": _tags(one)}
                for one in inputs["tagSpecifications"]
            ],
            **({"CpuOptions": _upper(inputs["cpuOptions"])} if "cpuOptions" in inputs else {}),
        },
    )
    account.made(one, made["LaunchTemplate"]["LaunchTemplateId"])


def _nodes(account: Account, one: Registered, inputs: Inputs) -> None:
    account.eks.create_nodegroup(
        clusterName=inputs["clusterName"],
        nodegroupName=one.name,
        version=inputs["version"],
        nodeRole=inputs["nodeRoleArn"],
        subnets=inputs["subnetIds"],
        amiType=inputs["amiType"],
        capacityType=inputs["capacityType"],
        scalingConfig=inputs["scalingConfig"],
        updateConfig=inputs["updateConfig"],
        labels=inputs["labels"],
        launchTemplate={"id": inputs["launchTemplate"]["id"]},
        tags=inputs["tags"],
    )


def _addon(account: Account, one: Registered, inputs: Inputs) -> None:
    account.valid(
        "CreateAddon",
        clusterName=inputs["clusterName"],
        addonName=inputs["addonName"],
        addonVersion=inputs.get("addonVersion"),
        resolveConflicts=inputs["resolveConflictsOnCreate"],
        configurationValues=inputs.get("configurationValues"),
        podIdentityAssociations=inputs.get("podIdentityAssociations"),
        tags=inputs["tags"],
    )


def _entry(account: Account, one: Registered, inputs: Inputs) -> None:
    account.valid(
        "CreateAccessEntry",
        clusterName=inputs["clusterName"],
        principalArn=inputs["principalArn"],
        tags=inputs["tags"],
    )


def _access_policy(account: Account, one: Registered, inputs: Inputs) -> None:
    account.valid(
        "AssociateAccessPolicy",
        clusterName=inputs["clusterName"],
        principalArn=inputs["principalArn"],
        policyArn=inputs["policyArn"],
        accessScope=inputs["accessScope"],
    )


def _flow_log(account: Account, one: Registered, inputs: Inputs) -> None:
    group = inputs["logDestination"].rpartition(":log-group:")[2].removesuffix(":*")
    made = account.ec2.create_flow_logs(
        ResourceIds=[inputs["vpcId"]],
        ResourceType="VPC",
        TrafficType=inputs["trafficType"],
        LogDestinationType=inputs["logDestinationType"],
        LogGroupName=group,
        DeliverLogsPermissionArn=inputs["iamRoleArn"],
    )
    assert made["Unsuccessful"] == []


CALLS: Mapping[str, Callable[[Account, Registered, Inputs], None]] = {
    "AccessEntry": _entry,
    "AccessPolicyAssociation": _access_policy,
    "Addon": _addon,
    "Alias": _alias,
    "Cluster": _cluster,
    "DefaultSecurityGroup": _default_group,
    "Eip": _address,
    "FlowLog": _flow_log,
    "InternetGateway": _gateway,
    "Key": _key,
    "LaunchTemplate": _template,
    "LogGroup": _log_group,
    "NatGateway": _nat,
    "NodeGroup": _nodes,
    "Role": _role,
    "RolePolicy": _role_policy,
    "RolePolicyAttachment": _attachment,
    "Route": _route,
    "RouteTable": _routes,
    "RouteTableAssociation": _association,
    "SecurityGroup": _group,
    "SecurityGroupIngressRule": _rule,
    "Subnet": _subnet,
    "Vpc": _vpc,
    "VpcEndpoint": _endpoint,
}
"""What makes a resource, by the last part of its type."""
