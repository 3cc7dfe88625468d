"""The graph of a cluster on EKS."""

import json
import re
from pathlib import Path

import botocore.session
import pulumi
import pytest
from tests.components.eks_cluster.clusters import (
    ACCOUNT,
    BRANDENBURG,
    FRANKFURT,
    IRELAND,
    PARTITIONS,
    answers,
    cluster_args,
    computed,
    eks,
)
from tests.components.eks_cluster.sdk import wrong_inputs
from tests.components.harness import build

from corral.components.eks_cluster import EksCluster
from corral.components.gpu_node_pool.eks import EksGpuNodePool

ROOT = Path(__file__).parents[3]
OPEN = {"egress": "nat", "api_clients": ["192.0.2.0/24"]}
CONFIDENTIAL = {"instance_type": "m6a.xlarge", "confidential": True}


@pytest.fixture(scope="module")
def graph():
    return eks()


@pytest.mark.parametrize("region", [IRELAND, BRANDENBURG])
def test_every_input_is_one_that_the_sdk_has_with_its_type(region):
    for one in eks(region, network=OPEN, nodes=CONFIDENTIAL, addon_versions={"coredns": "v1.2.3-eksbuild.4"}):
        if one.custom:
            assert wrong_inputs(one.type, one.inputs) == [], one.name


def test_an_input_that_the_sdk_has_not_or_misses_is_noticed():
    assert wrong_inputs("aws:kms/alias:Alias", {"targetKeyID": "k"}) == [
        "Alias: the SDK has no 'targetKeyID'",
        "Alias: 'targetKeyId' is missing",
    ]
    nested = {"name": "c", "roleArn": "r", "vpcConfig": {"subnetIds": "a", "endpointPublic": False}}
    assert [line.partition(":")[0] for line in wrong_inputs("aws:eks/cluster:Cluster", nested)] == [
        "Cluster.vpcConfig",
        "Cluster.vpcConfig.subnetIds",
    ]


@pytest.mark.parametrize("region", PARTITIONS)
def test_every_resource_says_its_region_and_every_arn_is_of_its_partition(region):
    graph = eks(region, network=OPEN)
    for one in graph:
        if one.custom and not one.type.startswith("aws:iam/"):
            assert one.inputs["region"] == region, one.name
    written = repr([(one.inputs, one.outputs) for one in graph])
    other = {"aws": "arn:aws-eusc:", "aws-eusc": "arn:aws:"}[PARTITIONS[region]]
    assert f"arn:{PARTITIONS[region]}:" in written and other not in written


def test_in_the_european_sovereign_cloud_services_of_endpoints_have_its_names():
    names = [one.inputs["serviceName"] for one in eks(BRANDENBURG).of("VpcEndpoint")]
    assert names and all(name.startswith("eu.amazonaws.eusc-de-east-1.") for name in names)


def test_without_a_way_out_there_is_no_gateway_no_address_and_no_route(graph):
    for kind in ("InternetGateway", "NatGateway", "Eip", "Route"):
        assert graph.of(kind) == []


def test_each_zone_has_its_own_way_out_where_one_is_chosen():
    graph = eks(network=OPEN)
    zones = {f"{FRANKFURT}a", f"{FRANKFURT}b"}
    assert {one.name for one in graph.of("NatGateway")} == {f"models-nat-{zone}" for zone in zones}
    private = [one for one in graph.of("Route") if "natGatewayId" in one.inputs]
    for one in private:
        zone = one.name.removeprefix("models-route-")
        assert one.inputs["routeTableId"] == f"models-routes-{zone}-id"
        assert one.inputs["natGatewayId"] == f"models-nat-{zone}-id"
    assert len(private) == 2


def test_nodes_and_control_plane_have_the_private_subnets_alone():
    graph = eks(network=OPEN)
    private = [f"models-private-{FRANKFURT}{letter}-id" for letter in "ab"]
    assert graph.one("Cluster").inputs["vpcConfig"]["subnetIds"] == private
    assert graph.one("NodeGroup").inputs["subnetIds"] == private
    assert graph.one("EksCluster").outputs["subnets"] == private


def test_roles_enter_by_access_entries_and_whoever_made_the_cluster_does_not(graph):
    access = graph.one("Cluster").inputs["accessConfig"]
    assert access == {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    entry, policy = graph.one("AccessEntry"), graph.one("AccessPolicyAssociation")
    assert (
        entry.inputs["principalArn"]
        == policy.inputs["principalArn"]
        == f"arn:aws:iam::{ACCOUNT}:role/platform"
    )
    assert policy.inputs["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def test_network_policies_are_enforced(graph):
    addon = graph.one("Addon", "models-vpc-cni").inputs
    assert json.loads(addon["configurationValues"])["enableNetworkPolicy"] == "true"


def test_pods_that_act_in_aws_have_roles_of_their_own_and_nodes_do_not_lend_theirs(graph):
    accounts = {
        association["serviceAccount"]: association["roleArn"]
        for addon in graph.of("Addon")
        for association in addon.inputs.get("podIdentityAssociations", [])
    }
    assert accounts == {
        "aws-node": f"arn:aws:iam::{ACCOUNT}:role/models-vpc-cni-role",
        "ebs-csi-controller-sa": f"arn:aws:iam::{ACCOUNT}:role/models-aws-ebs-csi-driver-role",
    }
    trust = json.loads(graph.one("aws:iam/role:Role", "models-vpc-cni-role").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    nodes = {
        one.inputs["policyArn"]
        for one in graph.of("RolePolicyAttachment")
        if one.inputs["role"] == "models-nodes"
    }
    assert nodes == {
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }


def test_an_add_on_has_the_version_of_the_program_or_aws_s_default():
    graph = eks(addon_versions={"coredns": "v1.2.3-eksbuild.4"})
    assert graph.one("Addon", "models-coredns").inputs["addonVersion"] == "v1.2.3-eksbuild.4"
    assert "addonVersion" not in graph.one("Addon", "models-kube-proxy").inputs


def names_before(graph, kind, name=None):
    return {graph.by_urn(urn).name for urn in graph.before(graph.one(kind, name))}


def test_what_each_thing_needs_is_there_first():
    graph = eks(network=OPEN)
    before_cluster = names_before(graph, "Cluster")
    assert {
        "models-logs",
        "models-control-plane-AmazonEKSClusterPolicy",
        "models-control-plane-own",
    } <= before_cluster
    before_nodes = names_before(graph, "NodeGroup")
    assert {"models-vpc-cni", "models-kube-proxy", "models-eks-pod-identity-agent"} <= before_nodes
    assert {"models-endpoint-ecr.dkr", "models-endpoint-s3", f"models-route-{FRANKFURT}a"} <= before_nodes
    assert not {"models-coredns", "models-aws-ebs-csi-driver"} & before_nodes
    assert "models-system" in names_before(graph, "Addon", "models-coredns")


def test_what_cannot_be_made_again_is_protected_unless_the_program_says_otherwise():
    def protected(graph):
        return {one.type for one in graph if one.protect}

    assert protected(eks()) == {
        "aws:kms/key:Key",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:eks/cluster:Cluster",
    }
    free = eks(protect=False)
    assert protected(free) == set() and free.one("Cluster").inputs["deletionProtection"] is False


def test_the_key_over_disks_is_used_by_the_account_alone_and_through_ec2_of_the_region():
    policy = json.loads(eks(BRANDENBURG).one("aws:kms/key:Key", "models-disks").inputs["policy"])
    owner, disks = policy["Statement"]
    assert owner["Principal"] == {"AWS": f"arn:aws-eusc:iam::{ACCOUNT}:root"}
    assert disks["Condition"] == {
        "StringEquals": {"kms:CallerAccount": ACCOUNT},
        "StringLike": {"kms:ViaService": f"ec2.{BRANDENBURG}.*"},
    }


def test_the_page_has_the_statements_that_keys_of_ones_own_need():
    page = (ROOT / "docs" / "eks.md").read_text()
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    # What AWS's provider answers is the same for every service here.
    stated = json.loads(block.replace("corral-eks-eusc", "models").replace("logs.eusc", "service.eusc"))
    graph = eks(BRANDENBURG)
    made = [
        statement
        for purpose in ("logs", "disks")
        for statement in json.loads(graph.one("aws:kms/key:Key", f"models-{purpose}").inputs["policy"])[
            "Statement"
        ]
    ]
    assert stated == [one for one in made if one["Sid"] in ("LogsOfThisCluster", "DisksThroughEc2")]


def test_keys_that_are_there_are_used_and_no_other_is_made():
    keys = {one: f"arn:aws:kms:{FRANKFURT}:{ACCOUNT}:key/{one}" for one in ("secrets", "logs", "disks")}
    graph = eks(keys=keys)
    assert graph.of("aws:kms/key:Key") == []
    assert graph.one("Cluster").inputs["encryptionConfig"]["provider"]["keyArn"] == keys["secrets"]
    assert {one.inputs["kmsKeyId"] for one in graph.of("LogGroup")} == {keys["logs"]}
    assert graph.one("LaunchTemplate").inputs["blockDeviceMappings"][0]["ebs"]["kmsKeyId"] == keys["disks"]
    assert graph.one("EksCluster").outputs["disk_key"] == keys["disks"]


@pytest.mark.parametrize(
    ("machine", "image"),
    [
        ("m7i.xlarge", "AL2023_x86_64_STANDARD"),
        ("m6a.large", "AL2023_x86_64_STANDARD"),
        ("m7g.xlarge", "AL2023_ARM_64_STANDARD"),
        ("c7gn.2xlarge", "AL2023_ARM_64_STANDARD"),
    ],
)
def test_the_image_has_the_machine_s_processor(machine, image):
    assert eks(nodes={"instance_type": machine}).one("NodeGroup").inputs["amiType"] == image


def test_there_is_a_node_in_each_zone_and_room_for_as_many_again():
    scaling = eks(zones=[f"{FRANKFURT}{one}" for one in "abc"]).one("NodeGroup").inputs["scalingConfig"]
    assert (scaling["minSize"], scaling["maxSize"], scaling["desiredSize"]) == (3, 6, 3)


def test_the_api_is_reached_from_the_named_networks_alone(graph):
    assert graph.of("SecurityGroupIngressRule") == []
    rule = eks(network=OPEN).one("SecurityGroupIngressRule").inputs
    assert (rule["cidrIpv4"], rule["fromPort"], rule["toPort"]) == ("192.0.2.0/24", 443, 443)
    assert rule["securityGroupId"] == "sg-cluster"


@pytest.mark.parametrize("region", PARTITIONS)
def test_the_kubeconfig_is_a_secret_without_a_credential_whose_user_asks_aws_for_a_token(region):
    seen = []

    def program():
        cluster = EksCluster("models", cluster_args(region, cluster_name="shared"))
        seen.append(cluster.kubeconfig.is_secret())
        pulumi.Output.from_input(seen[0]).apply(lambda secret: seen.append(secret))

    graph = build(program, answers=answers(region), computed=computed(region))
    assert seen[1] is True
    document = json.loads(graph.one("EksCluster").outputs["kubeconfig"])
    (user,) = document["users"]
    assert set(user["user"]) == {"exec"} and user["user"]["exec"]["command"] == "aws"
    assert user["user"]["exec"]["args"][:6] == [
        *("eks", "get-token", "--cluster-name", "shared", "--region"),
        region,
    ]
    (cluster,) = document["clusters"]
    assert cluster["cluster"] == {"server": "https://0123.gr7.eks.test", "certificate-authority-data": "Q0E="}


def test_a_preview_goes_through_before_anything_is_there():
    graph = eks(preview=True, network=OPEN)
    assert graph.one("NodeGroup").inputs["scalingConfig"]["minSize"] == 2


def pool_on(preview, more_answers):
    """A cluster and a GPU pool on it, in one program."""

    def program():
        cluster = EksCluster("models", cluster_args())
        EksGpuNodePool(
            "chat",
            {
                "pool": "chat",
                "gpu": "H100-80GB",
                "instance_type": "p5.48xlarge",
                "cluster": cluster.name,
                "subnets": [cluster.subnets[0], cluster.subnets[1]],
                "disk": {"key": cluster.disk_key},
            },
        )

    group = {"resources": [{"autoscalingGroups": [{"name": "group"}]}], "nodeGroupName": "chat"}
    return build(
        program,
        preview=preview,
        answers={
            **answers(FRANKFURT),
            "aws:index/getPartition:getPartition": {"partition": "aws"},
            **more_answers,
        },
        computed={**computed(FRANKFURT), "aws:eks/nodeGroup:NodeGroup": group},
    )


def test_a_gpu_pool_takes_the_cluster_as_it_is():
    described = {"vpcConfig": {"clusterSecurityGroupId": "sg-cluster"}}
    graph = pool_on(False, {"aws:eks/getCluster:getCluster": described})
    pool = graph.one("NodeGroup", "chat-nodes").inputs
    assert pool["clusterName"] == "models"
    assert pool["subnetIds"] == graph.one("EksCluster").outputs["subnets"]
    disk = graph.one("LaunchTemplate", "chat-template").inputs["blockDeviceMappings"][0]["ebs"]
    assert disk["kmsKeyId"] == graph.one("EksCluster").outputs["disk_key"]


def test_in_a_preview_before_the_cluster_is_there_nobody_looks_it_up():
    # AWS would know of none; so does this provider, whose answer is empty.
    graph = pool_on(True, {"aws:eks/getCluster:getCluster": {}})
    assert graph.of("NodeGroup")


def test_every_child_belongs_to_the_cluster_and_two_of_one_program_do_not_collide():
    graph = eks()
    cluster = graph.one("EksCluster")
    assert graph.child_of(cluster) == [one for one in graph if one is not cluster]

    def program():
        EksCluster("models", cluster_args())
        EksCluster("more", cluster_args())

    both = build(program, answers=answers(FRANKFURT), computed=computed(FRANKFURT))
    assert len(both.of("EksCluster")) == 2


def test_every_word_is_one_that_aws_s_own_models_know():
    model = botocore.session.get_session().get_service_model
    graph = eks(IRELAND, network=OPEN, nodes=CONFIDENTIAL)
    group, template, cluster = (graph.one(one).inputs for one in ("NodeGroup", "LaunchTemplate", "Cluster"))
    disk = template["blockDeviceMappings"][0]["ebs"]
    words = [
        ("eks", "AMITypes", group["amiType"]),
        ("eks", "CapacityTypes", group["capacityType"]),
        ("eks", "AuthenticationMode", cluster["accessConfig"]["authenticationMode"]),
        *(("eks", "LogType", one) for one in cluster["enabledClusterLogTypes"]),
        *(("eks", "ResolveConflicts", one.inputs["resolveConflictsOnCreate"]) for one in graph.of("Addon")),
        ("ec2", "VolumeType", disk["volumeType"]),
        ("ec2", "InstanceType", template["instanceType"]),
        ("ec2", "LaunchTemplateHttpTokensState", template["metadataOptions"]["httpTokens"]),
        ("ec2", "AmdSevSnpSpecification", template["cpuOptions"]["amdSevSnp"]),
        *(("ec2", "VpcEndpointType", one.inputs["vpcEndpointType"]) for one in graph.of("VpcEndpoint")),
        ("ec2", "DomainType", graph.of("Eip")[0].inputs["domain"]),
    ]
    for service, shape, word in words:
        assert word in model(service).shape_for(shape).enum, f"{shape}: {word}"
