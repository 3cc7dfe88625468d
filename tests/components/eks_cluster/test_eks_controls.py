"""The pack's controls over the whole graph of a cluster: none stops it, and without a safeguard one does."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from tests.components import safeguards
from tests.components.eks_cluster.clusters import BRANDENBURG, FRANKFURT, eks
from tests.components.safeguards import changed, setting, without

from corral.controls.control import Resource

EXTERNAL = {
    purpose: f"arn:aws-eusc:kms:{BRANDENBURG}:111122223333:key/{purpose}"
    for purpose in ("secrets", "logs", "disks")
}
"""Keys that an external key store holds, which the profiles with keys outside the provider demand."""
OWNED = {"owner": "platform", "data-class": "internal"}
CLOSED = {
    "keys": EXTERNAL,
    "tags": OWNED,
    "nodes": {"instance_type": "m6a.xlarge", "confidential": True},
}
WORLDS: dict[str, tuple[str, dict[str, Any]]] = {
    "eu-resident": (FRANKFURT, {"network": {"egress": "nat", "api_clients": ["192.0.2.0/24"]}}),
    "eu-controlled": (FRANKFURT, {"network": {"api_clients": ["192.0.2.0/24"]}}),
    "eu-controlled in the sovereign cloud": (BRANDENBURG, {}),
    "eu-sovereign": (BRANDENBURG, CLOSED),
    "air-gapped": (BRANDENBURG, CLOSED),
}
"""Region and arguments of a cluster for each profile, whose name is the first word."""


@cache
def resources(name: str) -> tuple[Resource, ...]:
    """What the pack sees of the cluster for profile `name`."""
    region, more = WORLDS[name]
    graph = eks(region, **more)
    named = {f"{one.name}-id": one.urn for one in graph}
    return tuple(
        Resource(
            one.type,
            one.name,
            one.inputs,
            urn=one.urn,
            provider={"region": region},
            ignore_changes=one.ignored,
            protect=one.protect,
            refers={
                key: [named[value]]
                for key, value in one.inputs.items()
                if isinstance(value, str) and value in named
            },
        )
        for one in graph
        if one.custom
    )


def stopped(subjects: tuple[Resource, ...], name: str) -> set[tuple[str, str]]:
    """Violations under profile `name` in its region."""
    return safeguards.stopped(subjects, name.split()[0], WORLDS[name][0])


@pytest.mark.parametrize("name", [name for name in WORLDS if name != "air-gapped"])
def test_no_control_stops_a_cluster(name):
    assert stopped(resources(name), name) == set()


def test_air_gapped_takes_no_cloud_provider_and_issuer_and_backup_are_the_program_s_to_add():
    subjects = resources("air-gapped")
    found = stopped(subjects, "air-gapped")
    placed = {one.name for one in subjects if not one.type.startswith("aws:iam/")}
    assert {name for control, name in found if control == "SOV-OPR-01"} == placed
    added = {("SOV-LCK-05", "models-cluster"), ("SOV-LCK-06", "models-cluster")}
    assert {one for one in found if one[0] != "SOV-OPR-01"} == added


def open_to_any_account(props: dict[str, Any]) -> None:
    document = json.loads(props["policy"])
    for statement in document["Statement"]:
        statement.pop("Condition", None)
    props["policy"] = json.dumps(document)


SAFEGUARDS = [
    ("SOV-KEY-01", "eu-resident", "Cluster", without("encryptionConfig")),
    ("SOV-KEY-02", "eu-controlled", "LaunchTemplate", without("blockDeviceMappings.0.ebs.kmsKeyId")),
    ("SOV-KEY-05", "eu-controlled", "LogGroup", without("kmsKeyId")),
    ("SOV-KEY-06", "eu-controlled", "Key", without("enableKeyRotation")),
    ("SOV-KEY-06", "eu-controlled", "Key", setting("deletionWindowInDays", 7)),
    ("SOV-KEY-08", "eu-resident", "Key", open_to_any_account),
    ("SOV-KEY-13", "eu-resident", "LaunchTemplate", without("blockDeviceMappings.0.ebs.encrypted")),
    ("SOV-NET-01", "eu-resident", "Cluster", without("vpcConfig.endpointPublicAccess")),
    ("SOV-NET-01", "eu-resident", "Cluster", without("vpcConfig.endpointPrivateAccess")),
    ("SOV-NET-02", "eu-controlled", "Subnet", setting("mapPublicIpOnLaunch", True)),
    (
        "SOV-NET-02",
        "eu-controlled",
        "LaunchTemplate",
        setting("networkInterfaces.0.associatePublicIpAddress", "true"),
    ),
    ("SOV-NET-03", "eu-resident", "SecurityGroupIngressRule", setting("cidrIpv4", "0.0.0.0/0")),
    ("SOV-NET-03", "eu-resident", "SecurityGroup", setting("ingress.0.cidrBlocks", ["0.0.0.0/0"])),
    ("SOV-NET-09", "eu-controlled", "LaunchTemplate", without("metadataOptions.httpTokens")),
    ("SOV-NET-09", "eu-controlled", "LaunchTemplate", setting("metadataOptions.httpPutResponseHopLimit", 2)),
    ("SOV-AUD-01", "eu-controlled", "Cluster", setting("enabledClusterLogTypes", ["api"])),
    ("SOV-AUD-02", "eu-controlled", "LogGroup", setting("retentionInDays", 30)),
    ("SOV-NET-10", "eu-controlled", "FlowLog", setting("trafficType", "REJECT")),
    ("SOV-RES-01", "eu-resident", "Vpc", setting("region", "us-east-1")),
    (
        "SOV-RES-02",
        "eu-sovereign",
        "RolePolicyAttachment",
        setting("policyArn", "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"),
    ),
    ("SOV-RES-02", "eu-sovereign", "LogGroup", setting("kmsKeyId", "arn:aws:kms:eu-central-1:1:key/k")),
    ("SOV-TEE-01", "air-gapped", "LaunchTemplate", without("cpuOptions")),
]


@pytest.mark.parametrize(
    ("control", "name", "kind", "change"),
    SAFEGUARDS,
    ids=[f"{control} {kind} {index}" for index, (control, _, kind, _) in enumerate(SAFEGUARDS)],
)
def test_without_a_safeguard_its_control_stops_the_cluster(control, name, kind, change):
    assert control in {one for one, _ in stopped(changed(resources(name), kind, change), name)}


@pytest.mark.parametrize("kind", ["Key", "Cluster"])
def test_what_may_be_deleted_with_the_stack_is_stopped(kind):
    subjects = tuple(
        replace(one, protect=False, props={**one.props, "deletionProtection": False})
        if one.type.endswith(f":{kind}")
        else one
        for one in resources("eu-controlled")
    )
    assert "SOV-OPS-06" in {one for one, _ in stopped(subjects, "eu-controlled")}


def test_a_way_to_the_internet_is_stopped_where_there_is_none():
    region = BRANDENBURG
    open_network = tuple(
        Resource(one.type, one.name, one.inputs, provider={"region": region}, protect=one.protect)
        for one in eks(region, **CLOSED, network={"egress": "nat"})
        if one.custom
    )
    found = {name for control, name in stopped(open_network, "air-gapped") if control == "SOV-OFF-01"}
    assert {"models-internet", f"models-nat-{region}a", f"models-route-{region}b"} <= found
    closed = {control for control, _ in stopped(resources("air-gapped"), "air-gapped")}
    assert "SOV-OFF-01" not in closed


def test_keys_that_the_provider_makes_are_stopped_where_they_must_come_from_outside():
    made = tuple(
        Resource(one.type, one.name, one.inputs, provider={"region": BRANDENBURG}, protect=one.protect)
        for one in eks(BRANDENBURG)
        if one.custom
    )
    found = {name for control, name in stopped(made, "eu-sovereign") if control == "SOV-KEY-07"}
    assert found == {"models-secrets", "models-logs", "models-disks"}
