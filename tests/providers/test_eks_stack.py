"""A committed stack on EKS, from its first preview to its end, by plain Pulumi with the policies on.

Real are the engine, the stack's program, the API server with its scheduler, every controller that has a
program, the import and the model that answers. Simulated are AWS (a test provider before moto), what EKS and
its add-ons do there (`tests.providers.aws.control_planes`), the command `aws`, the nodes and their GPUs. What
is changed of the stack is in `tests.providers.cloud_site`, and here: keys of KMS, for those of its example,
and a pool with AWS's fabric, whose chart is a stand-in.
In order: each test goes on from where the one before it ended.
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.door.newcomer import SECRETS as SITE_SECRETS
from tests.door.site import INTAKE_SECRETS, l4
from tests.doubles.secure_transport import calls_as_over_tls
from tests.measured import measured
from tests.providers.cloud_site import (
    CHECKOUT,
    FILE,
    POLICIES,
    SECRETS,
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
from tests.providers.aws.account import NUMBER  # noqa: E402

pytestmark = pytest.mark.engine

CHARTS = Path(__file__).parent / "aws" / "charts"
INTAKE, BUCKET = "example-intake", "example-corral-models"
"""Of the committed stacks."""
EFA, L4_MIB = "vpc.amazonaws.com/efa", 22888
"""What a pod asks for, and the memory of the GPU by EC2's DescribeInstanceTypes."""


@dataclass(frozen=True)
class Stack:
    """A committed stack, and what it has of its own."""

    name: str
    region: str
    registry: str
    pool: str
    instance: str
    near: Sequence[Mapping[str, Any]] = ()
    """Pools with AWS's fabric, which it is given beside its own."""
    secrets: Mapping[str, str] = field(default_factory=lambda: SECRETS)


FRANKFURT = Stack(
    "eks-eu",
    "eu-central-1",
    "111122223333.dkr.ecr.eu-central-1.amazonaws.com/mirror",
    "slices",
    "p4de.24xlarge",
    near=[
        {
            **{"name": "near", "gpu": "L4", "instance": "g6.8xlarge", "gpus-per-node": 1},
            **{"fabric": "efa", "zone": "eu-central-1b", "nodes": {"min": 2, "max": 2}},
            "price-per-hour": 3.5,
        }
    ],
)
BRANDENBURG = Stack(
    "eks-eusc",
    "eusc-de-east-1",
    "111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu/mirror",
    "whole",
    "g6e.12xlarge",
    secrets={
        **SECRETS,
        **{key: value for key, value in SITE_SECRETS.items() if key.startswith("corral:storage-")},
        **INTAKE_SECRETS,
    },
)
STACKS = {"": FRANKFURT, FRANKFURT.name: FRANKFURT, BRANDENBURG.name: BRANDENBURG}
CHOSEN = os.environ.get("CORRAL_EKS_STACK", "")
ENTIRE = bool(CHOSEN)
"""Whether the stack comes up, on a plane; otherwise it is previewed alone."""
if CHOSEN not in STACKS:
    raise pytest.UsageError(f"CORRAL_EKS_STACK={CHOSEN}: {' or '.join(filter(None, STACKS))} is brought up")
STACK = STACKS[CHOSEN]
REGION, POOL = STACK.region, f"corral.dev/pool={STACK.pool}"
entire = pytest.mark.skipif(not ENTIRE, reason="CORRAL_EKS_STACK is not set: the stack is previewed alone")
fabric = pytest.mark.skipif(not STACK.near, reason=f"{STACK.name} is not given a pool with a fabric")
own_bucket = pytest.mark.skipif(STACK is BRANDENBURG, reason="its models are in a store within the cluster")


@dataclass
class Site(CloudSite):
    """A site of which the cloud is AWS."""

    identity: Any = None
    """Pod Identity of the cluster."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of KMS for those that the stack names, by purpose; none: it names none."""

    @property
    def account(self):
        return self.provider.account(REGION)

    def adapt(self, platform):
        platform["gpu-pools"] += STACK.near
        if self.keys:
            platform["cluster"]["eks"]["keys"] = dict(self.keys)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eks")
    newcomer, plane, inventory = newcomer_of(folder, {"L4": {**l4(), "memory-mib": L4_MIB}})
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
            keys = external_keys(aws.account(REGION)) if STACK is BRANDENBURG else {}
            made = Site(newcomer, aws, plane, STACK.name, f"s3://{INTAKE}/smollm2", identity, keys)
            begin(made, folder, STACK.registry, weights, STACK.secrets, CHARTS)
            yield made
        finally:
            aws.plane.stop()
            s3.stop()
            if ENTIRE:
                newcomer.run("corral", "down", "--yes", "-s", plane.name)


def external_keys(account):
    """Keys as of an external key store, there before the stack, with the statements that the page has."""
    page = (CHECKOUT / "docs" / "eks.md").read_text().replace("111122223333", NUMBER)
    (block,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    logs, disks = json.loads(block)
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{account.partition}:iam::{NUMBER}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    policies = {"secrets": [owner], "logs": [owner, logs], "disks": [owner, disks]}
    return {
        purpose: account.kms.create_key(
            Policy=json.dumps({"Version": "2012-10-17", "Statement": statements})
        )["KeyMetadata"]["Arn"]
        for purpose, statements in policies.items()
    }


@contextmanager
def pod_identity_of(aws, plane, inventory, folder):
    """Pod Identity of the cluster that the plane becomes."""
    control_plane = aws.plane = control_planes.ControlPlane(plane, inventory, folder / "tokens")
    account = aws.account(REGION)
    with pod_identity.serving(account, control_plane.call, folder) as identity:
        control_plane.identity = identity
        yield identity


def test_the_first_preview_passes_with_charts_on_a_kubeconfig_that_is_not_known(site):
    shown = site.done("pulumi", "preview", "--non-interactive", "--json", *POLICIES)
    steps = json.loads(shown[shown.index("{") :])["steps"]
    assert {step["op"] for step in steps} == {"create"}
    kinds = [step["urn"].rpartition("::")[0].rpartition(":")[2] for step in steps]
    assert {"EksCluster", "NodeGroup", "Release", "InferenceService"} <= set(kinds)
    assert kinds.count("Release") > 8
    assert {operation for operation, _ in site.provider.calls} <= {"check"}, "a preview makes nothing"
    assert site.state() == []
    if not STACK.near:
        return
    assert {"PlacementGroup", "EfaDevicePlugin"} <= set(kinds)
    (near,) = [step["newState"] for step in steps if step["urn"].endswith("LaunchTemplate::near-template")]
    interfaces = [one.get("interfaceType") for one in near["inputs"]["networkInterfaces"]]
    assert interfaces == [None, "efa-only"], "the pool has a primary interface and its one of the fabric"


@entire
def test_one_up_makes_network_cluster_nodes_and_platform_and_a_model_that_answers(site, record_property):
    output = site.done(*UP)
    record_property("up", site.seconds)
    assert "corral-sovereignty@" in output and "[mandatory]" not in output
    assert site.answer()
    (cluster,) = site.account.eks.list_clusters()["clusters"]
    assert len(site.account.eks.list_nodegroups(clusterName=cluster)["nodegroups"]) == 2 + len(STACK.near)


@entire
@fabric
def test_nodes_with_a_fabric_hand_its_interfaces_out_and_the_other_nodes_have_none(site):
    near = {one["metadata"]["name"] for one in site.items("nodes", "-l", "corral.dev/pool=near")}
    assert len(near) == 2
    plugins = site.items("pods", "-n", "efa-device-plugin")
    assert {one["spec"]["nodeName"] for one in plugins} == near
    announced = "--for=jsonpath={.status.allocatable.vpc\\.amazonaws\\.com/efa}=1"
    site.kubectl("wait", announced, "node", "-l", "corral.dev/pool=near", "--timeout=60s")
    site.kubectl("apply", "-f", "-", stdin=json.dumps(rank()))
    try:
        site.kubectl("wait", "--for=condition=PodScheduled", "pod/rank", "-n", "default", "--timeout=60s")
        (pod,) = site.items("pods", "-n", "default", "--field-selector=metadata.name=rank")
    finally:
        site.kubectl("delete", "pod", "rank", "-n", "default", "--wait=false")
    assert pod["spec"]["nodeName"] in near
    nodes = site.items("nodes")
    assert {one["metadata"]["name"] for one in nodes if EFA in one["status"]["allocatable"]} == near


def rank():
    """One of the pods of a server over several nodes, which has an interface of the fabric."""
    container = {
        "name": "rank",
        "image": f"{STACK.registry}/library/rank:1",
        "resources": {"limits": {EFA: "1"}},
    }
    tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "rank", "namespace": "default"},
        "spec": {"containers": [container], "tolerations": tolerations},
    }


@entire
@own_bucket
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
    (node,) = site.items("nodes", "-l", POOL)
    labels = node["metadata"]["labels"]
    assert labels["node.kubernetes.io/instance-type"] == STACK.instance
    if STACK is FRANKFURT:
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
    assert len(site.items("nodes", "-l", POOL)) == 2
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
    assert f"Cluster corral-{STACK.name}" in refused.stdout, refused.stdout
    assert site.answer()


@entire
def test_the_end_is_stopped_by_the_profile_unless_somebody_approves_it(site):
    site.write_stack(nodes=2, protected=False)
    stopped = site.run("pulumi", "preview", "--non-interactive", *POLICIES)
    assert stopped.returncode != 0
    assert "cluster.deletion-protection: false: " in stopped.stdout, stopped.stdout[-5000:]
    assert "SOV-OPS-06" in stopped.stdout, stopped.stdout[-5000:]
    assert site.items("nodes", "-l", POOL)


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


@entire
@measured
def test_kubectl_takes_the_same_where_nothing_of_it_is(site, record_property):
    site.provider.plane.join_again()
    site.peer.beside_first_up(record_property)


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
            and one["KeyArn"] not in site.keys.values()
        ],
        "simulated": list(account.simulated),
    }
    return {kind: there for kind, there in now.items() if there}
