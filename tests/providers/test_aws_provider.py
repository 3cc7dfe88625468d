"""What the test provider of AWS refuses, as the engine asks it."""

import json
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc
from tests.providers.aws.calls import KINDS
from tests.providers.provider import struct
from tests.providers.schema import UNKNOWN, inputs_of

PLACEMENT, TEMPLATE = "aws:ec2/placementGroup:PlacementGroup", "aws:ec2/launchTemplate:LaunchTemplate"
VPC, GROUP, ROLE = "aws:ec2/vpc:Vpc", "aws:eks/nodeGroup:NodeGroup", "aws:iam/role:Role"
NODES = {
    "clusterName": "models",
    "nodeRoleArn": "arn:aws:iam::123456789012:role/nodes",
    "subnetIds": ["subnet-a"],
    "scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 1},
}


def urn(token: str, name: str = "one") -> str:
    return f"urn:pulumi:test::own::corral:index:EksCluster${token}::{name}"


@pytest.fixture(scope="module")
def engine(served: Any) -> Any:
    """The provider as the engine calls it."""
    with grpc.insecure_channel(f"127.0.0.1:{served[1]}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.Configure(provider_pb2.ConfigureRequest(variables={"aws:config:region": "eu-central-1"}))
        yield stub


def check(engine: Any, token: str, inputs: dict[str, Any], name: str = "one", **more: Any) -> Any:
    request = provider_pb2.CheckRequest(urn=urn(token, name), news=struct(inputs), randomSeed=b"1", **more)
    return engine.Check(request)


@pytest.mark.parametrize(
    ("token", "inputs", "property", "reason"),
    [
        (VPC, {"cidr": "10.0.0.0/16"}, "cidr", "unknown; allowed are "),
        (VPC, {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": "true"}, "enableDnsSupport", "true or false"),
        (VPC, {"tags": {"a": 1}}, "tags['a']", "1 is not text"),
        (GROUP, {**NODES, "nodeRoleArn": None}, "nodeRoleArn", "missing, and required"),
        (GROUP, {**NODES, "subnetIds": "subnet-a"}, "subnetIds", "'subnet-a' is no list"),
        (GROUP, {**NODES, "subnetIds": [1]}, "subnetIds[0]", "1 is not text"),
        (
            GROUP,
            {**NODES, "scalingConfig": {"minSize": 1.5, "maxSize": 2, "desiredSize": 1}},
            "scalingConfig.minSize",
            "1.5 is not a whole number",
        ),
        (
            GROUP,
            {**NODES, "scalingConfig": {"minSize": 1, "maxSize": 2}},
            "scalingConfig.desiredSize",
            "missing, and required",
        ),
        (
            GROUP,
            {**NODES, "taints": [{"key": "a", "effect": "NO_SCHEDULE", "operator": "Exists"}]},
            "taints[0].operator",
            "unknown; allowed are effect, key, value",
        ),
        ("aws:ec2/instance:Instance", {}, "aws:ec2/instance:Instance", "not a type"),
    ],
)
def test_an_input_that_the_sdk_does_not_have_is_refused_in_one_line(engine, token, inputs, property, reason):
    (failure,) = check(engine, token, inputs).failures
    assert failure.property == property
    assert reason in failure.reason and "\n" not in failure.reason


@pytest.mark.parametrize(
    ("token", "inputs", "property", "reason"),
    [
        (PLACEMENT, {"strategy": "near"}, "strategy", "'near' is none of cluster, spread, partition"),
        (
            TEMPLATE,
            {"networkInterfaces": [{}, {"deviceIndex": 1, "interfaceType": "rdma"}]},
            "networkInterfaces[1].interfaceType",
            "'rdma' is none of interface, efa, efa-only",
        ),
        (
            TEMPLATE,
            {"networkInterfaces": [{}, {"interfaceType": "efa-only"}]},
            "networkInterfaces[1].deviceIndex",
            "0 on card 0 is that of another interface",
        ),
        (
            TEMPLATE,
            {"networkInterfaces": [{"interfaceType": "efa-only", "associatePublicIpAddress": "false"}]},
            "networkInterfaces[0].associatePublicIpAddress",
            "no addresses",
        ),
    ],
)
def test_a_fabric_that_ec2_does_not_have_is_refused(engine, token, inputs, property, reason):
    (failure,) = check(engine, token, inputs).failures
    assert failure.property == property
    assert reason in failure.reason


def test_a_launch_template_of_a_placement_group_that_is_not_there_is_refused(engine):
    made = struct({"name": "near", "placement": {"groupName": "near"}})
    with pytest.raises(grpc.RpcError, match="The placement group near is unknown"):
        engine.Create(provider_pb2.CreateRequest(urn=urn(TEMPLATE), properties=made))


def test_what_preview_does_not_know_yet_is_no_fault(engine):
    unknown = {**NODES, "clusterName": UNKNOWN, "subnetIds": UNKNOWN, "labels": {"a": UNKNOWN}}
    assert not check(engine, GROUP, unknown).failures
    assert not check(engine, PLACEMENT, {"strategy": UNKNOWN}).failures
    assert not check(engine, TEMPLATE, {"networkInterfaces": UNKNOWN}).failures


def test_a_name_is_made_once_and_stays_and_one_that_is_too_long_is_refused(engine):
    role = {"assumeRolePolicy": "{}"}
    first = check(engine, ROLE, role).inputs
    assert first["name"].startswith("one-") and len(first["name"]) == len("one-1234567")
    assert check(engine, ROLE, role, olds=first).inputs == first
    (failure,) = check(engine, ROLE, role, name="x" * 57).failures
    assert failure.property == "name" and failure.reason.endswith("has more than 64 characters")


def test_aws_s_own_refusal_is_the_resource_s_error(engine):
    inputs = struct({"cidrBlock": "10.0.0.0/8"})
    with pytest.raises(grpc.RpcError, match=r"InvalidVpc\.Range"):
        engine.Create(provider_pb2.CreateRequest(urn=urn(VPC), properties=inputs))


def test_the_replacing_inputs_of_every_type_are_inputs_of_the_sdk_s():
    for token, kind in KINDS.items():
        assert kind.replaces <= {*inputs_of(token), "region"}, token
        assert kind.named is None or kind.named in kind.replaces, token


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"scalingConfig": {"minSize": 2, "maxSize": 2, "desiredSize": 2}}, []),
        ({"subnetIds": ["subnet-b"]}, ["subnetIds"]),
        ({"capacityType": "SPOT"}, ["capacityType"]),
    ],
)
def test_a_change_replaces_what_cannot_be_changed(engine, change, replaces):
    old = check(engine, GROUP, {**NODES, "capacityType": "ON_DEMAND"}).inputs
    new = check(engine, GROUP, {**NODES, "capacityType": "ON_DEMAND", **change}, olds=old).inputs
    diff = engine.Diff(provider_pb2.DiffRequest(urn=urn(GROUP), id="a:b", old_inputs=old, news=new))
    assert diff.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(diff.replaces) == replaces and list(diff.diffs) == list(change)
    assert not diff.deleteBeforeReplace, "a name of its own lets it be made first"


def test_the_order_of_a_list_and_the_spelling_of_a_policy_are_no_change(engine):
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}
    old = check(engine, ROLE, {"assumeRolePolicy": json.dumps(policy)}).inputs
    new = check(engine, ROLE, {"assumeRolePolicy": json.dumps(policy, indent=1)}, olds=old).inputs
    diff = engine.Diff(provider_pb2.DiffRequest(urn=urn(ROLE), id="a", old_inputs=old, news=new))
    assert diff.changes == provider_pb2.DiffResponse.DIFF_NONE
