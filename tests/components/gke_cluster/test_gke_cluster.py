"""The graph of a cluster on GKE."""

import json

import pulumi
import pytest
from tests.components.eks_cluster.sdk import wrong_inputs
from tests.components.gke_cluster.clusters import (
    ANSWERS,
    COMPUTED,
    FRANKFURT,
    KEYS,
    NUMBER,
    PARIS,
    PROJECT,
    cluster_args,
    gke,
    key,
)
from tests.components.harness import build

from corral.components.gke_cluster import GkeCluster
from corral.components.gpu_node_pool.gke import GkeGpuNodePool

OPEN = {"egress": "nat", "api_clients": ["192.0.2.0/24", "192.0.2.0/24"]}
POOL = "projects/acme-keys/locations/europe-west3/caPools/cluster"
VERSION = f"{key('signing')}/cryptoKeyVersions/1"
CONTROL_PLANE_KEYS = {
    **dict.fromkeys(("cluster_ca", "aggregation_ca", "etcd_api_ca", "etcd_peer_ca"), POOL),
    "control_plane_disk_encryption_key": key("control-plane"),
    "gkeops_etcd_backup_encryption_key": key("etcd-backup"),
    "service_account_signing_keys": [VERSION],
    "service_account_verification_keys": [VERSION],
}
WEEKENDS = {
    "start": "2026-01-03T01:00:00Z",
    "end": "2026-01-03T05:00:00Z",
    "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
}


@pytest.fixture(scope="module")
def graph():
    return gke()


EVERYTHING = {
    "network": OPEN,
    "nodes": {"machine_type": "n2d-standard-4", "confidential": True, "min": 1, "max": 9},
    "control_plane_keys": CONTROL_PLANE_KEYS,
    "maintenance": WEEKENDS,
    "restrict_locations": True,
    "own_issuer": True,
    "zones": [f"{FRANKFURT}-a", f"{FRANKFURT}-b"],
    "labels": {"owner": "platform"},
}


@pytest.mark.parametrize("more", [{}, EVERYTHING], ids=["least", "everything"])
def test_every_input_is_one_that_the_sdk_has_with_its_type(more):
    for one in gke(**more):
        if one.custom:
            assert wrong_inputs(one.type, one.inputs) == [], one.name


def test_an_input_that_the_sdk_has_not_is_noticed():
    (line,) = wrong_inputs("gcp:kms/keyRing:KeyRing", {"location": "europe-west3", "region": "x"})
    assert line == "KeyRing: the SDK has no 'region'"


@pytest.mark.parametrize("region", [FRANKFURT, PARIS])
def test_everything_that_has_a_place_is_in_the_region_and_of_the_project(region):
    for one in gke(region, network=OPEN):
        for place in ("region", "location"):
            assert one.inputs.get(place, region) == region, one.name
        assert one.inputs.get("project", PROJECT) == (KEYS if one.kind == "KeyRing" else PROJECT)
    assert not {FRANKFURT, PARIS} - {region} & set(repr([one.inputs for one in gke(region)]).split("'"))


def test_without_a_way_out_routes_lead_to_google_alone_and_names_of_google_are_within(graph):
    assert graph.one("Network").inputs["deleteDefaultRoutesOnCreate"] is True
    assert graph.of("RouterNat") == graph.of("Router") == []
    assert [one.inputs["destRange"] for one in graph.of("Route")] == ["199.36.153.4/30"]
    zones = {one.inputs["dnsName"]: one.inputs["visibility"] for one in graph.of("ManagedZone")}
    assert zones == dict.fromkeys(("googleapis.com.", "pkg.dev.", "gcr.io."), "private")
    records = {
        (one.inputs["name"], one.inputs["type"]): one.inputs["rrdatas"] for one in graph.of("RecordSet")
    }
    assert records["*.googleapis.com.", "CNAME"] == ["restricted.googleapis.com."]
    assert len(records["restricted.googleapis.com.", "A"]) == 4


def test_with_a_way_out_machines_share_an_address_and_have_none_of_their_own():
    graph = gke(network=OPEN)
    assert graph.one("Network").inputs["deleteDefaultRoutesOnCreate"] is False
    assert graph.one("RouterNat").inputs["sourceSubnetworkIpRangesToNat"] == "ALL_SUBNETWORKS_ALL_IP_RANGES"
    assert graph.of("Route") == graph.of("ManagedZone") == []
    assert graph.one("NodePool").inputs["networkConfig"] == {"enablePrivateNodes": True}


def test_the_api_is_reached_from_the_named_networks_alone(graph):
    allowed = graph.one("gcp:container/cluster:Cluster").inputs["masterAuthorizedNetworksConfig"]
    assert "cidrBlocks" not in allowed or allowed["cidrBlocks"] == []
    assert allowed["gcpPublicCidrsAccessEnabled"] is False
    assert allowed["privateEndpointEnforcementEnabled"] is True
    cluster = gke(network=OPEN).one("gcp:container/cluster:Cluster").inputs
    assert cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"] == [{"cidrBlock": "192.0.2.0/24"}]


def test_keys_are_made_in_their_own_project_and_used_by_the_services_alone(graph):
    users = {
        one.inputs["cryptoKeyId"].removesuffix("-id"): one.inputs["member"]
        for one in graph.of("CryptoKeyIAMMember")
    }
    agents = "iam.gserviceaccount.com"
    assert users == {
        "models-secrets": f"serviceAccount:service-{NUMBER}@container-engine-robot.{agents}",
        "models-logs": f"serviceAccount:cmek-p{NUMBER}@gcp-sa-logging.{agents}",
        "models-disks": f"serviceAccount:service-{NUMBER}@compute-system.{agents}",
    }
    cluster = graph.one("gcp:container/cluster:Cluster").inputs
    assert cluster["databaseEncryption"] == {"state": "ENCRYPTED", "keyName": "models-secrets-id"}
    assert graph.one("ProjectBucketConfig").inputs["cmekSettings"] == {"kmsKeyName": "models-logs-id"}


def test_a_key_is_used_once_its_service_may_use_it(graph):
    def before(kind):
        return {graph.by_urn(urn).name for urn in graph.before(graph.one(kind))}

    assert "models-secrets-gke" in before("gcp:container/cluster:Cluster")
    assert "models-logs-logging" in before("ProjectBucketConfig")
    assert {"models-disks-compute", "models-nodes-rights"} <= before("NodePool")


def test_what_a_cluster_needs_is_there_first(graph):
    cluster = graph.one("gcp:container/cluster:Cluster")
    before = {graph.by_urn(urn).name for urn in graph.before(cluster)}
    assert {"models-google", "models-pkg-dev-aliases", "models-log-sink", "models-log-exclusion"} <= before


def test_keys_that_are_there_are_used_and_no_other_is_made():
    there = {one: key(one) for one in ("secrets", "logs", "disks")}
    graph = gke(keys=there)
    assert graph.of("CryptoKey") == graph.of("KeyRing") == graph.of("CryptoKeyIAMMember") == []
    assert graph.one("NodePool").inputs["nodeConfig"]["bootDiskKmsKey"] == there["disks"]
    assert graph.one("GkeCluster").outputs["disk_key"] == there["disks"]


def test_the_pool_that_a_cluster_begins_with_is_made_as_those_that_stay(graph):
    cluster = graph.one("gcp:container/cluster:Cluster")
    assert cluster.inputs["removeDefaultNodePool"] is True
    (first,) = cluster.inputs["nodePools"]
    assert first["name"] == "default-pool"
    assert first["nodeConfig"] == graph.one("NodePool").inputs["nodeConfig"]
    assert cluster.ignored == ("nodePools",)


def test_nodes_have_an_account_of_their_own_with_one_role(graph):
    account = graph.one("gcp:serviceaccount/account:Account").inputs["accountId"]
    assert 6 <= len(account) <= 30
    (role,) = graph.of("gcp:projects/iAMMember:IAMMember")
    assert role.inputs["role"] == "roles/container.defaultNodeServiceAccount"
    node = graph.one("NodePool").inputs["nodeConfig"]
    assert node["serviceAccount"] == f"models-nodes@{PROJECT}.iam.gserviceaccount.com"
    assert node["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}


def test_a_long_name_leaves_room_for_what_tells_accounts_apart():
    graph = gke(cluster_name="a" + "b" * 28 + "c")
    assert len(graph.one("gcp:serviceaccount/account:Account").inputs["accountId"]) <= 30


def test_logs_go_to_the_region_s_bucket_and_not_to_the_one_of_no_region(graph):
    sink, exclusion = graph.one("ProjectSink").inputs, graph.one("ProjectExclusion").inputs
    assert sink["destination"] == "logging.googleapis.com/models-logs-id"
    assert sink["filter"] == exclusion["filter"]
    assert 'cluster_name="models"' in sink["filter"] and f'location="{FRANKFURT}"' in sink["filter"]
    bucket = graph.one("ProjectBucketConfig").inputs
    assert (bucket["retentionDays"], bucket["locked"], bucket["bucketId"]) == (365, True, "models")


@pytest.mark.parametrize("word", ["rapid", "regular", "stable", "extended"])
def test_a_channel_goes_to_google_in_its_own_spelling(word):
    cluster = gke(channel=word).one("gcp:container/cluster:Cluster").inputs
    assert cluster["releaseChannel"] == {"channel": word.upper()}


def test_windows_for_maintenance_are_those_of_the_program():
    cluster = gke(maintenance=WEEKENDS).one("gcp:container/cluster:Cluster").inputs
    assert cluster["maintenancePolicy"]["recurringWindow"] == {
        "startTime": WEEKENDS["start"],
        "endTime": WEEKENDS["end"],
        "recurrence": WEEKENDS["recurrence"],
    }


def test_a_project_may_be_held_to_its_region():
    assert gke().of("gcp:orgpolicy/policy:Policy") == []
    policy = gke(restrict_locations=True).one("gcp:orgpolicy/policy:Policy").inputs
    assert policy["name"] == f"projects/{PROJECT}/policies/gcp.resourceLocations"
    assert policy["spec"]["rules"] == [{"values": {"allowedValues": [f"in:{FRANKFURT}-locations"]}}]


def test_what_cannot_be_made_again_is_protected_unless_the_program_says_otherwise():
    def protected(graph):
        return {one.kind for one in graph if one.protect}

    assert protected(gke()) == {"CryptoKey", "ProjectBucketConfig", "Cluster"}
    free = gke(protect=False)
    assert protected(free) == set() and free.one("ProjectBucketConfig").inputs["locked"] is False
    assert free.one("gcp:container/cluster:Cluster").inputs["deletionProtection"] is False


def test_locked_logs_stay_locked_and_stay_there_when_the_rest_may_go():
    """Google opens no lock, and deletes no bucket behind one while there are logs in it."""
    logs = gke(protect=False, lock_logs=True).one("ProjectBucketConfig")
    assert (logs.inputs["locked"], logs.protect, logs.retained) == (True, False, True)
    assert gke(protect=False).one("ProjectBucketConfig").retained is False


def test_the_kubeconfig_is_a_secret_without_a_credential_whose_user_asks_google_for_a_token():
    seen = []

    def program():
        cluster = GkeCluster("models", cluster_args(cluster_name="shared"))
        pulumi.Output.from_input(cluster.kubeconfig.is_secret()).apply(seen.append)

    graph = build(program, answers=ANSWERS, computed=COMPUTED)
    document = json.loads(graph.one("GkeCluster").outputs["kubeconfig"])
    assert seen == [True]
    (user,) = document["users"]
    assert set(user["user"]) == {"exec"} and user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert user["user"]["exec"]["provideClusterInfo"] is True
    (cluster,) = document["clusters"]
    assert cluster == {
        "name": "shared",
        "cluster": {"server": "https://10.0.0.2", "certificate-authority-data": "Q0E="},
    }


def test_a_preview_goes_through_before_anything_is_there():
    graph = gke(preview=True, **EVERYTHING)
    assert graph.one("NodePool").inputs["autoscaling"]["totalMaxNodeCount"] == 9


def test_a_gpu_pool_takes_the_cluster_as_it_is():
    def program():
        cluster = GkeCluster("models", cluster_args())
        pool = {"pool": "chat", "gpu": "H100-80GB", "machine_type": "a3-highgpu-8g", "zone": f"{FRANKFURT}-a"}
        GkeGpuNodePool("chat", {**pool, "cluster": cluster.cluster_id, "disk": {"key": cluster.disk_key}})

    graph = build(program, answers=ANSWERS, computed=COMPUTED)
    pool = graph.one("NodePool", "chat-nodes").inputs
    assert pool["cluster"] == graph.one("GkeCluster").outputs["cluster_id"] == "models-cluster-id"
    assert pool["nodeConfig"]["bootDiskKmsKey"] == "models-disks-id"


def test_every_child_belongs_to_the_cluster_and_two_of_one_program_do_not_collide():
    graph = gke(network=OPEN)
    cluster = graph.one("GkeCluster")
    assert graph.child_of(cluster) == [one for one in graph if one is not cluster]

    def program():
        GkeCluster("models", cluster_args())
        GkeCluster("more", cluster_args())

    both = build(program, answers=ANSWERS, computed=COMPUTED)
    names = [one.inputs["name"] for one in both.of("gcp:compute/network:Network")]
    assert sorted(names) == ["models", "more"]
