"""The committed stacks on EKS as graphs: network, cluster, nodes, and the platform on them."""

import gzip
import json
from functools import cache
from importlib import resources
from typing import Any

import moto.ec2
import pytest
from tests.components.eks_cluster.clusters import BRANDENBURG, FRANKFURT
from tests.components.harness import Graph, Registered
from tests.deploy.eks_stack import APPROVED, built, content, planned
from tests.deploy.violations import Violations
from tests.marks import first_of

from corral.catalogue.vocabulary import StorageKind
from corral.stacks.config.errors import StackErrors
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.scope import cluster_lines

REGIONS = {"eks-eu": FRANKFURT, "eks-eusc": BRANDENBURG}


@cache
def plan_of(stack: str) -> Plan:
    return planned(content(stack), stack)


@cache
def graph_of(stack: str) -> Graph:
    return built(plan_of(stack), region=REGIONS[stack])


@cache
def preview_of(stack: str) -> Graph:
    return built(plan_of(stack), preview=True, region=REGIONS[stack])


@pytest.fixture(params=first_of(REGIONS))
def stack(request: pytest.FixtureRequest) -> str:
    return request.param


def known(stack: str) -> Violations:
    return Violations(plan_of(stack), graph_of(stack), {"region": REGIONS[stack]})


def test_no_control_stops_the_stack(stack):
    assert known(stack).of(graph_of(stack)) == ([], set())


def test_what_is_made_in_aws_is_made_by_one_provider_in_the_region_of_the_profile(stack):
    graph = graph_of(stack)
    (provider,) = graph.of("pulumi:providers:aws")
    assert provider.inputs["region"] == REGIONS[stack]
    made = [one for one in graph if one.type.startswith("aws:")]
    assert len(made) > 40
    assert [one.name for one in made if "providers:aws::aws::" not in one.provider] == []
    other = {FRANKFURT: BRANDENBURG, BRANDENBURG: FRANKFURT}[REGIONS[stack]]
    assert [one.name for one in made if other in json.dumps(one.inputs)] == []


def test_every_object_goes_to_the_cluster_that_the_stack_makes(stack):
    graph = graph_of(stack)
    (provider,) = graph.of("pulumi:providers:kubernetes")
    assert "kubeconfig" in provider.secrets
    kubeconfig = json.loads(provider.inputs["kubeconfig"])
    (user,) = kubeconfig["users"]
    eks = plan_of(stack).cluster.eks
    assert eks is not None
    assert user["user"]["exec"]["command"] == "aws"
    assert user["user"]["exec"]["args"][:4] == ["eks", "get-token", "--cluster-name", eks.name]
    objects = [one for one in graph if one.type.startswith("kubernetes:")]
    assert len(objects) > 80
    assert [one.name for one in objects if "providers:kubernetes::cluster::" not in one.provider] == []


def test_the_api_is_reached_from_the_networks_of_the_stack_file_alone(stack):
    cluster = graph_of(stack).one("aws:eks/cluster:Cluster")
    assert cluster.inputs["vpcConfig"]["endpointPublicAccess"] is False
    assert cluster.inputs["vpcConfig"]["endpointPrivateAccess"] is True
    rules = graph_of(stack).of("SecurityGroupIngressRule")
    assert [(one.inputs["cidrIpv4"], one.inputs["fromPort"]) for one in rules] == [("10.8.0.0/16", 443)]
    assert graph_of(stack).of("NatGateway") == []


def groups(graph: Graph) -> list[Registered]:
    return [one for one in graph.of("NodeGroup") if one.name != "eks-system"]


def test_the_nodes_of_a_pool_are_what_the_plan_has(stack):
    (pool,) = plan_of(stack).pools
    (group,) = groups(graph_of(stack))
    assert group.inputs["scalingConfig"] == {"minSize": 1, "maxSize": 1, "desiredSize": 1}
    assert group.inputs["labels"]["corral.dev/pool"] == pool.name
    assert group.inputs["labels"].get("nvidia.com/mig.config") == pool.nodes[0].mig_config
    template = graph_of(stack).one("LaunchTemplate", f"{pool.name}-template")
    assert template.inputs["instanceType"] == pool.instance
    key = template.inputs["blockDeviceMappings"][0]["ebs"]["kmsKeyId"]
    assert f":kms:{REGIONS[stack]}:" in key


def test_nodes_come_once_their_layouts_are_there(stack):
    graph = graph_of(stack)
    (group,) = groups(graph)
    before = {graph.by_urn(urn).name for urn in graph.before(group)}
    assert {"eks-cluster", "gpu-operator-chart", "dra-driver-chart"} <= before


def test_a_pool_with_two_layouts_is_two_groups_of_nodes():
    stated = content()
    stated["gpu-pools"][0]["nodes"] = {"min": 2, "max": 2}
    stated["models"][0]["replicas"] = 20
    stated["budget"]["monthly"] = 90000
    made = planned(stated)
    layouts = [node.mig_config for node in made.pools[0].nodes]
    assert len(set(layouts)) == 2
    found = {one.name: one.inputs for one in groups(built(made))}
    assert set(found) == {"slices-nodes", "slices-2-nodes"}
    assert [one["labels"]["nvidia.com/mig.config"] for one in found.values()] == list(dict.fromkeys(layouts))
    assert {one["labels"]["corral.dev/pool"] for one in found.values()} == {"slices"}
    assert [one["scalingConfig"]["maxSize"] for one in found.values()] == [1, 1]


def test_a_pool_with_the_fabric_of_aws_is_in_one_zone_and_one_placement_group():
    stated = content()
    fabric = {"fabric": "efa", "zone": "eu-central-1b", "sharing": "whole", "nodes": {"min": 2, "max": 2}}
    stated["gpu-pools"][0].update(fabric)
    stated["budget"]["monthly"] = 90000
    made = planned(stated)
    graph = built(made)
    template = graph.one("LaunchTemplate", "slices-template").inputs
    kinds = [one.get("interfaceType") for one in template["networkInterfaces"]]
    assert kinds.count("efa-only") == 4, "instances.yaml: interfaces of a p4de.24xlarge"
    near = graph.one("PlacementGroup")
    assert near.inputs["strategy"] == "cluster"
    plugin = graph.one("Release", "efa-device-plugin-chart").inputs["values"]
    assert plugin["supportedInstanceLabels"]["values"] == ["slices"]
    assert graph_of("eks-eu").of("EfaDevicePlugin") == [], "a pool without fabric needs none"
    (group,) = groups(graph)
    (subnet,) = group.inputs["subnetIds"]
    zones = {f"{one.name}-id": one.inputs["availabilityZone"] for one in graph.of("Subnet")}
    assert zones[subnet] == "eu-central-1b"
    rules = [one for name in ("in", "out") for one in graph if one.name == f"slices-fabric-{name}"]
    assert {(one.inputs["ipProtocol"], one.inputs["referencedSecurityGroupId"]) for one in rules} == {
        ("-1", "slices-fabric-id")
    }
    assert Violations(made, graph, {"region": FRANKFURT}).of(graph) == ([], set())


def storage_classes(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value[key] for key in ("storageClassName", "storage_class_name") if key in value}
        return own.union(*map(storage_classes, value.values()))
    return set().union(*map(storage_classes, value)) if isinstance(value, list) else set()


def test_volumes_are_encrypted_under_the_customer_s_key(stack):
    graph = graph_of(stack)
    made = graph.one("StorageClass")
    assert made.inputs["parameters"]["encrypted"] == "true"
    assert made.inputs["parameters"]["kmsKeyId"].startswith("arn:aws")
    named = {one.name: storage_classes(one.inputs) for one in graph}
    assert {name for found in named.values() for name in found} == {made.object_name}
    on_disk = (
        {"observability", "vector"}
        if plan_of(stack).storage.kind is StorageKind.S3
        else {"model", "observability", "vector"}
    )
    assert {name.split("-")[0] for name, found in named.items() if found} == on_disk


def test_what_holds_data_is_protected(stack):
    held = {one.name for one in graph_of(stack) if one.protect}
    store = "models-bucket" if plan_of(stack).storage.kind is StorageKind.S3 else "model-storage-data"
    assert {"eks-cluster", store} <= held


def test_without_deletion_protection_all_may_go_and_nothing_but_its_control_stops_that(stack):
    """Neither the engine, nor EKS, nor S3 refuses: the profile does, unless that is excepted."""
    changed = content(stack)
    changed["cluster"]["deletion-protection"] = False
    with pytest.raises(StackErrors, match=r"cluster\.deletion-protection: false: .*SOV-OPS-06"):
        planned(changed, stack)
    changed["sovereignty"]["exceptions"] = [APPROVED]
    unprotected = planned(changed, stack)
    graph = built(unprotected, region=REGIONS[stack])
    assert [one.name for one in graph if one.protect] == []
    assert graph.one("aws:eks/cluster:Cluster").inputs["deletionProtection"] is False
    assert all(one.inputs["forceDestroy"] for one in graph.of("aws:s3/bucket:Bucket"))
    stopped, _ = Violations(unprotected, graph, {"region": REGIONS[stack]}).of(graph)
    assert {control for control, _, _ in stopped} == {"SOV-OPS-06"}
    assert "eks-cluster" in {name for _, name, _ in stopped}
    assert any("deletion protection is off" in line for line in cluster_lines(unprotected.cluster))


def test_the_first_preview_has_all_that_the_update_makes(stack):
    """Of what AWS and the cluster have not made, nothing is known: no address, no ARN, no kubeconfig."""
    previewed = preview_of(stack)
    assert {one.urn for one in previewed} == {one.urn for one in graph_of(stack)}
    (provider,) = previewed.of("pulumi:providers:kubernetes")
    assert "server" not in str(provider.inputs.get("kubeconfig"))


def test_no_control_stops_the_first_preview_and_those_that_wait_for_the_cluster_are_named(stack):
    found, undecided = known(stack).of(preview_of(stack))
    assert found == []
    assert undecided


@cache
def keyless() -> tuple[Plan, Graph]:
    """The stack in Brandenburg with its models in S3, under a key of its owner's."""
    stated = content("eks-eusc")
    key = f"arn:aws-eusc:kms:{BRANDENBURG}:111122223333:key/44444444-4444-4444-8444-444444444444"
    stated["cluster"]["eks"]["keys"]["models"] = key
    del stated["model-sources"]
    made = planned({**stated, "model-storage": {"kind": "s3", "bucket": "example-models"}}, "eks-eusc")
    return made, built(made, region=BRANDENBURG)


def test_models_in_s3_are_entered_by_pods_own_identity_and_no_control_stops_it():
    made, graph = keyless()
    assert Violations(made, graph, {"region": BRANDENBURG}).of(graph) == ([], set())
    assert made.secrets_needed == ("grafana-password", "vector-db-api-key")
    associations = {
        (one.inputs["namespace"], one.inputs["serviceAccount"]) for one in graph.of("PodIdentityAssociation")
    }
    accounts = {(one.namespace, one.object_name) for one in graph.of("ServiceAccount")}
    assert associations == {
        ("model-storage", "model-writer"),
        ("assistants", "chat"),
        ("assistants", "embed"),
    }
    assert associations <= accounts, "each identity is that of an account that the stack makes"
    encryption = graph.one("BucketServerSideEncryptionConfiguration").inputs["rules"][0]
    default = encryption["applyServerSideEncryptionByDefault"]
    assert default["kmsMasterKeyId"].endswith("44444444-4444-4444-8444-444444444444")
    writer = json.loads(graph.one("RolePolicy", "models-writer-own").inputs["policy"])["Statement"]
    assert "arn:aws-eusc:s3:::example-intake" in [one["Resource"] for one in writer]


def test_tenants_reach_s3_and_their_agent_and_nothing_else_outside_the_cluster():
    _, graph = keyless()
    (outside,) = [one for one in graph.of("NetworkPolicy") if one.object_name == "outside"]
    reached = [
        (peer["ipBlock"]["cidr"], port["port"])
        for rule in outside.inputs["spec"]["egress"]
        for peer in rule["to"]
        for port in rule["ports"]
    ]
    assert reached == [("192.0.2.0/24", 443), ("198.51.100.0/24", 443), ("169.254.170.23/32", 80)]


def test_a_group_of_as_many_nodes_as_ever_follows_the_stack_file(stack):
    groups = {one.name: one.ignored for one in graph_of(stack).of("aws:eks/nodeGroup:NodeGroup")}
    assert groups["eks-system"] == ("scalingConfig.desiredSize",), "an autoscaler may have changed it"
    assert {tuple(ignored or ()) for name, ignored in groups.items() if name != "eks-system"} == {()}


def test_machines_of_a_stack_that_leaves_encryption_between_pods_to_the_cloud_encrypt_to_each_other():
    """By what EC2's DescribeInstanceTypes answers, as moto keeps it."""
    kept = resources.files(moto.ec2) / "resources" / "instance_types.json.gz"
    types = json.loads(gzip.decompress(kept.read_bytes()))
    stated = content("eks-eusc")
    assert stated["cluster"]["pod-encryption"] == "cloud"
    machines = {stated["cluster"]["eks"]["system-nodes"]["instance"]}
    machines |= {pool["instance"] for pool in stated["gpu-pools"]}
    plain = {one for one in machines if not types[one]["NetworkInfo"]["EncryptionInTransitSupported"]}
    assert len(machines) == 2 and plain == set()
