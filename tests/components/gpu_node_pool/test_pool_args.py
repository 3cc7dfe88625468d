"""What a pool in a cloud refuses before anything is made, what it lets through, and what it warns of."""

import pulumi
import pytest
from tests.components.gpu_node_pool.clouds import GOOGLE_KEY, KEY, PLUGIN, eks, eks_args, gke, gke_args

from corral.catalogue.gke import family
from corral.catalogue.gpus import gpus
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Cloud
from corral.components._kit import ArgsError, checked
from corral.components.gpu_node_pool.eks import EksGpuNodePoolArgs, eks_pool
from corral.components.gpu_node_pool.gke import GkeGpuNodePoolArgs, gke_pool

L4 = {"gpu": "L4", "instance_type": "g6.xlarge"}
ROCKET = {"image": "bottlerocket"}
OWN_IMAGE = {"custom_image": {"id": "ami-1", "user_data": "#!/bin/sh"}}
BY_OPERATOR = {"devices": {"driver": "operator"}}
BY_GKE = {"driver": "node-image", **PLUGIN}


def block(**more):
    return {"capacity": {"purchase": "capacity-block", "reservation": "cr-1"}, **more}


BOTH = [
    ({"pool": "Chat"}, r"chat\.pool: 'Chat'; use up to 32 of a-z"),
    ({"pool": "9-lives"}, r"chat\.pool"),
    ({"gpu": "H100"}, r"chat\.gpu: 'H100' is not in the catalogue; use one of .*H100-80GB"),
    ({"size": {"min": 2, "max": 1}}, r"chat\.size\.max: 1 is below min, which is 2"),
    ({"size": {"min": 1, "max": 3, "desired": 4}}, r"chat\.size\.desired: 4; use 1 to 3"),
    ({"size": {"min": 1, "max": 3, "desired": 0}}, r"chat\.size\.desired: 0; use 1 to 3"),
    ({"size": {"min": -1}}, r"chat\.size\.min: -1; use a whole number, 0 or more"),
    ({"size": {"max": 0}}, r"chat\.size\.max: 0; use a whole number, 1 or more"),
    ({"size": {"max": 1.5}}, r"chat\.size\.max: 1\.5"),
    ({"size": {"min": True}}, r"chat\.size\.min: True"),
    ({"size": {"max": "2"}}, r"chat\.size\.max: '2'"),
    ({"size": {"max": float("inf")}}, r"chat\.size\.max: inf"),
    ({"size": {"most": 2}}, r"chat\.size: unknown key 'most'; allowed are desired, max, min"),
    ({"disk": {}}, r"chat\.disk\.key: missing; give a key of the customer, or cloud_key true"),
    ({"disk": {"cloud_key": False}}, r"chat\.disk\.key: missing"),
    ({"disk": {"key": KEY, "cloud_key": True}}, r"chat\.disk\.cloud_key: true beside a key"),
    ({"disk": {"key": KEY, "gib": 20}}, r"chat\.disk\.gib: 20; use a whole number, 50 or more"),
    ({"capacity": {"purchase": "owned"}}, r"chat\.capacity\.purchase: 'owned' is not allowed"),
    (
        {"capacity": {"purchase": "spot", "reservation": "r"}},
        r"chat\.capacity\.reservation: 'spot' draws on no reservation; use purchase reserved",
    ),
    ({"capacity": {"reservation": "r"}}, r"'on-demand' draws on no reservation"),
    ({"capacity": {"purchase": "reserved"}}, r"chat\.capacity\.reservation: missing; 'reserved' says which"),
    (
        {"devices": {"mig_config": "all-1g.5gb"}},
        r"chat\.devices\.mig_config: H100-80GB cannot be cut into 'all-1g\.5gb'; use one of all-1g\.10gb",
    ),
    ({"devices": {"mig_config": "all-1g.10gb+me"}}, r"cannot be cut into 'all-1g\.10gb\+me'"),
    ({"devices": {"mig_config": "two halves"}}, r"'two halves' is no value of a label"),
    ({"devices": {"driver": "gke"}}, r"chat\.devices\.driver: 'gke' is not allowed; use one of node-image"),
]
EKS = [
    (
        {"instance_type": "p4d.24xlarge"},
        r"p4d\.24xlarge has A100-40GB, not H100-80GB; .*p5\.4xlarge, p5\.48xl",
    ),
    (
        {"instance_type": "a3-highgpu-8g"},
        r"'a3-highgpu-8g' is not in the catalogue; with H100-80GB there are: p5",
    ),
    ({"gpu": "A30"}, r"p5\.48xlarge has H100-80GB, not A30; with A30 there are: none"),
    (
        {"gpu": "RTX-PRO-4500-32GB", "instance_type": "g7.2xlarge"},
        r"chat\.gpu: the product name of RTX-PRO-4500-32GB is unresolved",
    ),
    ({**L4, "devices": {"mig_config": "all-1g.10gb"}}, r"'all-1g\.10gb', but L4 has no MIG; leave it out"),
    ({**L4, "devices": {"mig_config": "halves"}}, r"L4 has no MIG"),
    ({"subnets": []}, r"chat\.subnets: empty"),
    (block(subnets=["a", "b"]), r"chat\.subnets: 2; a capacity block is in one zone"),
    ({"capacity": {"purchase": "capacity-block"}}, r"'capacity-block' says which reservation"),
    (BY_OPERATOR, r"chat\.custom_image: missing; AWS's GPU images bring a driver"),
    ({**OWN_IMAGE, "image": "al2023"}, r"chat\.image: 'al2023' beside custom_image"),
    (ROCKET, r"chat\.image: 'bottlerocket' brings a device plugin"),
    (
        {**ROCKET, "devices": {**PLUGIN, "mig_config": "all-1g.10gb"}},
        r"'bottlerocket' does not heed a mig_config",
    ),
    (
        {"size": {"min": 0}, "devices": {**PLUGIN, "mig_config": "all-balanced"}},
        r"'all-balanced' does not tell an autoscaler what a node offers; use all-<profile>, or size\.min 1",
    ),
    (
        {"scaler": "karpenter", "size": {"min": 1}},
        r"chat\.size\.min: 1; Karpenter keeps no node that is empty",
    ),
    (
        {"scaler": "karpenter", "devices": {**PLUGIN, "mig_config": "all-1g.10gb"}},
        r"Karpenter adds no node for a slice",
    ),
    ({"machine_type": "p5.48xlarge"}, r"chat: unknown key 'machine_type'"),
]
GKE = [
    ({"cluster": "models"}, r"chat\.cluster: 'models'; use the id, which begins with projects/"),
    ({"disk": {"key": KEY}}, r"chat\.disk\.key: 'arn:aws:.*; use the id"),
    ({"zone": "europe-west4"}, r"chat\.zone: 'europe-west4'; use a zone, such as europe-west4-b"),
    ({"machine_type": "a2-highgpu-1g"}, r"a2-highgpu-1g has A100-40GB, not H100-80GB; .*a3-highgpu-1g"),
    ({"machine_type": "p5.48xlarge"}, r"'p5\.48xlarge' is not in the catalogue; .*: a3-highgpu-1g"),
    (block(), r"chat\.capacity\.purchase: GKE has no 'capacity-block'; use one of on-demand, spot, reserved"),
    (
        {"gpu": "L4", "machine_type": "g2-standard-8", "devices": {"mig_config": "all-1g.10gb"}},
        r"L4 has no MIG",
    ),
    ({"devices": {"driver": "node-image"}}, r"chat\.devices\.driver: 'node-image' is GKE's installation"),
    (
        {"devices": {**BY_GKE, "mig_config": "all-4g.40gb"}},
        r"GKE does not cut H100-80GB into 'all-4g\.40gb'; it knows all-1g\.10gb, all-1g\.20gb, all-2g\.20gb",
    ),
    (
        {"devices": {**BY_GKE, "mig_config": "all-balanced"}},
        r"GKE does not cut H100-80GB into 'all-balanced'",
    ),
    ({"devices": {**BY_GKE, "mig_config": "halves"}}, r"GKE does not cut"),
]
GOOD = [
    {},
    {"size": {"min": 0, "max": 4}},
    {"size": {"min": 2}},
    {"size": {"min": 0.0, "max": 2.0}},
    {"disk": {"cloud_key": True}},
    {"disk": {"key": GOOGLE_KEY, "cloud_key": False, "gib": 50}},
    {"capacity": {"purchase": "spot"}},
    {"capacity": {"purchase": "reserved", "reservation": "r"}},
    {"devices": {"mig_config": "all-1g.10gb"}},
    {"devices": {"mig_config": "all-1g.10gb.me"}},
    {"devices": {"mig_config": "all-balanced"}},
    {"devices": {"mig_config": "corral-chat-1"}},
    {"devices": PLUGIN},
    {"devices": {"dra_driver": "existing"}},
]
GOOD_EKS = [
    block(),
    {**L4, "devices": PLUGIN},
    {**OWN_IMAGE, **BY_OPERATOR},
    OWN_IMAGE,
    {**ROCKET, "devices": PLUGIN},
    {"size": {"min": 0}, "devices": {**PLUGIN, "mig_config": "all-1g.10gb"}},
    {"size": {"min": 0}, "devices": {"mig_config": "all-balanced"}},
    {"size": {"min": 1}, "devices": {**PLUGIN, "mig_config": "all-balanced"}},
    {"scaler": "karpenter"},
    {"scaler": "karpenter", "size": {"max": 4}},
]
GOOD_GKE = [
    {"devices": {**BY_GKE, "mig_config": "all-1g.20gb"}},
    {"devices": BY_GKE},
    {"gpu": "L4", "machine_type": "g2-standard-8"},
    {"secure_boot": False},
    {"zone": "europe-west12-a"},
]


def on_eks(**more):
    """What the component does with its arguments before it makes anything."""
    return eks_pool(checked(eks_args(**more), EksGpuNodePoolArgs, "chat"), "chat")


def on_gke(**more):
    return gke_pool(checked(gke_args(**more), GkeGpuNodePoolArgs, "chat"), "chat")


@pytest.mark.parametrize(("wrong", "said"), [*BOTH, *EKS])
def test_an_eks_pool_that_cannot_be_is_refused_by_name(wrong, said):
    with pytest.raises(ArgsError, match=said):
        on_eks(**wrong)


@pytest.mark.parametrize(("wrong", "said"), [*BOTH, *GKE])
def test_a_gke_pool_that_cannot_be_is_refused_by_name(wrong, said):
    with pytest.raises(ArgsError, match=said):
        on_gke(**wrong)


@pytest.mark.parametrize("right", [*GOOD, *GOOD_EKS])
def test_an_eks_pool_that_can_be_is_let_through(right):
    assert on_eks(**right).name == "chat"


@pytest.mark.parametrize("right", [*GOOD, *GOOD_GKE])
def test_a_gke_pool_that_can_be_is_let_through(right):
    assert on_gke(**right).name == "chat"


@pytest.mark.parametrize("made", [eks, gke])
@pytest.mark.parametrize("wrong", [{"disk": {}}, {"disk": {"kms": "k"}}])
def test_a_component_makes_nothing_of_what_is_refused(made, wrong):
    with pytest.raises(ArgsError, match=r"chat\.disk"):
        made(**wrong)


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_made():
    with pytest.raises(ArgsError) as refused:
        on_eks(pool="A B", disk={}, size={"max": 0}, capacity={"purchase": "reserved"}, **BY_OPERATOR)
    assert len(str(refused.value).splitlines()) == 5


@pytest.mark.parametrize("required", ["pool", "gpu", "instance_type", "cluster", "subnets"])
def test_a_question_that_was_not_answered_is_named(required):
    asked = eks_args()
    del asked[required]
    with pytest.raises(ArgsError, match=f"chat: '{required}' is missing"):
        checked(asked, EksGpuNodePoolArgs, "chat")


@pytest.mark.parametrize(
    "name", [n for n, entry in instances().items() if entry.cloud is Cloud.AWS and gpus()[entry.gpu].resolved]
)
def test_every_instance_type_of_the_catalogue_makes_a_pool(name):
    assert on_eks(gpu=instances()[name].gpu, instance_type=name).machine == name


@pytest.mark.parametrize("name", [n for n, entry in instances().items() if entry.cloud is Cloud.GCP])
def test_every_machine_type_of_the_catalogue_makes_a_pool(name):
    pool = on_gke(gpu=instances()[name].gpu, machine_type=name)
    assert pool.machine == name and family(name).accelerator.startswith("nvidia-")


@pytest.fixture
def warned(monkeypatch):
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda line, resource=None, **_: lines.append(line))
    return lines


@pytest.mark.parametrize("made", [eks, gke])
@pytest.mark.parametrize(
    ("size", "devices", "is_warned"),
    [
        ({"min": 1, "max": 4}, {}, True),
        ({"min": 0}, {}, True),
        ({"min": 2, "max": 2}, {}, False),
        ({}, {}, False),
        ({"min": 0, "max": 4}, PLUGIN, False),
    ],
)
def test_an_autoscaler_beside_dra_is_warned_of(made, size, devices, is_warned, warned):
    made(size=size, devices=devices)
    assert any("DRA hands out the GPUs" in line for line in warned) is is_warned, warned


def test_karpenter_beside_dra_is_warned_of_by_the_name_of_its_setting(warned):
    eks(scaler="karpenter")
    assert [line for line in warned if "ignoreDRARequests" in line]


@pytest.mark.parametrize(
    ("more", "is_warned"),
    [
        ({}, True),
        ({"secure_boot": False}, False),
        ({"signed_driver": True}, False),
        ({"devices": BY_GKE}, False),
    ],
)
def test_an_unsigned_driver_under_secure_boot_is_warned_of(more, is_warned, warned):
    gke(**more)
    assert any("signed kernel modules" in line for line in warned) is is_warned


def test_slices_under_dra_on_gke_are_warned_of(warned):
    gke(devices={"mig_config": "all-1g.10gb"}, secure_boot=False)
    assert len(warned) == 1 and "MIG under DRA" in warned[0]


def test_a_pool_that_is_fixed_and_whole_warns_of_nothing(warned):
    eks()
    gke(disk={"key": GOOGLE_KEY}, secure_boot=False)
    assert warned == []


def test_what_is_settled_is_plain_and_complete():
    pool = on_gke(size={"min": 0.0, "max": 3.0})
    assert (pool.minimum, pool.maximum, pool.desired, pool.disk_gib) == (0, 3, 0, 200)
    assert isinstance(pool.maximum, int), "a package gets 3 as 3.0, and tags would say so"
