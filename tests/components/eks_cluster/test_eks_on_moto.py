"""A cluster's resources made by moto, through the calls of AWS's own client, in either partition."""

import json
import os
from unittest import mock

import moto
import pytest
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from tests.components.eks_cluster.aws_calls import Account
from tests.components.eks_cluster.clusters import BRANDENBURG, PARTITIONS, eks

pytestmark = pytest.mark.exhaustive

# moto 5.2.5 knows the partition, and no zone of its region.
ZONES = {BRANDENBURG: [Zone(f"{BRANDENBURG}{one}", BRANDENBURG, f"eusc1-az{one}") for one in "ab"]}


@pytest.fixture(scope="module")
def accounts():
    """An account in each partition with a cluster, by region."""
    network = {"egress": "nat", "api_clients": ["192.0.2.0/24"]}
    graphs = {region: eks(region, network=network) for region in PARTITIONS}
    with (
        mock.patch.dict(os.environ, {"AWS_CONFIG_FILE": os.devnull}),
        mock.patch.dict(RegionsAndZonesBackend.zones, ZONES),
        moto.mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
    ):
        made = {region: Account(region) for region in PARTITIONS}
        for region, graph in graphs.items():
            made[region].make(graph)
        yield made


@pytest.fixture(params=PARTITIONS)
def account(request, accounts):
    return accounts[request.param]


def test_the_cluster_is_private_logs_everything_and_encrypts_secrets(account):
    cluster = account.eks.describe_cluster(name="models")["cluster"]
    assert cluster["arn"].startswith(f"arn:{PARTITIONS[account.region]}:eks:{account.region}:")
    assert not cluster["resourcesVpcConfig"]["endpointPublicAccess"]
    assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"]
    (logs,) = [one for one in cluster["logging"]["clusterLogging"] if one["enabled"]]
    assert len(logs["types"]) == 5
    (encryption,) = cluster["encryptionConfig"]
    key = account.kms.describe_key(KeyId=encryption["provider"]["keyArn"])["KeyMetadata"]
    assert encryption["resources"] == ["secrets"] and key["KeyManager"] == "CUSTOMER"
    assert account.kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]


def test_logs_lie_under_a_key_whose_policy_names_their_groups(account):
    group, flows = account.logs.describe_log_groups()["logGroups"]
    assert group["logGroupName"] == "/aws/eks/models/cluster" and group["retentionInDays"] == 365
    assert flows["kmsKeyId"] == group["kmsKeyId"] and flows["retentionInDays"] == 365
    policy = json.loads(account.kms.get_key_policy(KeyId=group["kmsKeyId"], PolicyName="default")["Policy"])
    (condition,) = [one["Condition"]["ArnEquals"] for one in policy["Statement"] if "Condition" in one]
    (named,) = condition.values()
    for arn, one in zip(named, (group, flows), strict=True):
        assert arn.split(":")[1:4] == [PARTITIONS[account.region], "logs", account.region]
        assert arn.endswith(f":log-group:{one['logGroupName']}")


def test_all_traffic_of_the_network_is_recorded(account):
    cluster = account.eks.describe_cluster(name="models")["cluster"]
    (flows,) = account.ec2.describe_flow_logs()["FlowLogs"]
    subnets = account.ec2.describe_subnets(SubnetIds=cluster["resourcesVpcConfig"]["subnetIds"])["Subnets"]
    assert {one["VpcId"] for one in subnets} == {flows["ResourceId"]}
    assert (flows["TrafficType"], flows["LogDestinationType"]) == ("ALL", "cloud-watch-logs")
    role = flows["DeliverLogsPermissionArn"].rpartition("/")[2]
    (rights,) = account.iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = account.iam.get_role_policy(RoleName=role, PolicyName=rights)["PolicyDocument"]
    assert "logs:PutLogEvents" in document["Statement"][0]["Action"]


def test_subnets_are_private_in_two_zones_and_their_way_out_is_the_gateway_of_their_zone(account):
    cluster = account.eks.describe_cluster(name="models")["cluster"]
    ids = cluster["resourcesVpcConfig"]["subnetIds"]
    subnets = account.ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    assert {one["AvailabilityZone"] for one in subnets} == {f"{account.region}a", f"{account.region}b"}
    assert not any(one["MapPublicIpOnLaunch"] for one in subnets)
    for subnet in subnets:
        (table,) = account.ec2.describe_route_tables(
            Filters=[{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}]
        )["RouteTables"]
        assert not any("igw" in str(route.get("GatewayId")) for route in table["Routes"])
        (nat,) = [route["NatGatewayId"] for route in table["Routes"] if "NatGatewayId" in route]
        (gateway,) = account.ec2.describe_nat_gateways(NatGatewayIds=[nat])["NatGateways"]
        (public,) = account.ec2.describe_subnets(SubnetIds=[gateway["SubnetId"]])["Subnets"]
        assert public["AvailabilityZone"] == subnet["AvailabilityZone"]


def test_endpoints_have_the_names_of_their_partition(account):
    names = {one["ServiceName"] for one in account.ec2.describe_vpc_endpoints()["VpcEndpoints"]}
    prefix = {"aws": "com.amazonaws", "aws-eusc": "eu.amazonaws"}[PARTITIONS[account.region]]
    assert {f"{prefix}.{account.region}.{one}" for one in ("ecr.dkr", "s3", "sts", "eks-auth")} <= names
    assert all(name.startswith(f"{prefix}.{account.region}.") for name in names)


def test_the_network_s_default_group_lets_nothing_through(account):
    cluster = account.eks.describe_cluster(name="models")["cluster"]
    (subnet,) = account.ec2.describe_subnets(SubnetIds=cluster["resourcesVpcConfig"]["subnetIds"][:1])[
        "Subnets"
    ]
    (group,) = account.ec2.describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [subnet["VpcId"]]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    assert group["IpPermissionsEgress"] == []


def test_nodes_need_tokens_and_their_disks_lie_under_a_key_of_the_customer_s(account):
    group = account.eks.describe_nodegroup(clusterName="models", nodegroupName="models-system")["nodegroup"]
    (version,) = account.ec2.describe_launch_template_versions(
        LaunchTemplateId=group["launchTemplate"]["id"]
    )["LaunchTemplateVersions"]
    data = version["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    (disk,) = data["BlockDeviceMappings"]
    assert disk["Ebs"]["Encrypted"] and disk["Ebs"]["VolumeType"] == "gp3"
    assert account.kms.describe_key(KeyId=disk["Ebs"]["KmsKeyId"])["KeyMetadata"]["KeyManager"] == "CUSTOMER"


def test_every_role_has_policies_that_aws_has_and_trusts_one_service(account):
    roles = [one for one in account.iam.list_roles()["Roles"] if one["RoleName"].startswith("models-")]
    assert len(roles) == 5
    for role in roles:
        attached = account.iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        assert attached or account.iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
        for policy in attached:
            found = account.iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]
            assert found["Arn"].startswith(f"arn:{PARTITIONS[account.region]}:iam::aws:policy/")
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert set(statement["Principal"]) == {"Service"}
