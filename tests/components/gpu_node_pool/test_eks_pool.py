"""The graph of a pool on EKS: managed node group and Karpenter."""

import base64
import json

import botocore.session
import pulumi_aws as aws
import pytest
from tests.components.gpu_node_pool.clouds import (
    ANSWERS,
    COMPUTED,
    KEY,
    LAUNCH_TEMPLATE,
    PLUGIN,
    eks,
    eks_args,
    graph_of,
)
from tests.components.harness import build

from corral.components.gpu_node_pool.cloud import STARTUP_TAINT
from corral.components.gpu_node_pool.eks import EksGpuNodePool

TEMPLATE = "k8s.io/cluster-autoscaler/node-template"
RESERVED = {"capacity": {"purchase": "reserved", "reservation": "cr-1"}}
BLOCK = {"capacity": {"purchase": "capacity-block", "reservation": "cr-1"}}
OWN_IMAGE = {"custom_image": {"id": "ami-1", "user_data": "#!/bin/sh"}, "devices": {"driver": "operator"}}


def template(graph):
    return graph.one(LAUNCH_TEMPLATE).inputs


def group(graph):
    return graph.one("NodeGroup").inputs


def described(graph):
    """What the cluster autoscaler reads, without the prefix."""
    tags = [r.inputs for r in graph.of("aws:autoscaling/tag:Tag")]
    assert {one["autoscalingGroupName"] for one in tags} == {"eks-chat-nodes-1"}
    assert not any(one["tag"]["propagateAtLaunch"] for one in tags), "they describe nodes, and are not theirs"
    return {one["tag"]["key"].removeprefix(f"{TEMPLATE}/"): one["tag"]["value"] for one in tags}


@pytest.mark.parametrize("more", [{}, {"image": "bottlerocket", "devices": PLUGIN}, OWN_IMAGE])
def test_every_volume_is_encrypted_under_the_customer_s_key(more):
    volumes = template(eks(**more))["blockDeviceMappings"]
    assert volumes
    for volume in volumes:
        assert volume["ebs"]["encrypted"] == "true" and volume["ebs"]["kmsKeyId"] == KEY, volume["deviceName"]
        assert volume["ebs"]["volumeType"] == "gp3"


def test_bottlerocket_has_its_images_on_a_volume_of_their_own():
    sizes = {
        volume["deviceName"]: volume["ebs"]["volumeSize"]
        for volume in template(eks(image="bottlerocket", devices=PLUGIN, disk={"key": KEY, "gib": 500}))[
            "blockDeviceMappings"
        ]
    }
    assert sizes == {"/dev/xvda": 4, "/dev/xvdb": 500}


def test_without_a_customer_s_key_the_disk_is_encrypted_all_the_same():
    (volume,) = template(eks(disk={"cloud_key": True}))["blockDeviceMappings"]
    assert volume["ebs"]["encrypted"] == "true" and "kmsKeyId" not in volume["ebs"]


def test_a_pod_learns_nothing_from_the_metadata_service_and_the_node_does_so_with_a_token():
    options = template(eks())["metadataOptions"]
    assert options == {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1}


def test_nodes_have_no_public_address_and_the_cluster_s_security_group():
    (interface,) = template(eks())["networkInterfaces"]
    assert interface["associatePublicIpAddress"] == "false"
    assert interface["securityGroups"] == ["sg-cluster"], "EKS adds none where a template names its own"
    (interface,) = template(eks(security_groups=["sg-mine"]))["networkInterfaces"]
    assert interface["securityGroups"] == ["sg-mine"]


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({}, "AL2023_x86_64_NVIDIA"),
        ({"image": "bottlerocket", "devices": PLUGIN}, "BOTTLEROCKET_x86_64_NVIDIA"),
        (OWN_IMAGE, None),
    ],
)
def test_the_image_follows_who_brings_the_driver(more, kind):
    assert group(eks(**more)).get("amiType") == kind


def test_an_image_of_one_s_own_is_in_the_template_with_what_joins_it():
    inputs = template(eks(**OWN_IMAGE))
    assert inputs["imageId"] == "ami-1"
    assert base64.b64decode(inputs["userData"]) == b"#!/bin/sh"
    assert "userData" not in template(eks()), "EKS writes its own for an image of AWS"


@pytest.mark.parametrize(
    ("more", "kind", "market", "reservation"),
    [
        ({}, "ON_DEMAND", None, None),
        ({"capacity": {"purchase": "spot"}}, "SPOT", None, None),
        (RESERVED, "ON_DEMAND", None, "cr-1"),
        (BLOCK, "CAPACITY_BLOCK", "capacity-block", "cr-1"),
    ],
)
def test_machines_come_from_where_they_are_paid_for(more, kind, market, reservation):
    graph = eks(**more)
    assert group(graph)["capacityType"] == kind
    inputs = template(graph)
    assert inputs.get("instanceMarketOptions", {}).get("marketType") == market
    target = inputs.get("capacityReservationSpecification", {}).get("capacityReservationTarget", {})
    assert target.get("capacityReservationId") == reservation
    assert inputs["instanceType"] == "p5.48xlarge", "EKS refuses a capacity block whose template has no type"
    assert "instanceTypes" not in group(graph), "EKS refuses the type in both places"


def test_a_new_version_of_the_template_reaches_the_group():
    assert group(eks())["launchTemplate"] == {"id": "chat-template-id", "version": "3"}


def test_the_autoscaler_s_number_of_nodes_is_left_alone():
    graph = eks(size={"min": 0, "max": 4, "desired": 2})
    assert group(graph)["scalingConfig"] == {"minSize": 0, "maxSize": 4, "desiredSize": 2}
    assert graph.one("NodeGroup").ignored == ("scalingConfig.desiredSize",)


def test_one_node_always_when_nothing_is_said():
    assert group(eks())["scalingConfig"] == {"minSize": 1, "maxSize": 1, "desiredSize": 1}


def test_nodes_carry_pool_layout_and_taint():
    inputs = group(eks(devices={"mig_config": "all-1g.10gb", "startup_taint": True}))
    assert inputs["labels"]["corral.dev/pool"] == "chat"
    assert inputs["labels"]["nvidia.com/mig.config"] == "all-1g.10gb"
    assert inputs["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"},
        {"key": STARTUP_TAINT["key"], "value": STARTUP_TAINT["value"], "effect": "NO_SCHEDULE"},
    ]
    plain = group(eks())
    assert "nvidia.com/mig.config" not in plain["labels"] and len(plain["taints"]) == 1


def test_a_node_that_is_not_there_yet_is_described_with_its_gpus():
    assert described(eks(size={"min": 0, "max": 2}, devices=PLUGIN)) == {
        "label/corral.dev/pool": "chat",
        "label/corral.dev/component": "gpu-node-pool",
        "label/nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3",
        "taint/nvidia.com/gpu": "present:NoSchedule",
        "resources/nvidia.com/gpu": "8",
    }


def test_a_node_that_is_not_there_yet_is_described_with_its_slices_and_no_whole_gpu():
    tags = described(eks(size={"min": 0}, devices={**PLUGIN, "mig_config": "all-2g.20gb"}))
    assert tags["resources/nvidia.com/mig-2g.20gb"] == "24", "three on each of eight GPUs"
    assert tags["resources/nvidia.com/gpu"] == "0", "the autoscaler's own table says eight"
    assert tags["label/nvidia.com/mig.config"] == "all-2g.20gb"


def test_under_dra_no_extended_resource_is_promised():
    assert not [key for key in described(eks(size={"min": 0})) if key.startswith("resources/")]


def test_a_startup_taint_does_not_keep_the_autoscaler_from_adding_a_node():
    tags = described(eks(size={"min": 0}, devices={**PLUGIN, "startup_taint": True}))
    assert [key for key in tags if key.startswith("taint/")] == ["taint/nvidia.com/gpu"]


def test_the_role_may_do_what_a_kubelet_needs_and_nodes_wait_for_it():
    graph = eks()
    rights = graph.of("RolePolicyAttachment")
    names = [r.inputs["policyArn"].rpartition("/")[2] for r in rights]
    assert sorted(names) == ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy"]
    assert {r.urn for r in rights} <= graph.before(graph.one("NodeGroup"))


def test_a_cni_without_a_role_gets_its_rights_from_the_node():
    names = [r.inputs["policyArn"] for r in eks(cni_on_node=True).of("RolePolicyAttachment")]
    assert "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy" in names


@pytest.mark.parametrize("scaler", ["cluster-autoscaler", "karpenter"])
def test_in_the_european_sovereign_cloud_no_name_of_another_partition_is_written(scaler):
    key = "arn:aws-eusc:kms:eusc-de-east-1:1:key/k"
    answers = {
        "aws:index/getPartition:getPartition": {"partition": "aws-eusc", "dnsSuffix": "amazonaws.eu"},
        # Whatever the partition calls it: the answer is used as it comes.
        "aws:index/getServicePrincipal:getServicePrincipal": {"name": "ec2.principal.test"},
    }
    computed = {"aws:iam/role:Role": {"arn": "arn:aws-eusc:iam::1:role/nodes", "name": "nodes"}}
    graph = build(
        lambda: EksGpuNodePool("chat", eks_args(disk={"key": key}, scaler=scaler)),
        answers={**ANSWERS, **answers},
        computed={**COMPUTED, **computed},
    )
    attached = [r.inputs["policyArn"] for r in graph.of("RolePolicyAttachment")]
    assert attached and all(arn.startswith("arn:aws-eusc:iam::aws:policy/") for arn in attached)
    trust = json.loads(graph.one("aws:iam/role:Role").inputs["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Service": "ec2.principal.test"}
    written = repr([(r.inputs, r.outputs) for r in graph])
    assert "arn:aws:" not in written and "amazonaws.com" not in written


def test_a_preview_goes_through_before_the_cluster_is_there():
    def program():
        cluster = aws.ec2.LaunchTemplate("of-the-same-program").id
        EksGpuNodePool("chat", eks_args(cluster=cluster))

    graph = build(program, preview=True, answers=ANSWERS)
    assert group(graph)["clusterName"] != "models" and group(graph)["scalingConfig"]["minSize"] == 1


def test_every_child_belongs_to_the_pool_and_its_outputs_tell_where_pods_go():
    for more in ({}, {"scaler": "karpenter"}):
        graph = eks(**more)
        pool = graph.one("EksGpuNodePool")
        assert graph.child_of(pool) == [r for r in graph if r is not pool]
        assert pool.outputs["labels"]["corral.dev/pool"] == "chat"
        assert pool.outputs["taint"] == {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
        assert pool.outputs["identity"] == "arn:aws:iam::1:role/nodes"
    assert eks().one("EksGpuNodePool").outputs["name"] == "chat-nodes-1"
    assert eks(scaler="karpenter").one("EksGpuNodePool").outputs["name"] == "chat"


def test_two_pools_of_one_program_do_not_collide():
    def program():
        EksGpuNodePool("chat", eks_args())
        EksGpuNodePool("code", eks_args(pool="code", scaler="karpenter"))

    assert len(graph_of(program).of("EksGpuNodePool")) == 2


def node_class(graph):
    return graph.one("EC2NodeClass").inputs["spec"]


def node_pool(graph):
    return graph.one("NodePool").inputs["spec"]


def required(graph):
    return {one["key"]: one["values"] for one in node_pool(graph)["template"]["spec"]["requirements"]}


def test_karpenter_makes_machines_as_closed_as_a_group_does():
    spec = node_class(eks(scaler="karpenter"))
    assert spec["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    assert spec["associatePublicIPAddress"] is False
    (volume,) = spec["blockDeviceMappings"]
    assert volume["ebs"]["encrypted"] is True and volume["ebs"]["kmsKeyID"] == KEY
    assert spec["securityGroupSelectorTerms"] == [{"id": "sg-cluster"}]
    assert spec["subnetSelectorTerms"] == [{"id": "subnet-a"}]


def test_karpenter_s_nodes_may_join_the_cluster_before_it_makes_any():
    graph = eks(scaler="karpenter")
    entry = graph.one("AccessEntry")
    assert entry.inputs["type"] == "EC2_LINUX"
    assert {entry.urn, *(r.urn for r in graph.of("RolePolicyAttachment"))} <= graph.before(
        graph.one("EC2NodeClass")
    )
    assert graph.one("EC2NodeClass").urn in graph.before(graph.one("NodePool"))


def test_karpenter_is_bound_to_the_machine_the_payment_and_the_number():
    graph = eks(scaler="karpenter", size={"max": 3})
    assert required(graph) == {
        "node.kubernetes.io/instance-type": ["p5.48xlarge"],
        "karpenter.sh/capacity-type": ["on-demand"],
    }
    assert node_pool(graph)["limits"] == {"nvidia.com/gpu": "24"}


@pytest.mark.parametrize(("more", "kind"), [(RESERVED, "default"), (BLOCK, "capacity-block")])
def test_karpenter_draws_on_the_named_reservation(more, kind):
    graph = eks(scaler="karpenter", **more)
    assert node_class(graph)["capacityReservationSelectorTerms"] == [{"id": "cr-1"}]
    assert required(graph)["karpenter.sh/capacity-type"] == ["reserved"]
    assert required(graph)["karpenter.k8s.aws/capacity-reservation-type"] == [kind]


def test_karpenter_knows_the_labels_and_taints_of_nodes_to_come():
    graph = eks(scaler="karpenter", devices={"mig_config": "all-1g.10gb", "startup_taint": True})
    template = node_pool(graph)["template"]
    assert template["metadata"]["labels"]["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert template["metadata"]["labels"]["nvidia.com/mig.config"] == "all-1g.10gb"
    assert template["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    ]
    assert template["spec"]["startupTaints"] == [STARTUP_TAINT]


@pytest.mark.parametrize(
    ("more", "terms"),
    [
        ({}, [{"alias": "al2023@latest"}]),
        ({"image_release": "v20260801"}, [{"alias": "al2023@v20260801"}]),
        ({"image": "bottlerocket", "devices": PLUGIN}, [{"alias": "bottlerocket@latest"}]),
        (OWN_IMAGE, [{"id": "ami-1"}]),
    ],
)
def test_karpenter_finds_the_image(more, terms):
    assert node_class(eks(scaler="karpenter", **more))["amiSelectorTerms"] == terms


@pytest.fixture(scope="module")
def aws_model():
    return botocore.session.get_session().get_service_model


@pytest.mark.parametrize("more", [{}, RESERVED, BLOCK, {"image": "bottlerocket", "devices": PLUGIN}])
def test_every_word_is_one_that_aws_s_own_models_know(more, aws_model):
    graph = eks(**more)
    inputs, launch = group(graph), template(graph)
    words = [
        ("eks", "AMITypes", inputs["amiType"]),
        ("eks", "CapacityTypes", inputs["capacityType"]),
        ("eks", "TaintEffect", inputs["taints"][0]["effect"]),
        ("eks", "NodegroupUpdateStrategies", inputs["updateConfig"]["updateStrategy"]),
        ("ec2", "InstanceType", launch["instanceType"]),
        ("ec2", "VolumeType", launch["blockDeviceMappings"][0]["ebs"]["volumeType"]),
        ("ec2", "LaunchTemplateHttpTokensState", launch["metadataOptions"]["httpTokens"]),
        *(("ec2", "ResourceType", one["resourceType"]) for one in launch["tagSpecifications"]),
        *(("ec2", "MarketType", one) for one in launch.get("instanceMarketOptions", {}).values()),
    ]
    for service, shape, word in words:
        assert word in aws_model(service).shape_for(shape).enum, f"{shape}: {word}"
