"""The committed stack on EKS, from its first preview to its end, by plain Pulumi with the policies on.

Real are the engine, the stack's program, the API server with its scheduler, every controller that has a
program, the import and the model that answers. Simulated are AWS (a test provider before moto), what EKS and
its add-ons do there (`tests.providers.aws.control_planes`), the command `aws`, the nodes and their GPUs.

Changed are the models, whose weights are not to be had here: SmolLM2 from the same intake in their place; and
the budget, for a second node. Charts come from a folder, and digests are made up, since there is no registry.
In order: each test goes on from where the one before it ended.
"""

import datetime
import hashlib
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from tests.commands import kubectl_done
from tests.door import site as sites
from tests.door.newcomer import newcomer_in
from tests.doubles.secure_transport import calls_as_over_tls

from corral.catalogue import lock
from corral.catalogue.digests import Locked
from corral.catalogue.models import models
from corral.controls.exceptions import today
from corral.embedded import toolchain
from corral.embedded.home import PlaneHome
from corral.embedded.plane.charts import link, names
from corral.stacks.config.model_lock import LockedModel, lock_text

server = pytest.importorskip("tests.providers.aws.server", reason="there is no test provider of AWS")

from moto.server import ThreadedMotoServer  # noqa: E402
from tests.providers.aws import command, control_planes, node_programs, pod_identity  # noqa: E402

pytestmark = pytest.mark.engine

CHECKOUT = Path(__file__).resolve().parents[2]
STACK, REGION, INTAKE, BUCKET = "eks-eu", "eu-central-1", "example-intake", "example-corral-models"
REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/mirror"
"""Of the committed stack."""
SMOLLM2 = models()["smollm2-135m"]
FILE = SMOLLM2.files[0].name
SECRETS = {
    "grafana-password": "grafana-password",
    "vector-db-api-key": "vector-db-api-key",
}
"""All that the stack needs: its store and the intake are entered without keys."""
ENTIRE = "CORRAL_EKS_STACK" in os.environ
"""Whether the stack comes up, on a plane; otherwise it is previewed alone."""
entire = pytest.mark.skipif(not ENTIRE, reason="CORRAL_EKS_STACK is not set: the stack is previewed alone")
POLICIES = ("--policy-pack", "policy")
UP = ("pulumi", "up", "--yes", "--non-interactive", "--skip-preview", *POLICIES)
APPROVED_DAYS = 7
"""For which the end of the stack is approved."""
SECONDS = 900


class Site:
    """Somebody who has cloned the checkout, and the account of AWS that the stack is for."""

    def __init__(self, newcomer, aws, plane, identity):
        self.newcomer, self.aws, self.plane, self.identity = newcomer, aws, plane, identity

    @property
    def account(self):
        return self.aws.account(REGION)

    def run(self, *command):
        self.aws.calls.clear()
        return self.newcomer.run(*command, "-s", STACK, seconds=SECONDS)

    def done(self, *command):
        finished = self.run(*command)
        assert finished.returncode == 0, f"{command}: {finished.returncode}\n{finished.stdout[-20000:]}"
        return finished.stdout

    def kubectl(self, *arguments, stdin=""):
        return kubectl_done(self.plane.kubeconfig, *arguments, stdin=stdin)

    def items(self, kind, *arguments):
        return json.loads(self.kubectl("get", kind, *arguments, "-o", "json"))["items"]

    def answer(self):
        """What the model says to a greeting, by way of the API server."""
        path = "/api/v1/namespaces/assistants/services/chat-predictor:80/proxy/v1/chat/completions"
        request = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
        response = self.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(request))
        return json.loads(response)["choices"][0]["message"]["content"]

    def write_stack(self, nodes, *, protected=True, approved=False):
        """The committed stack with its changes, and so many GPU nodes; `approved`: it may be unprotected."""
        path = self.newcomer.checkout / f"Pulumi.{STACK}.yaml"
        content = yaml.safe_load((CHECKOUT / path.name).read_text())
        kept = yaml.safe_load(path.read_text())
        platform = content["config"]["corral:platform"]
        source = f"s3://{INTAKE}/smollm2"
        platform["models"] = [
            {"name": "chat", "model": "smollm2-135m", "source": source, "context": 2048, "max-num-seqs": 2}
        ]
        platform["gpu-pools"][0]["nodes"] = {"min": nodes, "max": nodes}
        platform["budget"] = {"monthly": 60000}
        if not protected:
            platform["cluster"]["deletion-protection"] = False
        if approved:
            platform["sovereignty"]["exceptions"] = [
                {
                    "control": "SOV-OPS-06",
                    "reason": "the platform is moved to another account",
                    "approver": "jane.doe@example.eu",
                    "expires": str(today() + datetime.timedelta(days=APPROVED_DAYS)),
                }
            ]
        kept["config"] = {**kept["config"], "corral:platform": platform}
        path.write_text(yaml.safe_dump(kept, sort_keys=False))

    def state(self):
        return json.loads(self.done("pulumi", "stack", "export"))["deployment"].get("resources", [])


def locked(checkout, weights):
    """Locks as `corral lock` and `corral lock --models` write them, with digests that no registry gave."""
    today = datetime.date(2026, 11, 27)
    made_up = {
        reference: Locked(digest=f"sha256:{hashlib.sha256(reference.encode()).hexdigest()}", date=today)
        for reference in lock.references(REGISTRY)
    }
    (checkout / "catalogue" / "digests.yaml").write_text(lock.text(made_up))
    content = {
        "source": f"s3://{INTAKE}/smollm2",
        "date": today,
        "files": [{"name": FILE, "size": len(weights), "sha256": hashlib.sha256(weights).hexdigest()}],
    }
    (checkout / f"models.{STACK}.lock.yaml").write_text(
        lock_text({"chat": LockedModel.model_validate(content)})
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("eks")
    newcomer = newcomer_in(folder)
    plane = PlaneHome(newcomer.home / ".cache" / "corral" / "eks")
    inventory = newcomer.checkout / "embedded" / "hardware" / "inventory.yaml"
    content = yaml.safe_load(inventory.read_text())
    inventory.write_text(yaml.safe_dump({**content, "machines": []}, sort_keys=False))
    with (
        server.provider() as (aws, port),
        pod_identity_of(aws, plane, inventory, folder) as identity,
        calls_as_over_tls(),
    ):
        s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        s3.start()
        try:
            weights = sites.packaged(SMOLLM2.package_source, FILE)
            client = aws.account(REGION).s3
            client.create_bucket(Bucket=INTAKE, CreateBucketConfiguration={"LocationConstraint": REGION})
            client.put_object(Bucket=INTAKE, Key=f"smollm2/{FILE}", Body=weights)
            newcomer = with_aws(newcomer, folder, port)
            newcomer.log_in()
            programs = "tests.providers.aws.node_programs"
            of_node = {
                "CORRAL_NODE_PROGRAMS": programs,
                "PYTHONPATH": str(CHECKOUT),
                node_programs.ADDRESS: "http://{}:{}".format(*s3.get_host_and_port()),
                node_programs.AGENT: f"http://{identity.agent}/v1/credentials",
            }
            charts = folder / "charts"
            if ENTIRE:
                newcomer.done("corral", "up", "--plane-only", "-s", plane.name, **of_node)
            link(charts, names(), toolchain.chart)
            made = Site(newcomer, aws, plane, identity)
            made.write_stack(nodes=1)
            locked(newcomer.checkout, weights)
            newcomer.stack(STACK, {f"corral:{key}": value for key, value in SECRETS.items()})
            newcomer.done("pulumi", "config", "set", "corral:charts", str(charts), "-s", STACK)
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


def with_aws(newcomer, folder, port):
    """The newcomer with a command `aws` on PATH, and a provider of AWS at hand."""
    programs = folder / "programs"
    programs.mkdir()
    shutil.copy(command.__file__, programs / "aws")
    (programs / "aws").chmod(0o755)
    path = [str(programs), newcomer.environment["PATH"]]
    more = {
        "PATH": os.pathsep.join(path),
        "PULUMI_DEBUG_PROVIDERS": f"aws:{port}",
        "SIMULATED_AWS": str(folder / "tokens"),
    }
    return replace(newcomer, environment={**newcomer.environment, **more})


def test_the_first_preview_passes_with_charts_on_a_kubeconfig_that_is_not_known(site):
    shown = site.done("pulumi", "preview", "--non-interactive", "--json", *POLICIES)
    steps = json.loads(shown[shown.index("{") :])["steps"]
    assert {step["op"] for step in steps} == {"create"}
    kinds = [step["urn"].rpartition("::")[0].rpartition(":")[2] for step in steps]
    assert {"EksCluster", "NodeGroup", "Release", "InferenceService"} <= set(kinds)
    assert kinds.count("Release") > 8
    assert {operation for operation, _ in site.aws.calls} <= {"check"}, "a preview makes nothing"
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
    assert f"chat/{FILE}" in {one["Key"] for one in listed}


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
    assert {operation for operation, _ in site.aws.calls} <= {"check"}


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
    order = [urn.rpartition("::")[2] for operation, urn in site.aws.calls if operation == "delete"]
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
