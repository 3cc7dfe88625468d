"""Policies on somebody else's cluster: strangers' workloads go on, and what is in scope is refused."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.commands import kubectl, kubectl_done
from tests.door.newcomer import Newcomer, newcomer_in
from tests.door.pod_security import FIXTURES, pods

from corral.catalogue.vocabulary import Profile

pytestmark = pytest.mark.engine

LABEL = "corral.dev/policies"
ENFORCE = "pod-security.kubernetes.io/enforce"
REFUSED = "denied request: SOV-"
"""By one of the two controls about images; which answers first is the API server's choice."""
NGINX = "docker.io/library/nginx:1.29"
SECONDS = 90
PROGRAM = """
import pulumi
import pulumi_kubernetes as kubernetes
from corral.components.admission import Admission
from corral.components.kyverno import Kyverno
from corral.components.tenancy import Tenancy
from corral.stacks.deploy.component_args.admission import object_controls

settings = pulumi.Config()
cluster = kubernetes.Provider("cluster", kubeconfig={kubeconfig!r})
on = pulumi.ResourceOptions(provider=cluster)
kyverno = Kyverno("kyverno", {{
    "supply": {{"charts": {charts!r}}}, "replicas": 1, "upgrade_job": False, "scope": "namespaces",
    "monitors": False,
}}, on)
profile = settings.require("profile")
level = {{}} if profile == "open" else {{"pod_security": "restricted"}}
args = {{"controls": object_controls(), "profile": profile, "own_serving": False, **level}}
admission = Admission("admission", {{**args, "kyverno_types": kyverno.namespace}}, on)
Tenancy("tenancy", {{"tenants": [{{"name": "team-a", "namespace": "team-a", "data_class": "internal"}}]}}, on)
"""
OWNED = {"owner": "shop", "corral.dev/data-class": "public"}
"""Labels of a namespace by which a sovereign profile knows whose it is, and how far its data may go."""
TENANT_USER = ("--as", "jane", "--as-group", "system:authenticated")


@dataclass(frozen=True)
class Cluster:
    """A cluster with a stranger's workload on it, and a program that installs the policies."""

    newcomer: Newcomer
    kubeconfig: Path

    def ask(self, *arguments, given=None):
        return kubectl(self.kubeconfig, *arguments, stdin=_text(given))

    def kubectl(self, *arguments, given=None):
        return kubectl_done(self.kubeconfig, *arguments, stdin=_text(given))

    def refused(self, *arguments, given=None):
        """What a refusal says; the request must be one."""
        done = self.ask(*arguments, given=given)
        assert done.returncode, done.stdout
        return done.stderr

    def labels(self, name):
        return json.loads(self.kubectl("get", "namespace", name, "-o", "json"))["metadata"]["labels"]

    def install(self, profile):
        self.newcomer.done("pulumi", "config", "set", "-s", "guests", "profile", profile)
        self.newcomer.done("pulumi", "up", "-s", "guests", "--yes", "--skip-preview", "--non-interactive")


def _text(manifest):
    return "" if manifest is None else json.dumps(manifest)


def deployment(namespace, name="web", image=NGINX, **labels):
    chosen = {"app": name, **labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": chosen},
                "spec": {"containers": [{"name": "c", "image": image}]},
            },
        },
    }


def pod(namespace, name="tried", image=NGINX):
    spec = {"containers": [{"name": "c", "image": image}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    try:
        newcomer.done("corral", "up", "--plane-only", "-s", "elsewhere")
        plane = newcomer.home / ".cache" / "corral" / "elsewhere"
        own = folder / "own"
        own.mkdir()
        (own / "Pulumi.yaml").write_text("name: guests\nruntime: python\n")
        program = PROGRAM.format(kubeconfig=str(plane / "kubeconfig"), charts=str(plane / "charts"))
        (own / "__main__.py").write_text(program)
        found = Cluster(replace(newcomer, checkout=own), plane / "kubeconfig")
        found.kubectl("create", "namespace", "shop")
        found.kubectl("create", "-f", "-", given=deployment("shop"))
        found.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
        found.newcomer.done("pulumi", "stack", "init", "guests")
        yield found
    finally:
        newcomer.run("corral", "down", "-s", "elsewhere", "--yes")


@pytest.mark.parametrize("profile", [one.value for one in Profile])
def test_a_strangers_workload_goes_on_in_every_profile(cluster, profile):
    cluster.install(profile)
    cluster.kubectl("rollout", "restart", "deployment/web", "-n", "shop")
    cluster.kubectl("scale", "deployment/web", "-n", "shop", "--replicas=2")
    cluster.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
    cluster.kubectl("scale", "deployment/web", "-n", "shop", "--replicas=1")
    cluster.kubectl("create", "--dry-run=server", "-f", "-", given=pod("shop"))
    fresh = f"fresh-{profile}"
    cluster.kubectl("create", "namespace", fresh)
    cluster.kubectl("create", "-f", "-", given=pod(fresh))
    cluster.kubectl("wait", "--for=condition=Ready", "pod/tried", "-n", fresh, "--timeout=60s")
    assert set(cluster.labels(fresh)) == {"kubernetes.io/metadata.name"}
    assert not json.loads(cluster.kubectl("get", "networkpolicies", "-n", fresh, "-o", "json"))["items"]
    assert REFUSED in cluster.refused("create", "-f", "-", given=deployment("team-a")), "ours is in scope"


def eventually(wanted, seconds=SECONDS):
    end = time.monotonic() + seconds
    while not (found := wanted()):
        assert time.monotonic() < end
        time.sleep(1)
    return found


def test_a_namespace_that_opts_in_is_held_to_everything(cluster):
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "joined"}}
    manifest["metadata"]["labels"] = {LABEL: "enforced"}
    assert "SOV-GOV-02" in cluster.refused("create", "-f", "-", given=manifest), "whose it is, is not said"
    manifest["metadata"]["labels"] |= OWNED
    cluster.kubectl("create", "-f", "-", given=manifest)
    assert cluster.labels("joined")[ENFORCE] == "restricted", "last installed: a sovereign profile"
    assert REFUSED in cluster.refused("create", "-f", "-", given=deployment("joined"))
    found = eventually(
        lambda: json.loads(cluster.kubectl("get", "networkpolicies", "-n", "joined", "-o", "json"))["items"]
    )
    assert [one["metadata"]["name"] for one in found] == ["default-deny"]
    cluster.kubectl("delete", "networkpolicy", "default-deny", "-n", "joined")
    eventually(
        lambda: json.loads(cluster.kubectl("get", "networkpolicies", "-n", "joined", "-o", "json"))["items"]
    )


def test_a_running_workload_of_a_namespace_that_opts_in_later_is_left_until_it_changes(cluster):
    cluster.kubectl("create", "namespace", "later")
    cluster.kubectl("create", "-f", "-", given=pod("later"))
    owned = [f"{key}={value}" for key, value in OWNED.items()]
    cluster.kubectl("label", "namespace", "later", f"{LABEL}=enforced", *owned)
    assert cluster.labels("later")[ENFORCE] == "restricted"
    assert cluster.kubectl("get", "pod", "tried", "-n", "later", "-o", "name")
    assert REFUSED in cluster.refused("create", "-f", "-", given=deployment("later", name="another"))


@pytest.mark.skipif(
    not FIXTURES.exists(), reason=f"no Pod Security test pods in {FIXTURES}; set CORRAL_POD_SECURITY"
)
def test_pods_of_the_pod_security_tests_are_told_apart_in_a_namespace_of_a_user(cluster):
    missed, refused, tried = [], [], 0
    for level in ("baseline", "restricted"):
        for name, violating, subject in pods(level):
            subject["metadata"].update(name=f"tried-{name.replace('_', '-')}", namespace="joined")
            said = cluster.ask("create", "--dry-run=server", "-f", "-", given=subject).stderr
            tried += violating
            violates = "violates PodSecurity" in said
            if violating and not violates:
                missed.append(f"{level}/{name}: {said[:200]}")
            if not violating and level == "restricted" and violates:
                refused.append(f"{level}/{name}: {said[:200]}")
    assert tried >= 98
    assert not missed and not refused, (missed, refused)


@pytest.fixture(scope="module")
def jane(cluster):
    """Somebody bound to ClusterRole `admin` in the tenant's namespace, with rights to change namespaces."""
    cluster.kubectl("create", "rolebinding", "jane", "--clusterrole=admin", "--user=jane", "-n", "team-a")
    cluster.kubectl(
        "create", "clusterrole", "spaces", "--verb=get,create,update,patch", "--resource=namespaces"
    )
    cluster.kubectl("create", "clusterrolebinding", "jane", "--clusterrole=spaces", "--user=jane")
    cluster.kubectl(
        "create",
        "role",
        "jane-kyverno",
        "-n",
        "team-a",
        "--verb=create,get",
        "--resource=policyexceptions.policies.kyverno.io",
    )
    cluster.kubectl(
        "create", "rolebinding", "jane-kyverno", "--role=jane-kyverno", "--user=jane", "-n", "team-a"
    )
    return ("--as", "jane")


def test_a_tenant_does_not_leave_the_scope(cluster, jane):
    said = cluster.refused(*jane, "label", "namespace", "team-a", f"{LABEL}-")
    assert "an administrator alone takes it away" in said
    said = cluster.refused(*jane, "label", "namespace", "team-a", f"{ENFORCE}=privileged", "--overwrite")
    assert "an administrator alone loosens it" in said
    assert cluster.labels("team-a")[LABEL] == "enforced"
    cluster.kubectl(*jane, "label", "namespace", "team-a", "team=a")
    cluster.kubectl("label", "namespace", "later", f"{LABEL}-")


def test_a_tenant_does_not_undo_what_its_namespace_came_with(cluster, jane):
    said = cluster.refused(*jane, "delete", "networkpolicy", "default-deny", "-n", "team-a")
    assert "it stays as it is" in said
    open_ = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "open", "namespace": "team-a"},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]},
    }
    assert "opens more than its own" in cluster.refused(*jane, "create", "-f", "-", given=open_)
    open_["spec"]["egress"] = [{"to": [{"podSelector": {}}]}]
    cluster.kubectl(*jane, "create", "-f", "-", given=open_)
    balanced = ("create", "service", "loadbalancer", "out", "--tcp=80:80", "-n", "team-a")
    assert "open to the outside" in cluster.refused(*jane, *balanced)
    cluster.kubectl(*jane, "create", "service", "clusterip", "inner", "--tcp=80:80", "-n", "team-a")
    exception = {
        "apiVersion": "policies.kyverno.io/v1",
        "kind": "PolicyException",
        "metadata": {"name": "mine", "namespace": "team-a"},
        "spec": {"policyRefs": [{"name": "sov-sup-01", "kind": "ValidatingPolicy"}]},
    }
    assert "administrators alone make them" in cluster.refused(*jane, "create", "-f", "-", given=exception)


def test_a_tenant_takes_no_gpus_by_the_environment_and_runs_where_its_data_may_be(cluster, jane):
    def subject(value):
        container = {
            "name": "c",
            "image": f"ghcr.io/ggml-org/llama.cpp:server@sha256:{'a' * 64}",
            "env": [{"name": "NVIDIA_VISIBLE_DEVICES", "value": value}],
            "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            },
        }
        made = pod("team-a")
        made["spec"] = {
            "automountServiceAccountToken": False,
            "containers": [container],
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        }
        return made

    dry = (*jane, "create", "--dry-run=server", "-f", "-")
    assert "GPUs that it was not allocated" in cluster.refused(*dry, given=subject("all"))
    made = json.loads(cluster.kubectl(*dry, "-o", "json", given=subject("void")))
    required = made["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    ((demand,),) = [one["matchExpressions"] for one in required["nodeSelectorTerms"]]
    assert demand["key"] == "topology.kubernetes.io/region" and "eu-central-1" in demand["values"]


def test_destroying_the_policies_leaves_strangers_alone(cluster):
    cluster.newcomer.done("pulumi", "destroy", "-s", "guests", "--yes", "--non-interactive")
    cluster.kubectl("rollout", "restart", "deployment/web", "-n", "shop")
    cluster.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
