"""The committed stack on GKE as a graph: network, cluster, nodes, and the platform on them."""

import json
from functools import cache
from typing import Any

import pytest
from tests.components.eks_cluster.sdk import wrong_inputs
from tests.components.gke_cluster.clusters import FRANKFURT
from tests.components.harness import Graph, Registered
from tests.deploy.eks_stack import APPROVED
from tests.deploy.gke_stack import STACK, built, content, planned
from tests.deploy.test_eks import storage_classes
from tests.deploy.violations import Violations
from tests.marks import first_of

from corral.catalogue.exit import exit_of
from corral.stacks.config.errors import StackErrors
from corral.stacks.planning.results.plan import Plan

SITE = {"region": FRANKFURT, "project": "acme-models"}
VERSION = f"projects/acme-keys/locations/{FRANKFURT}/keyRings/k/cryptoKeys/k/cryptoKeyVersions/1"
KEY = VERSION.rpartition("/cryptoKeyVersions")[0]
POOL = f"projects/acme-keys/locations/{FRANKFURT}/caPools/own"
OWN_KEYS: dict[str, Any] = {
    **dict.fromkeys(("cluster-ca", "aggregation-ca", "etcd-api-ca", "etcd-peer-ca"), POOL),
    **dict.fromkeys(("control-plane-disks", "etcd-backups"), KEY),
    **{key: [VERSION] for key in ("token-signing", "token-verification")},
}
OUTSIDE: dict[str, Any] = {
    "keys": {"secrets": KEY, "logs": KEY, "disks": KEY, "models": KEY},
    "control-plane-keys": OWN_KEYS,
    "own-issuer": True,
    "system-nodes": {"machine": "n2d-standard-8", "confidential": True},
}
"""What the profile with keys outside the provider wants."""
WORLDS: dict[str, dict[str, Any]] = {
    "eu-controlled": {},
    "open": {},
    "eu-resident": {},
    "eu-sovereign": OUTSIDE,
}
"""Changes to the committed section `cluster.gke` for each profile that takes the stack."""


PROTECTED = ("eu-controlled", "eu-sovereign")
"""Profiles that demand protection from deletion."""


@cache
def plan_of(profile: str = "eu-controlled") -> Plan:
    stated = content()
    stated["sovereignty"]["profile"] = profile
    stated["cluster"]["gke"] |= WORLDS[profile]
    return planned(stated)


@cache
def graph_of(profile: str = "eu-controlled") -> Graph:
    return built(plan_of(profile))


@cache
def preview_of() -> Graph:
    return built(plan_of(), preview=True)


@pytest.fixture
def graph() -> Graph:
    return graph_of()


@pytest.mark.parametrize("profile", first_of(WORLDS))
def test_no_control_of_a_profile_that_takes_the_stack_stops_it(profile: str):
    made = plan_of(profile)
    assert Violations(made, graph_of(profile), SITE).of(graph_of(profile)) == ([], set())


def test_a_profile_without_gs_refuses_its_models():
    stated = content()
    stated["sovereignty"]["profile"] = "air-gapped"
    with pytest.raises(StackErrors, match=r"models\[0\]\.source: gs://.*: profile air-gapped allows s3://"):
        planned(stated)


def test_no_control_stops_the_first_preview_and_those_that_wait_for_the_cluster_are_named():
    found, undecided = Violations(plan_of(), graph_of(), SITE).of(preview_of())
    assert found == []
    assert undecided


def test_the_first_preview_has_all_that_the_update_makes(graph: Graph):
    """Of what Google and the cluster have not made, nothing is known: no address, no id, no kubeconfig."""
    previewed = preview_of()
    assert {one.urn for one in previewed} == {one.urn for one in graph}
    (provider,) = previewed.of("pulumi:providers:kubernetes")
    assert "server" not in str(provider.inputs.get("kubeconfig"))


def made_in_google(graph: Graph) -> list[Registered]:
    return [one for one in graph if one.type.startswith("gcp:")]


def test_what_is_made_in_google_cloud_is_made_by_one_provider_in_the_region_and_project(graph: Graph):
    (provider,) = graph.of("pulumi:providers:gcp")
    assert (provider.inputs["region"], provider.inputs["project"]) == (FRANKFURT, "acme-models")
    made = made_in_google(graph)
    assert len(made) > 30
    assert [one.name for one in made if "providers:gcp::gcp::" not in one.provider] == []


def test_every_input_is_one_that_the_sdk_has_with_its_type(graph: Graph):
    wrong = {one.name: wrong_inputs(one.type, one.inputs) for one in made_in_google(graph)}
    assert {name: lines for name, lines in wrong.items() if lines} == {}


def test_every_type_of_google_s_is_in_the_exit_register(graph: Graph):
    assert {one.type for one in made_in_google(graph) if exit_of(one.type) is None} == set()


def test_every_object_goes_to_the_cluster_that_the_stack_makes(graph: Graph):
    (provider,) = graph.of("pulumi:providers:kubernetes")
    assert "kubeconfig" in provider.secrets
    kubeconfig = json.loads(provider.inputs["kubeconfig"])
    (user,) = kubeconfig["users"]
    assert user["user"]["exec"]["command"] == "gke-gcloud-auth-plugin"
    assert kubeconfig["current-context"] == "corral-gke-eu"
    objects = [one for one in graph if one.type.startswith("kubernetes:")]
    assert len(objects) > 80
    assert [one.name for one in objects if "providers:kubernetes::cluster::" not in one.provider] == []


def test_the_api_is_reached_from_the_networks_of_the_stack_file_alone(graph: Graph):
    cluster = graph.one("gcp:container/cluster:Cluster").inputs
    assert cluster["privateClusterConfig"] == {"enablePrivateNodes": True, "enablePrivateEndpoint": True}
    clients = cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"]
    assert clients == [{"cidrBlock": "10.8.0.0/16"}]
    assert graph.of("RouterNat") == []


def node_pools(graph: Graph) -> list[Registered]:
    return [one for one in graph.of("NodePool") if one.name != "gke-system"]


def test_the_nodes_of_a_pool_are_what_the_plan_has(graph: Graph):
    (pool,), (nodes,) = plan_of().pools, node_pools(graph)
    assert nodes.inputs["nodeCount"] == 1
    assert nodes.inputs["nodeLocations"] == ["europe-west3-b"]
    config = nodes.inputs["nodeConfig"]
    assert config["labels"]["corral.dev/pool"] == pool.name
    assert (config["machineType"], config["imageType"]) == ("g2-standard-48", "UBUNTU_CONTAINERD")
    assert config["bootDiskKmsKey"] == graph.one("CryptoKey", "gke-disks").name + "-id"
    assert config["shieldedInstanceConfig"]["enableSecureBoot"] is True


def test_with_a_way_to_the_internet_nodes_compile_an_unsigned_driver_and_any_mirror_will_do():
    stated = content()
    stated["sovereignty"]["registry"] = "registry.example.eu/mirror"
    del stated["cluster"]["precompiled-driver"]
    stated["cluster"]["gke"]["network"]["egress"] = "nat"
    stated["model-storage"] = {"size": "200Gi"}
    stated["model-sources"] = [{"name": "intake", "url": "gs://example-intake"}]
    graph = built(planned(stated))
    (nodes,) = node_pools(graph)
    assert nodes.inputs["nodeConfig"]["shieldedInstanceConfig"]["enableSecureBoot"] is False
    assert len(graph.of("RouterNat")) == 1
    assert graph.of("RepositoryIamMember") == []


def test_nodes_come_once_their_layouts_are_there(graph: Graph):
    (nodes,) = node_pools(graph)
    before = {graph.by_urn(urn).name for urn in graph.before(nodes)}
    assert {"gke-cluster", "gpu-operator-chart", "dra-driver-chart"} <= before


def test_each_kind_of_node_may_read_the_mirror_and_models_wait_for_that(graph: Graph):
    grants = {one.name: one for one in graph.of("RepositoryIamMember")}
    assert set(grants) == {"system-images", "whole-images"}
    for one in grants.values():
        assert (one.inputs["project"], one.inputs["location"], one.inputs["repository"]) == (
            "acme-images",
            FRANKFURT,
            "mirror",
        )
        assert one.inputs["role"] == "roles/artifactregistry.reader"
    assert grants["system-images"].inputs["member"].startswith("serviceAccount:gke-nodes@")
    (provider,) = graph.of("pulumi:providers:kubernetes")
    assert grants["system-images"].urn in graph.before(provider)
    for model in graph.of("Model"):
        assert grants["whole-images"].urn in graph.before(model)


def test_a_pool_with_two_layouts_is_two_node_pools_of_one_pool():
    stated = content()
    stated["sovereignty"]["region"] = "europe-west4"
    stated["sovereignty"]["registry"] = "europe-west4-docker.pkg.dev/acme-images/mirror"
    stated["tenants"] = [{"name": "assistants"}]
    stated["cluster"]["gke"]["zones"] = []
    stated["gpu-pools"] = [
        {
            "name": "slices",
            "gpu": "A100-80GB",
            "instance": "a2-ultragpu-4g",
            "zone": "europe-west4-a",
            "nodes": {"min": 2, "max": 2},
            "gpus-per-node": 4,
            "sharing": {"mig": "auto"},
        }
    ]
    stated["models"][0]["replicas"] = 9
    del stated["budget"]
    made = planned(stated)
    layouts = [node.mig_config for node in made.pools[0].nodes]
    assert len(set(layouts)) == 2
    graph = built(made)
    found = {one.name: one.inputs for one in node_pools(graph)}
    assert set(found) == {"slices-nodes", "slices-2-nodes"}
    labels = [one["nodeConfig"]["labels"] for one in found.values()]
    assert [one["nvidia.com/mig.config"] for one in labels] == list(dict.fromkeys(layouts))
    assert {one["corral.dev/pool"] for one in labels} == {"slices"}
    assert graph.one("StorageClass").inputs.get("allowedTopologies") is None, "Google chooses the zones"


def test_volumes_are_encrypted_under_the_customer_s_key(graph: Graph):
    made = graph.one("StorageClass")
    assert made.inputs["provisioner"] == "pd.csi.storage.gke.io"
    assert made.inputs["parameters"]["disk-encryption-kms-key"] == "gke-disks-id"
    (topology,) = made.inputs["allowedTopologies"]
    assert topology["matchLabelExpressions"][0]["values"] == [f"{FRANKFURT}-{zone}" for zone in "abc"]
    named = {one.name: storage_classes(one.inputs) for one in graph}
    assert {name for found in named.values() for name in found} == {made.object_name}
    assert {name.split("-")[0] for name, found in named.items() if found} == {"observability", "vector"}


def test_what_holds_data_is_protected(graph: Graph):
    held = {one.name for one in graph if one.protect}
    assert {"gke-cluster", "gke-disks", "gke-logs", "models-bucket", "models-models"} <= held


def test_models_are_in_a_bucket_that_imports_and_models_enter_by_their_own_account(graph: Graph):
    grants = {one.name: one.inputs for one in graph.of("BucketIAMMember")}
    assert {name: (one["bucket"], one["role"].rpartition(".")[2]) for name, one in grants.items()} == {
        "models-reader-assistants-chat": ("example-corral-models", "objectViewer"),
        "models-reader-assistants-embed": ("example-corral-models", "objectViewer"),
        "models-writer-model-storage-model-writer": ("example-corral-models", "objectUser"),
        "models-example-intake-reader-model-storage-model-writer": ("example-intake", "objectViewer"),
    }
    assert {one["member"].partition("/subject/")[2] for one in grants.values()} == {
        "ns/assistants/sa/chat",
        "ns/assistants/sa/embed",
        "ns/model-storage/sa/model-writer",
    }
    imports = [one for one in graph.of("Job") if "import" in one.name]
    for one in imports:
        pod = one.inputs["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["serviceAccountName"] == "model-writer"
        assert container["args"][-1].startswith("gs://example-corral-models/")
        assert not [name for name in (entry["name"] for entry in container["env"]) if "AWS" in name]
    assert {
        one.inputs["spec"]["predictor"]["model"]["storageUri"] for one in graph.of("InferenceService")
    } == {f"gs://example-corral-models/{one.storage_path}" for one in plan_of().models}
    assert "storage-access-key" not in plan_of().secrets_needed
    assert not [key for key in plan_of().secrets_needed if key.startswith("source-")]


def test_tenants_reach_cloud_storage_and_the_metadata_server_and_nothing_else_outside(graph: Graph):
    (rule,) = graph.one("NetworkPolicy", "tenancy-assistants-outside").inputs["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "199.36.153.4/30"}}]
    opened = graph.one("NetworkPolicy", "tenancy-assistants-metadata-server").inputs
    (rule,) = opened["spec"]["egress"]
    assert rule["to"] == [{"ipBlock": {"cidr": "169.254.169.254/32"}}]
    assert [one["port"] for one in rule["ports"]] == [80]
    assert opened["metadata"]["annotations"]["corral.dev/metadata-server"] == "gke"


@pytest.mark.parametrize("profile", first_of(WORLDS))
def test_without_deletion_protection_all_but_the_logs_may_go_and_its_control_alone_stops_that(profile: str):
    stated = content()
    stated["sovereignty"]["profile"] = profile
    stated["cluster"]["gke"] |= WORLDS[profile]
    stated["cluster"]["deletion-protection"] = False
    if profile in PROTECTED:
        with pytest.raises(StackErrors, match=r"cluster\.deletion-protection: false: .*SOV-OPS-06"):
            planned(stated)
        stated["sovereignty"]["exceptions"] = [APPROVED]
    unprotected = planned(stated)
    graph = built(unprotected)
    assert [one.name for one in graph if one.protect] == []
    assert graph.one("gcp:container/cluster:Cluster").inputs["deletionProtection"] is False
    logs = graph.one("gcp:logging/projectBucketConfig:ProjectBucketConfig")
    assert logs.inputs["locked"] is True and logs.retained
    stopped, _ = Violations(unprotected, graph, SITE).of(graph)
    demanded = {"SOV-OPS-06"} if profile in PROTECTED else set()
    assert {control for control, _, _ in stopped} == demanded


def test_every_key_of_the_section_reaches_the_cluster():
    stated = content()
    stated["cluster"]["gke"] |= {
        "name": "models",
        "keys": {"secrets": KEY, "logs": KEY, "disks": KEY, "models": KEY},
        "control-plane-keys": OWN_KEYS,
        "channel": "extended",
        "own-issuer": True,
        "restrict-locations": False,
        "log-days": 400,
        "system-nodes": {
            "machine": "c4-standard-8",
            "min": 2,
            "max": 3,
            "disk-gib": 50,
            "disk-type": "hyperdisk-balanced",
            "confidential": True,
        },
    }
    graph = built(planned(stated))
    cluster = graph.one("gcp:container/cluster:Cluster").inputs
    assert cluster["name"] == "models"
    assert cluster["databaseEncryption"]["keyName"] == KEY
    assert cluster["releaseChannel"]["channel"] == "EXTENDED"
    assert cluster["identityServiceConfig"]["enabled"] is True
    assert cluster["userManagedKeysConfig"] == {
        **dict.fromkeys(("clusterCa", "aggregationCa", "etcdApiCa", "etcdPeerCa"), POOL),
        "controlPlaneDiskEncryptionKey": KEY,
        "gkeopsEtcdBackupEncryptionKey": KEY,
        "serviceAccountSigningKeys": [VERSION],
        "serviceAccountVerificationKeys": [VERSION],
    }
    assert graph.of("CryptoKey") == [] == graph.of("gcp:orgpolicy/policy:Policy")
    assert graph.one("ProjectBucketConfig").inputs["retentionDays"] == 400
    system = graph.one("NodePool", "gke-system").inputs
    assert system["autoscaling"]["totalMinNodeCount"] == 2
    assert system["autoscaling"]["totalMaxNodeCount"] == 3
    node = system["nodeConfig"]
    assert (node["machineType"], node["diskSizeGb"], node["diskType"]) == (
        "c4-standard-8",
        50,
        "hyperdisk-balanced",
    )
    assert node["confidentialNodes"] == {"enabled": True, "confidentialInstanceType": "TDX"}
    assert graph.one("StorageClass").inputs["parameters"]["type"] == "hyperdisk-balanced"


def test_the_committed_stack_is_called_as_its_file():
    assert plan_of().stack == STACK
