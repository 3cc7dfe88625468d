"""The committed stack on GKE, from its first preview to its end, by plain Pulumi with the policies on.

Real are the engine, the stack's program, the API server with its scheduler, every controller that has a
program, the import and the model that answers. Simulated are Google Cloud (a test provider, whose buckets are
in the tests' Cloud Storage), what GKE does there (`tests.providers.gcp.control_planes`), Google's plugin of
kubectl, the nodes and their GPUs. What is changed of the stack is in `tests.providers.cloud_site`.
In order: each test goes on from where the one before it ended.
"""

import json
import os

import pytest
from tests.door.site import l4
from tests.measured import measured
from tests.providers.cloud_site import (
    CHECKOUT,
    FILE,
    POLICIES,
    UP,
    CloudSite,
    begin,
    newcomer_of,
    weights_of_smollm2,
    with_cloud,
)
from tests.providers.gcp import command, control_planes, node_programs
from tests.providers.gcp.google import NUMBER
from tests.providers.gcp.server import provider

pytestmark = pytest.mark.engine

STACK, PROJECT, INTAKE, BUCKET = "gke-eu", "acme-models", "example-intake", "example-corral-models"
REGISTRY = "europe-west3-docker.pkg.dev/acme-images/mirror"
"""Of the committed stack."""
CLUSTER = f"projects/{PROJECT}/locations/europe-west3/clusters/corral-gke-eu"
ENTIRE = "CORRAL_GKE_STACK" in os.environ
"""Whether the stack comes up, on a plane; otherwise it is previewed alone."""
entire = pytest.mark.skipif(not ENTIRE, reason="CORRAL_GKE_STACK is not set: the stack is previewed alone")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gke")
    newcomer, plane, inventory = newcomer_of(folder, {"L4": l4()})
    with provider() as (gcp, port):
        google = gcp.google
        google.plane = control_planes.ControlPlane(plane, inventory, folder / "tokens", project=PROJECT)
        google.storage.member_of = google.plane.member
        if not ENTIRE:
            google.plane = None
        try:
            weights = weights_of_smollm2()
            google.storage.buckets[INTAKE] = {}
            google.storage.roles[INTAKE] = set()
            google.storage.put(INTAKE, f"smollm2/{FILE}", weights)
            variables = {"PULUMI_DEBUG_PROVIDERS": f"gcp:{port}", "SIMULATED_GOOGLE": str(folder / "tokens")}
            newcomer = with_cloud(newcomer, folder, command.__file__, "gke-gcloud-auth-plugin", **variables)
            newcomer.log_in()
            of_node = {
                "CORRAL_NODE_PROGRAMS": "tests.providers.gcp.node_programs",
                "PYTHONPATH": str(CHECKOUT),
                node_programs.STORAGE: f"http://{google.storage.address}",
                node_programs.METADATA: google.storage.metadata_address,
            }
            if ENTIRE:
                newcomer.done("corral", "up", "--plane-only", "-s", plane.name, **of_node)
            made = CloudSite(newcomer, gcp, plane, STACK, f"gs://{INTAKE}/smollm2")
            begin(made, folder, REGISTRY, weights)
            yield made
        finally:
            if google.plane is not None:
                google.plane.stop()
            if ENTIRE:
                newcomer.run("corral", "down", "--yes", "-s", plane.name)


def test_the_first_preview_passes_with_charts_on_a_kubeconfig_that_is_not_known(site):
    shown = site.done("pulumi", "preview", "--non-interactive", "--json", *POLICIES)
    steps = json.loads(shown[shown.index("{") :])["steps"]
    assert {step["op"] for step in steps} == {"create"}
    kinds = [step["urn"].rpartition("::")[0].rpartition(":")[2] for step in steps]
    assert {"GkeCluster", "GkeModelBucket", "NodePool", "Release", "InferenceService"} <= set(kinds)
    assert kinds.count("Release") > 8
    assert {operation for operation, _ in site.provider.calls} <= {"check"}, "a preview makes nothing"
    assert site.state() == []


@entire
def test_one_up_makes_network_cluster_nodes_and_platform_and_a_model_that_answers(site, record_property):
    output = site.done(*UP)
    record_property("up", site.seconds)
    assert "corral-sovereignty@" in output and "[mandatory]" not in output
    assert site.answer()
    assert list(site.provider.google.of("Cluster")) == [CLUSTER]
    assert len(site.provider.google.of("NodePool")) == 2


@entire
def test_imports_and_models_enter_cloud_storage_by_their_own_identity_and_nobody_holds_a_key(site):
    pool = f"principal://iam.googleapis.com/projects/{NUMBER}/locations/global/workloadIdentityPools"
    subject = f"{pool}/{PROJECT}.svc.id.goog/subject/ns"
    assert site.provider.google.storage.entered == {
        (f"{subject}/model-storage/sa/model-writer", "roles/storage.objectUser"),
        (f"{subject}/model-storage/sa/model-writer", "roles/storage.objectViewer"),
        (f"{subject}/assistants/sa/chat", "roles/storage.objectViewer"),
    }
    keys = {key for one in site.items("secrets", "-A") for key in one.get("data", {})}
    assert not [key for key in keys if "AWS" in key or "KEY_ID" in key or "credentials" in key]
    stored = site.provider.google.storage.names(BUCKET)
    assert FILE in {key.partition("/")[2] for key in stored if key.startswith("chat-")}


@entire
def test_gpu_nodes_have_the_labels_of_their_pool_and_its_pods(site):
    (node,) = site.items("nodes", "-l", "corral.dev/pool=whole")
    labels = node["metadata"]["labels"]
    assert labels["node.kubernetes.io/instance-type"] == "g2-standard-48"
    assert labels["iam.gke.io/gke-metadata-server-enabled"] == "true"
    assert [one["key"] for one in node["spec"]["taints"]] == ["nvidia.com/gpu"]
    (pod,) = site.items("pods", "-n", "assistants", "-l", "corral.dev/model=chat")
    assert pod["spec"]["nodeName"] == node["metadata"]["name"]


@entire
def test_volumes_are_of_the_class_under_the_cluster_s_key(site):
    volumes = site.items("persistentvolumes")
    assert len(volumes) > 2
    assert {one["spec"]["storageClassName"] for one in volumes} == {"corral-encrypted"}
    assert {one["status"]["phase"] for one in volumes} == {"Bound"}


@entire
def test_a_second_up_changes_nothing(site, record_property):
    output = site.done(*UP)
    record_property("again", site.seconds)
    assert " unchanged" in output
    for word in (" created", " updated", " replaced", " deleted"):
        assert word not in output.partition("Resources:")[2], output
    assert {operation for operation, _ in site.provider.calls} <= {"check"}


@entire
@measured
def test_kubectl_takes_what_is_there_as_it_is(site, record_property):
    site.peer.beside_no_change(record_property)


@entire
def test_another_gpu_node_in_the_stack_file_is_one_in_the_cluster(site):
    site.write_stack(nodes=2)
    site.done(*UP)
    assert len(site.items("nodes", "-l", "corral.dev/pool=whole")) == 2
    assert site.answer()


@entire
def test_what_is_protected_refuses_to_go_and_nothing_else_goes(site):
    refused = site.run("pulumi", "destroy", "--yes", "--non-interactive")
    assert refused.returncode != 0
    assert "cannot be deleted" in refused.stdout, refused.stdout[-3000:]
    assert " deleted" not in refused.stdout.partition("Resources:")[2]
    assert site.answer()


@entire
def test_the_end_is_stopped_by_the_profile_unless_somebody_approves_it(site):
    site.write_stack(nodes=2, protected=False)
    stopped = site.run("pulumi", "preview", "--non-interactive", *POLICIES)
    assert stopped.returncode != 0
    assert "cluster.deletion-protection: false: " in stopped.stdout, stopped.stdout[-5000:]
    assert "SOV-OPS-06" in stopped.stdout, stopped.stdout[-5000:]
    assert site.items("nodes", "-l", "corral.dev/pool=whole")


@entire
def test_without_protection_and_with_approval_destroy_leaves_what_google_keeps_and_the_locked_logs(site):
    site.write_stack(nodes=2, protected=False, approved=True)
    site.done(*UP)
    assert not [one["urn"] for one in site.state() if one.get("protect")]
    site.done("pulumi", "destroy", "--yes", "--non-interactive")
    order = [urn.rpartition("::")[2] for operation, urn in site.provider.calls if operation == "delete"]
    assert order.index("gke-system") < order.index("gke-cluster") < order.index("gke-network")
    assert [one["type"] for one in site.state()] in ([], ["pulumi:pulumi:Stack"])
    google = site.provider.google
    left = [one.type.rpartition(":")[2] for one in google.things.values() if not one.gone]
    assert left == ["ProjectBucketConfig"]
    assert list(google.storage.buckets) == [INTAKE]
    assert [one["metadata"]["name"] for one in site.items("nodes")] == []
    assert [one["metadata"]["name"] for one in site.items("persistentvolumes")] == []
    namespaces = {one["metadata"]["name"] for one in site.items("namespaces")}
    assert namespaces == {"default", "kube-node-lease", "kube-public", "kube-system"}


@entire
@measured
def test_kubectl_takes_the_same_where_nothing_of_it_is(site, record_property):
    site.provider.google.plane.join_again()
    site.peer.beside_first_up(record_property)
