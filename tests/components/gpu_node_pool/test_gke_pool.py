"""The graph of a pool on GKE."""

import pytest
from tests.components.gpu_node_pool.clouds import GOOGLE_KEY, PLUGIN, gke, gke_args
from tests.components.harness import build

from corral.components.gpu_node_pool.cloud import STARTUP_TAINT
from corral.components.gpu_node_pool.gke import GkeGpuNodePool

NO_PLUGIN = "gke-no-default-nvidia-gpu-device-plugin"
BY_GKE = {"driver": "node-image", **PLUGIN}


def pool(graph):
    return graph.one("gcp:container/nodePool:NodePool").inputs


def node(graph):
    return pool(graph)["nodeConfig"]


def gpus(graph):
    (accelerator,) = node(graph)["guestAccelerators"]
    return accelerator


def test_where_the_operator_owns_the_driver_gke_installs_none_and_keeps_its_plugin_away():
    graph = gke()
    assert gpus(graph)["gpuDriverInstallationConfig"] == {"gpuDriverVersion": "INSTALLATION_DISABLED"}
    assert node(graph)["labels"][NO_PLUGIN] == "true"
    assert node(graph)["imageType"] == "UBUNTU_CONTAINERD", (
        "the operator installs no driver on Google's own system"
    )


def test_where_gke_owns_the_driver_its_plugin_stays_for_it_brings_the_driver():
    graph = gke(devices=BY_GKE)
    assert gpus(graph)["gpuDriverInstallationConfig"] == {"gpuDriverVersion": "DEFAULT"}
    assert NO_PLUGIN not in node(graph)["labels"]
    assert node(graph)["imageType"] == "COS_CONTAINERD"


def test_who_owns_the_driver_cuts_the_gpus():
    by_gke = gke(devices={**BY_GKE, "mig_config": "all-1g.10gb"})
    assert gpus(by_gke)["gpuPartitionSize"] == "1g.10gb"
    assert "nvidia.com/mig.config" not in node(by_gke)["labels"], "no MIG manager reads it there"
    by_operator = gke(devices={"mig_config": "all-1g.10gb"})
    assert "gpuPartitionSize" not in gpus(by_operator)
    assert node(by_operator)["labels"]["nvidia.com/mig.config"] == "all-1g.10gb"


@pytest.mark.parametrize(
    ("gpu", "machine", "accelerator", "disk"),
    [
        ("A100-40GB", "a2-highgpu-1g", "nvidia-tesla-a100", "pd-balanced"),
        ("H100-80GB", "a3-highgpu-8g", "nvidia-h100-80gb", "pd-balanced"),
        ("H100-80GB", "a3-megagpu-8g", "nvidia-h100-mega-80gb", "pd-balanced"),
        ("H200-141GB", "a3-ultragpu-8g", "nvidia-h200-141gb", "hyperdisk-balanced"),
    ],
)
def test_a_machine_s_family_decides_accelerator_and_disk(gpu, machine, accelerator, disk):
    graph = gke(gpu=gpu, machine_type=machine)
    assert gpus(graph)["type"] == accelerator, "one GPU has several names at Google"
    assert node(graph)["diskType"] == disk and node(graph)["machineType"] == machine


def test_the_boot_disk_lies_under_the_customer_s_key():
    assert node(gke())["bootDiskKmsKey"] == GOOGLE_KEY
    assert "bootDiskKmsKey" not in node(gke(disk={"cloud_key": True}))


def test_nodes_are_shielded_private_and_hide_their_metadata():
    graph = gke()
    assert node(graph)["shieldedInstanceConfig"] == {
        "enableSecureBoot": True,
        "enableIntegrityMonitoring": True,
    }
    assert node(graph)["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert node(graph)["metadata"] == {"disable-legacy-endpoints": "true"}
    assert pool(graph)["networkConfig"] == {"enablePrivateNodes": True}


def test_secure_boot_goes_only_when_it_is_said():
    shield = node(gke(secure_boot=False))["shieldedInstanceConfig"]
    assert shield == {"enableSecureBoot": False, "enableIntegrityMonitoring": True}


def test_nodes_run_as_an_account_of_their_own_with_the_least_scopes():
    graph = gke()
    account = graph.one("gcp:serviceaccount/account:Account").inputs["accountId"]
    assert 6 <= len(account) <= 30 and account[0].isalpha()
    assert node(graph)["serviceAccount"] == "nodes@p.iam.gserviceaccount.com"
    assert not [scope for scope in node(graph)["oauthScopes"] if scope.endswith("cloud-platform")]
    rights = graph.one("IAMMember")
    assert rights.inputs["role"] == "roles/container.defaultNodeServiceAccount"
    assert rights.urn in graph.before(graph.one("gcp:container/nodePool:NodePool"))


@pytest.mark.parametrize("name", ["a", "chat", "a-name-of-two-and-thirty-letters"])
def test_an_account_s_name_fits_google_s_rules_whatever_the_pool_is_called(name):
    account = gke(pool=name).one("gcp:serviceaccount/account:Account").inputs["accountId"]
    assert 6 <= len(account) <= 30 and not account.endswith("-")


def test_a_pool_of_one_size_is_not_scaled():
    assert pool(gke())["nodeCount"] == 1
    assert "autoscaling" not in pool(gke(size={"min": 3}))


def test_a_pool_from_zero_counts_its_nodes_over_all():
    inputs = pool(gke(size={"min": 0, "max": 4, "desired": 2}))
    assert inputs["autoscaling"] == {
        "totalMinNodeCount": 0,
        "totalMaxNodeCount": 4,
        "locationPolicy": "ANY",
    }
    assert inputs["initialNodeCount"] == 2 and "nodeCount" not in inputs
    assert inputs["nodeLocations"] == ["europe-west4-b"], "a number per zone is then the number over all"


def test_the_number_at_the_start_may_change_without_another_pool():
    assert gke().one("gcp:container/nodePool:NodePool").ignored == ("initialNodeCount",)


@pytest.mark.parametrize(
    ("capacity", "spot", "affinity"),
    [
        ({}, False, {"consumeReservationType": "NO_RESERVATION"}),
        ({"purchase": "spot"}, True, None),
        (
            {"purchase": "reserved", "reservation": "models"},
            False,
            {
                "consumeReservationType": "SPECIFIC_RESERVATION",
                "key": "compute.googleapis.com/reservation-name",
                "values": ["models"],
            },
        ),
    ],
)
def test_machines_come_from_where_they_are_paid_for(capacity, spot, affinity):
    config = node(gke(capacity=capacity))
    assert config["spot"] is spot and config.get("reservationAffinity") == affinity


def test_nodes_carry_pool_product_and_taint():
    config = node(gke(devices={"startup_taint": True}))
    assert config["labels"]["corral.dev/pool"] == "chat"
    assert config["labels"]["nvidia.com/gpu.product"] == "NVIDIA-H100-80GB-HBM3"
    assert config["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"},
        {"key": STARTUP_TAINT["key"], "value": STARTUP_TAINT["value"], "effect": "NO_SCHEDULE"},
    ]


def test_every_child_belongs_to_the_pool_and_its_outputs_tell_where_pods_go():
    graph = gke()
    made = graph.one("GkeGpuNodePool")
    assert graph.child_of(made) == [r for r in graph if r is not made]
    assert made.outputs["labels"] == node(graph)["labels"]
    assert made.outputs["taint"] == {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    assert made.outputs["name"] == "chat-nodes-1"
    assert made.outputs["identity"] == "nodes@p.iam.gserviceaccount.com"


def test_a_preview_in_which_nothing_is_known_goes_through():
    graph = build(lambda: GkeGpuNodePool("chat", gke_args()), preview=True)
    assert pool(graph)["nodeCount"] == 1
