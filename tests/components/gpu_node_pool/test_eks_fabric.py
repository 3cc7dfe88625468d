"""AWS's Elastic Fabric Adapter on a pool of EKS: interfaces, security group, placement, and what has none."""

import botocore.session
import pytest
from tests.components.gpu_node_pool.clouds import ANSWERS, COMPUTED, LAUNCH_TEMPLATE, eks, eks_args
from tests.components.harness import build

from corral.catalogue.instances import instances
from corral.components._kit import ArgsError
from corral.components.gpu_node_pool.eks import EksGpuNodePool

ONE = {"gpu": "L4", "instance_type": "g6.8xlarge", "efa": True}
RESERVED = {"capacity": {"purchase": "reserved", "reservation": "cr-1"}}
GROUP = "chat-fabric-id"
PLACEMENT = "aws:ec2/placementGroup:PlacementGroup"
RULES = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
}


def interfaces(graph):
    return graph.one(LAUNCH_TEMPLATE).inputs["networkInterfaces"]


def of_fabric(graph):
    return [one for one in interfaces(graph) if one.get("interfaceType") == "efa-only"]


def test_a_pool_without_it_has_one_interface_and_no_group_of_its_own():
    graph = eks()
    assert len(interfaces(graph)) == 1 and not graph.of(PLACEMENT)
    assert not graph.of("aws:ec2/securityGroup:SecurityGroup")


@pytest.mark.parametrize(
    ("machine", "gpu"),
    [("g6.8xlarge", "L4"), ("p4d.24xlarge", "A100-40GB"), ("p5.48xlarge", "H100-80GB")],
)
def test_every_card_of_the_instance_type_has_one_interface_of_the_fabric(machine, gpu):
    graph = eks(gpu=gpu, instance_type=machine, efa=True)
    cards = [one["networkCardIndex"] for one in of_fabric(graph)]
    assert cards == list(range(instances()[machine].efa))


def test_the_primary_interface_stays_an_ordinary_private_one_and_no_two_have_one_place():
    graph = eks(efa=True)
    primary, *others = interfaces(graph)
    assert primary["associatePublicIpAddress"] == "false" and primary["securityGroups"] == ["sg-cluster"]
    assert "interfaceType" not in primary and others == of_fabric(graph)
    places = [(one.get("networkCardIndex", 0), one["deviceIndex"]) for one in interfaces(graph)]
    assert len(set(places)) == len(places) == 33


def test_the_fabric_s_group_admits_its_own_members_alone_in_both_directions():
    graph = eks(efa=True)
    group = graph.one("aws:ec2/securityGroup:SecurityGroup")
    assert group.inputs["vpcId"] == "vpc-1" and not {"ingress", "egress"} & group.inputs.keys()
    rules = [one for kind in RULES for one in graph.of(kind)]
    assert len(rules) == 2
    for rule in rules:
        assert rule.inputs["securityGroupId"] == rule.inputs["referencedSecurityGroupId"] == GROUP
        assert rule.inputs["ipProtocol"] == "-1" and "cidrIpv4" not in rule.inputs
    assert all(one["securityGroups"] == [GROUP] for one in of_fabric(graph))


def test_nodes_are_near_each_other_unless_a_reservation_says_where_they_are():
    graph = eks(efa=True)
    group = graph.one(PLACEMENT)
    assert group.inputs["strategy"] == "cluster"
    assert graph.one(LAUNCH_TEMPLATE).inputs["placement"]["groupName"] == "near"
    reserved = eks(efa=True, **RESERVED)
    assert not reserved.of(PLACEMENT) and "placement" not in reserved.one(LAUNCH_TEMPLATE).inputs


def test_an_autoscaler_knows_the_interfaces_of_a_node_that_is_not_there_yet():
    tags = [one.inputs["tag"] for one in eks(efa=True).of("aws:autoscaling/tag:Tag")]
    key = "k8s.io/cluster-autoscaler/node-template/resources/vpc.amazonaws.com/efa"
    assert [one["value"] for one in tags if one["key"] == key] == ["32"]


def test_ec2_s_own_model_knows_every_key_and_word_of_it():
    model = botocore.session.get_session().get_service_model("ec2")
    graph = eks(efa=True)
    known = model.shape_for("LaunchTemplateInstanceNetworkInterfaceSpecificationRequest").members
    spelled = {"securityGroups": "Groups"}
    for one in interfaces(graph):
        for key, value in one.items():
            name = spelled.get(key, key[0].upper() + key[1:])
            assert name in known, name
            assert known[name].type_name != "integer" or isinstance(value, int | float)
    assert "efa-only" in known["InterfaceType"].documentation
    assert graph.one(PLACEMENT).inputs["strategy"] in model.shape_for("PlacementStrategy").enum
    assert "GroupName" in model.shape_for("LaunchTemplatePlacementRequest").members


@pytest.mark.parametrize(
    ("more", "line"),
    [
        (
            {**ONE, "instance_type": "g6.xlarge"},
            "chat.efa: g6.xlarge has no EFA; with L4 these have it: g6.8xlarge, ",
        ),
        ({"efa": True, "subnets": ["a", "b"]}, "chat.subnets: 2; the fabric ends with its zone"),
        (
            {"efa": True, "scaler": "karpenter", "size": {"min": 0, "max": 2}},
            "chat.efa: Karpenter adds interfaces for pods that ask for vpc.amazonaws.com/efa",
        ),
        (
            {"efa": True, "gpu": "B300-269GB", "instance_type": "p6-b300.48xlarge"},
            "chat.efa: how the network cards of p6-b300.48xlarge are numbered is unresolved",
        ),
    ],
)
def test_where_there_is_no_fabric_to_be_had_the_pool_is_refused_with_the_way_out(more, line):
    with pytest.raises(ArgsError) as refused:
        build(lambda: EksGpuNodePool("chat", eks_args(**more)), answers=ANSWERS, computed=COMPUTED)
    assert line in str(refused.value)
