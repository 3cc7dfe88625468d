"""The committed stack on EKS, from its first preview to its end, by plain Pulumi with the policies on.

Real are the engine, the stack's program, the API server with its scheduler, every controller that has a
program, the import and the model that answers. Simulated are AWS (a test provider before moto), what EKS and
its add-ons do there (`tests.providers.aws.control_planes`), the command `aws`, the nodes and their GPUs. What
is changed of the stack is in `tests.providers.cloud_site`.
In order: each test goes on from where the one before it ended.
"""

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from tests.doubles.secure_transport import calls_as_over_tls
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

server = pytest.importorskip("tests.providers.aws.server", reason="there is no test provider of AWS")

from moto.server import ThreadedMotoServer  # noqa: E402
from tests.providers.aws import command, control_planes, node_programs, pod_identity  # noqa: E402

pytestmark = pytest.mark.engine

STACK, REGION, INTAKE, BUCKET = "eks-eu", "eu-central-1", "example-intake", "example-corral-models"
REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/mirror"
"""Of the committed stack."""
NEAR = {
    **{"name": "near", "gpu": "L4", "instance": "g6.8xlarge", "gpus-per-node": 1},
    **{"fabric": "efa", "zone": f"{REGION}b", "nodes": {"min": 2, "max": 2}, "price-per-hour": 3.5},
}
"""A pool with AWS's fabric, which is previewed alone."""
ENTIRE = "CORRAL_EKS_STACK" in os.environ
"""Whether the stack comes up, on a plane; otherwise it is previewed alone."""
entire = pytest.mark.skipif(not ENTIRE, reason="CORRAL_EKS_STACK is not set: the stack is previewed alone")


@dataclass
class Site(CloudSite):
    """A site of which the cloud is AWS."""

    identity: Any = None
    """Pod Identity of the cluster."""

    @property
    def account(self):
        return self.provider.account(REGION)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eks")
    newcomer, plane, inventory = newcomer_of(folder)
    with (
        server.provider() as (aws, port),
        pod_identity_of(aws, plane, inventory, folder) as identity,
        calls_as_over_tls(),
    ):
        s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        s3.start()
        try:
            weights = weights_of_smollm2()
            client = aws.account(REGION).s3
            client.create_bucket(Bucket=INTAKE, CreateBucketConfiguration={"LocationConstraint": REGION})
            client.put_object(Bucket=INTAKE, Key=f"smollm2/{FILE}", Body=weights)
            variables = {"PULUMI_DEBUG_PROVIDERS": f"aws:{port}", "SIMULATED_AWS": str(folder / "tokens")}
            newcomer = with_cloud(newcomer, folder, command.__file__, "aws", **variables)
            newcomer.log_in()
            programs = "tests.providers.aws.node_programs"
            of_node = {
                "CORRAL_NODE_PROGRAMS": programs,
                "PYTHONPATH": str(CHECKOUT),
                node_programs.ADDRESS: "http://{}:{}".format(*s3.get_host_and_port()),
                node_programs.AGENT: f"http://{identity.agent}/v1/credentials",
            }
            if ENTIRE:
                newcomer.done("corral", "up", "--plane-only", "-s", plane.name, **of_node)
            made = Site(newcomer, aws, plane, STACK, f"s3://{INTAKE}/smollm2", identity)
            begin(made, folder, REGISTRY, weights)
            yield made
        finally:
            aws.plane.stop()
            s3.stop()
            if ENTIRE:
                newcomer.run("corral", "down", "--yes", "-s", plane.name)


@contextmanager
def pod_identity_of(aws, plane, inventory, folder):
    """Pod Identity of the cluster that the plane becomes."""
    control_plane = aws.plane = control_planes.ControlPlane(plane, inventory, folder / "tokens")
    account = aws.account(REGION)
    with pod_identity.serving(account, control_plane.call, folder) as identity:
        control_plane.identity = identity
        yield identity


def test_the_first_preview_passes_with_charts_on_a_kubeconfig_that_is_not_known(site):
    site.write_stack(nodes=1, pools=[NEAR])
    try:
        shown = site.done("pulumi", "preview", "--non-interactive", "--json", *POLICIES)
    finally:
        site.write_stack(nodes=1)
    steps = json.loads(shown[shown.index("{") :])["steps"]
    assert {step["op"] for step in steps} == {"create"}
    kinds = [step["urn"].rpartition("::")[0].rpartition(":")[2] for step in steps]
    assert {"EksCluster", "NodeGroup", "Release", "InferenceService"} <= set(kinds)
    assert {"PlacementGroup", "EfaDevicePlugin"} <= set(kinds)
    (near,) = [step["newState"] for step in steps if step["urn"].endswith("LaunchTemplate::near-template")]
    interfaces = [one.get("interfaceType") for one in near["inputs"]["networkInterfaces"]]
    assert interfaces == [None, "efa-only"], "the pool has a primary interface and its one of the fabric"
    assert kinds.count("Release") > 8
    assert {operation for operation, _ in site.provider.calls} <= {"check"}, "a preview makes nothing"
    assert site.state() == []


@entire
def test_one_up_makes_network_cluster_nodes_and_platform_and_a_model_that_answers(site):
    output = site.done(*UP)
    assert "corral-sovereignty@" in output and "[mandatory]" not in output
    assert site.answer()
    (cluster,) = site.account.eks.list_clusters()["clusters"]
    assert len(site.account.eks.list_nodegroups(clusterName=cluster)["nodegroups"]) == 2


@entire
def test_imports_and_models_enter_s3_by_their_own_identity_and_nobody_holds_a_key(site):
    roles = {account: role.rpartition("/")[2] for account, role in site.identity.entered.items()}
    assert set(roles) == {("model-storage", "model-writer"), ("assistants", "chat")}
    assert "writer" in roles["model-storage", "model-writer"] and "reader" in roles["assistants", "chat"]
    keys = {key for one in site.items("secrets", "-A") for key in one.get("data", {})}
    assert not [key for key in keys if "AWS" in key or "KEY_ID" in key]
    listed = site.account.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert FILE in {one["Key"].partition("/")[2] for one in listed if one["Key"].startswith("chat-")}


@entire
def test_gpu_nodes_have_the_labels_of_their_group_and_what_the_operator_makes_of_them(site):
    (node,) = site.items("nodes", "-l", "corral.dev/pool=slices")
    labels = node["metadata"]["labels"]
    assert labels["node.kubernetes.io/instance-type"] == "p4de.24xlarge"
    assert labels["nvidia.com/mig.config"] == "corral-slices"
    assert labels["nvidia.com/mig.config.state"] == "success"
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
def test_a_second_up_changes_nothing(site):
    output = site.done(*UP)
    assert " unchanged" in output
    for word in (" created", " updated", " replaced", " deleted"):
        assert word not in output.partition("Resources:")[2], output
    assert {operation for operation, _ in site.provider.calls} <= {"check"}


@entire
def test_another_gpu_node_in_the_stack_file_is_one_in_the_cluster(site):
    site.write_stack(nodes=2)
    site.done(*UP)
    assert len(site.items("nodes", "-l", "corral.dev/pool=slices")) == 2
    assert site.answer()


@entire
def test_what_is_protected_refuses_to_go_and_nothing_else_goes(site):
    refused = site.run("pulumi", "destroy", "--yes", "--non-interactive")
    assert refused.returncode != 0
    assert "cannot be deleted" in refused.stdout, refused.stdout[-3000:]
    assert " deleted" not in refused.stdout.partition("Resources:")[2]
    refused = site.run("corral", "down", "--yes")
    assert refused.returncode == 1
    assert "nothing was touched" in refused.stdout, refused.stdout
    assert "Cluster corral-eks-eu" in refused.stdout, refused.stdout
    assert site.answer()


@entire
def test_the_end_is_stopped_by_the_profile_unless_somebody_approves_it(site):
    site.write_stack(nodes=2, protected=False)
    stopped = site.run("pulumi", "preview", "--non-interactive", *POLICIES)
    assert stopped.returncode != 0
    assert "SOV-OPS-06" in stopped.stdout and "[mandatory]" in stopped.stdout, stopped.stdout[-5000:]
    assert site.items("nodes", "-l", "corral.dev/pool=slices")


@entire
def test_without_protection_and_with_approval_destroy_leaves_nothing_behind(site):
    site.write_stack(nodes=2, protected=False, approved=True)
    site.done(*UP)
    assert not [one["urn"] for one in site.state() if one.get("protect")]
    site.done("pulumi", "destroy", "--yes", "--non-interactive")
    order = [urn.rpartition("::")[2] for operation, urn in site.provider.calls if operation == "delete"]
    assert order.index("eks-aws-ebs-csi-driver") < order.index("eks-cluster") < order.index("eks-vpc")
    assert [one["type"] for one in site.state()] in ([], ["pulumi:pulumi:Stack"])
    assert left(site) == {}
    assert [one["metadata"]["name"] for one in site.items("nodes")] == []
    assert [one["metadata"]["name"] for one in site.items("persistentvolumes")] == []
    namespaces = {one["metadata"]["name"] for one in site.items("namespaces")}
    assert namespaces == {"default", "kube-node-lease", "kube-public", "kube-system"}


def left(site):
    """What is still in the account, but for the intake; keys that KMS will delete are gone."""
    account = site.account
    now = {
        "clusters": account.eks.list_clusters()["clusters"],
        "buckets": [one["Name"] for one in account.s3.list_buckets()["Buckets"] if one["Name"] != INTAKE],
        "vpcs": [one["VpcId"] for one in account.ec2.describe_vpcs()["Vpcs"] if not one["IsDefault"]],
        "roles": [one["RoleName"] for one in account.iam.list_roles()["Roles"]],
        "logs": [one["logGroupName"] for one in account.logs.describe_log_groups()["logGroups"]],
        "keys": [
            one["KeyId"]
            for one in account.kms.list_keys()["Keys"]
            if account.kms.describe_key(KeyId=one["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
        ],
        "simulated": list(account.simulated),
    }
    return {kind: there for kind, there in now.items() if there}
