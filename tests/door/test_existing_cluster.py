"""A stack on somebody else's cluster: parts that are there are checked and used, the rest is installed."""

import contextlib
import json
import threading
from dataclasses import replace

import pytest
import yaml
from tests.commands import helm_template, kubectl, kubectl_done
from tests.door.newcomer import SECRETS, newcomer_in

from corral.catalogue.images import image
from corral.components.existing_cluster import ProbePods, Requirements, examined
from corral.components.existing_cluster.probe import probe
from corral.components.supply import reference

pytestmark = pytest.mark.engine

EXISTING = ("cert-manager", "gateway-api", "gpu-operator", "prometheus-crds", "tenancy")
"""Parts that somebody else has installed on the cluster."""
INSTALLED_BY_OTHERS = {
    # `kubectl apply -n` takes objects of that namespace alone; the leases would lie in kube-system.
    "cert-manager": (
        "cert-manager",
        {"crds": {"enabled": True}, "global": {"leaderElection": {"namespace": "cert-manager"}}},
    ),
    "gateway-crds-helm": ("default", {"crds": {"gatewayAPI": {"enabled": True, "channel": "standard"}}}),
    "prometheus-operator-crds": ("default", {}),
    "gpu-operator": ("gpu-operator", {"devicePlugin": {"enabled": False}}),
}
POLICIES = "clusterpolicies.nvidia.com"
CERTIFICATES = "certificates.cert-manager.io"
OLD_CERTIFICATES = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": CERTIFICATES},
    "spec": {
        "group": "cert-manager.io",
        "scope": "Namespaced",
        "names": {"kind": "Certificate", "plural": "certificates"},
        "versions": [
            {
                "name": "v1alpha2",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}
NEEDED = ("corral:storage-encryption-key", "corral:storage-access-key", "corral:storage-secret-key")


def stack_on(kubeconfig, context):
    """The object `corral:platform` of a stack on that cluster."""
    return {
        "sovereignty": {"profile": "open", "region": "embedded"},
        "cluster": {"kind": "existing", "kubeconfig": str(kubeconfig), "context": context},
        "tenants": [{"name": "strangers"}],
        "gpu-pools": [
            {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["whole-0"]}, "gpus-per-node": 4}
        ],
        "models": [{"name": "smollm2", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}],
        "model-storage": {"size": "5Gi"},
        "addons": {**dict.fromkeys(EXISTING, "existing"), "kyverno": "off"},
    }


class Cluster:
    """A cluster that the stack's Corral does not know: it has a kubeconfig, and a folder of charts."""

    def __init__(self, newcomer, folder):
        self.newcomer = newcomer
        self.plane = newcomer.home / ".cache" / "corral" / "elsewhere"
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_bytes((self.plane / "kubeconfig").read_bytes())
        self.context = yaml.safe_load(self.kubeconfig.read_text())["current-context"]
        # A Corral home that stays empty: nothing of the cluster is to be found by it.
        self.unused = folder / "unused"
        self.unused.mkdir()

    def kubectl(self, *arguments, stdin=""):
        return kubectl_done(self.kubeconfig, *arguments, stdin=stdin)

    def established(self, name):
        """Wait until a type is served; one just made has null conditions, on which `wait` fails."""
        accepted = f"jsonpath={{.status.acceptedNames.plural}}={name.partition('.')[0]}"
        for what in (accepted, "condition=Established"):
            self.kubectl("wait", f"--for={what}", f"crd/{name}", "--timeout=60s")

    def pulumi(self, *arguments):
        command = ("pulumi", *arguments, "--non-interactive", "-s", "stranger")
        return self.newcomer.run(*command, CORRAL_HOME=str(self.unused))

    def preview(self):
        return self.pulumi("preview", "--policy-pack", "policy")

    def render(self, chart, namespace, values):
        """What an administrator without Pulumi would apply."""
        folder = self.plane / "charts" / chart
        return helm_template(chart, folder, values, "--include-crds", namespace=namespace)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("existing")
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    try:
        newcomer.done("corral", "up", "--plane-only", "-s", "elsewhere")
        running = Cluster(newcomer, folder)
        charts = {"corral:charts": str(running.plane / "charts")}
        newcomer.write_stack("stranger", stack_on(running.kubeconfig, running.context), **charts)
        newcomer.stack("stranger", {key: SECRETS[key] for key in NEEDED})
        yield running
    finally:
        newcomer.run("corral", "down", "-s", "elsewhere")


def install(cluster, chart):
    namespace, values = INSTALLED_BY_OTHERS[chart]
    manifest = cluster.render(chart, namespace, values)
    cluster.kubectl("apply", "--server-side", "-n", namespace, "-f", "-", stdin=manifest)


@pytest.fixture(scope="module")
def nearly_furnished(cluster):
    """The cluster with everything that the stack declares `existing` but cert-manager."""
    cluster.kubectl("create", "namespace", "cert-manager")
    cluster.kubectl("create", "namespace", "strangers")
    install(cluster, "gateway-crds-helm")
    install(cluster, "prometheus-operator-crds")
    cluster.kubectl("create", "namespace", "gpu-operator")
    manifest = list(yaml.safe_load_all(cluster.render("gpu-operator", *INSTALLED_BY_OTHERS["gpu-operator"])))
    for types in (True, False):
        some = [one for one in manifest if one and (one["kind"] == "CustomResourceDefinition") is types]
        stdin = yaml.safe_dump_all(some)
        cluster.kubectl("apply", "--server-side", "-n", "gpu-operator", "-f", "-", stdin=stdin)
        cluster.established(POLICIES)
    return cluster


@pytest.fixture(scope="module")
def furnished(nearly_furnished):
    """The cluster after its administrator has installed all of it."""
    install(nearly_furnished, "cert-manager")
    nearly_furnished.established(CERTIFICATES)
    return nearly_furnished


POOL = """
import pulumi
import pulumi_kubernetes as kubernetes
from corral.components.gpu_node_pool import ExistingGpuNodePool

cluster = kubernetes.Provider("cluster", kubeconfig={kubeconfig!r})
node = {{"name": "slices-0"}}
price = {{"amount": 9.5, "currency": "EUR"}}
args = {{"pool": "slices", "nodes": [node], "node_hour": price}}
ExistingGpuNodePool("slices", args, pulumi.ResourceOptions(provider=cluster))
"""


@pytest.mark.parametrize(("monthly", "refused"), [(6934, True), (6935, False)])
def test_a_program_that_imports_one_pool_is_held_to_the_budget_by_the_pack_alone(
    cluster, tmp_path, monthly, refused
):
    """730 hours of a node at 9.50 EUR are 6,935 EUR; there is no plan that could refuse it."""
    somebody = replace(cluster.newcomer, checkout=tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: own\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(POOL.format(kubeconfig=str(cluster.kubeconfig)))
    platform = {"budget": {"monthly": monthly, "currency": "EUR"}}
    content = {"config": {"corral:platform": platform}}
    somebody.done("pulumi", "stack", "init", f"own-{monthly}", "--non-interactive")
    (tmp_path / f"Pulumi.own-{monthly}.yaml").write_text(yaml.safe_dump(content))
    pack = cluster.newcomer.checkout / "policy"
    options = ("--non-interactive", "-s", f"own-{monthly}", "--policy-pack", pack)
    done = somebody.run("pulumi", "preview", *options)
    assert bool(done.returncode) is refused, done.stdout
    message = "SOV-CST-01: the GPU nodes may cost 6,935 EUR a month, and the budget is 6,934 EUR"
    assert (message in done.stdout) is refused


EXAMINED = """
import pulumi
import pulumi_kubernetes as kubernetes
from corral import ExistingCluster

args = {{"kubeconfig": {kubeconfig!r}, "gpu_nodes": [{node!r}]}}
site = ExistingCluster("site", args)
on_it = pulumi.ResourceOptions(provider=kubernetes.Provider("cluster", kubeconfig=site.kubeconfig))
kubernetes.core.v1.Namespace("examined", metadata={{"name": "examined"}}, opts=on_it)
pulumi.export("version", site.version)
pulumi.export("findings", site.findings)
"""


def test_a_cluster_is_examined_before_anything_is_made_on_it(cluster, tmp_path):
    somebody = replace(cluster.newcomer, checkout=tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: examined\nruntime: python\n")
    program = tmp_path / "__main__.py"
    program.write_text(EXAMINED.format(kubeconfig=str(cluster.kubeconfig), node="absent-0"))
    somebody.done("pulumi", "stack", "init", "examined", "--non-interactive")
    up = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", "examined")
    refused = somebody.run(*up)
    assert refused.returncode and "site: nodes: there is no node absent-0; there are " in refused.stdout
    assert "examined" not in cluster.kubectl("get", "namespaces", "--output=name")

    program.write_text(EXAMINED.format(kubeconfig=str(cluster.kubeconfig), node="whole-0"))
    somebody.done(*up)
    outputs = json.loads(somebody.done("pulumi", "stack", "output", "--json", "-s", "examined"))
    levels = {one["check"]: one["level"] for one in outputs["findings"]}
    assert outputs["version"].startswith("v1.") and levels["version"] == levels["dra"] == "fine"
    # Nothing on a plane enforces policies, and its storage is of one folder.
    assert levels["network-policy"] == "warning"
    assert "namespace/examined" in cluster.kubectl("get", "namespaces", "--output=name")
    somebody.done("pulumi", "destroy", "--yes", "--skip-preview", "--non-interactive", "-s", "examined")


TOOLS_PODS = ProbePods(reference(image("tools"), {}), {}, closing_seconds=8)


def tried(cluster):
    """Findings about NetworkPolicies, tried on the cluster; the namespace is gone afterwards."""
    seen = examined(
        str(cluster.kubeconfig), None, Requirements(dra=False), lambda api: probe(api, TOOLS_PODS, print)
    )
    cluster.kubectl("wait", "--for=delete", "namespaces", "--selector=corral.dev/probe", "--timeout=60s")
    return [one for one in seen.findings if one["check"] == "network-policy"]


@contextlib.contextmanager
def holding_policies(cluster):
    """A network that takes the Service of a namespace from its pods as long as a policy is there."""
    ended = threading.Event()

    def hold():
        while not ended.wait(0.2):
            spaces = kubectl(cluster.kubeconfig, "get", "namespaces", "-lcorral.dev/probe", "-oname").stdout
            for space in spaces.split():
                inside = ("-n", space.removeprefix("namespace/"))
                policies = kubectl(cluster.kubeconfig, "get", "networkpolicies", *inside, "-oname").stdout
                role = "nobody" if policies.strip() else "listener"
                change = json.dumps({"spec": {"selector": {"corral.dev/probe": role}}})
                kubectl(cluster.kubeconfig, "patch", "service", "listener", *inside, "-p", change)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_a_try_of_policies_says_truly_that_nothing_on_a_plane_enforces_them(cluster):
    (found,) = tried(cluster)
    message = "a policy that denies ingress did not end a connection in 8 s"
    assert (found["level"], found["message"]) == ("warning", message)


def test_a_try_of_policies_passes_where_the_network_closes_and_opens_the_way(cluster):
    with holding_policies(cluster):
        (found,) = tried(cluster)
    assert found["level"] == "fine", found
    assert "ingress and egress each ended a connection" in found["message"]


def test_a_part_that_is_not_there_is_said_before_anything_is_made(nearly_furnished):
    done = nearly_furnished.preview()
    assert done.returncode != 0
    assert "cert-manager-certificates" in done.stdout
    assert f"resource '{CERTIFICATES}' does not exist" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_part_in_another_version_is_said_with_the_version_that_is_needed(nearly_furnished):
    nearly_furnished.kubectl("apply", "-f", "-", stdin=json.dumps(OLD_CERTIFICATES))
    try:
        done = nearly_furnished.preview()
    finally:
        nearly_furnished.kubectl("delete", "crd", CERTIFICATES, "--wait")
    assert done.returncode != 0
    assert f"{CERTIFICATES}: the cluster serves v1alpha2; v1 is needed" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_kubeconfig_that_is_not_there_is_named(furnished):
    missing = furnished.unused.parent / "absent"
    file = furnished.newcomer.checkout / "Pulumi.stranger.yaml"
    kept = file.read_text()
    file.write_text(kept.replace(str(furnished.kubeconfig), str(missing)))
    try:
        done = furnished.preview()
    finally:
        file.write_text(kept)
    assert done.returncode != 0
    assert f"cluster.kubeconfig: {missing}: No such file" in done.stdout


def test_an_operator_whose_device_plugin_would_give_gpus_away_twice_is_refused_with_the_key(furnished):
    furnished.kubectl("patch", POLICIES, "cluster-policy", "--type=merge", "-p", plugin(on=True))
    try:
        done = furnished.preview()
    finally:
        furnished.kubectl("patch", POLICIES, "cluster-policy", "--type=merge", "-p", plugin(on=False))
    assert done.returncode != 0
    assert "cluster-policy: devicePlugin.enabled is true, and beside a DRA driver" in done.stdout
    assert "Traceback" not in done.stdout


def plugin(*, on):
    return json.dumps({"spec": {"devicePlugin": {"enabled": on}}})


def test_the_platform_comes_up_there_and_uses_what_it_found(furnished):
    done = furnished.pulumi("up", "--yes", "--skip-preview", "--policy-pack", "policy")
    assert done.returncode == 0, done.stdout
    server = yaml.safe_load(furnished.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    assert f"cluster: context {furnished.context}, server {server}" in done.stdout

    state = json.loads(furnished.pulumi("stack", "export").stdout)["deployment"]["resources"]
    providers = {one["type"] for one in state if one["type"].startswith("pulumi:providers:")}
    built_in = {"pulumi:providers:pulumi"}
    assert providers - built_in == {"pulumi:providers:kubernetes"}
    read = {one["id"].rpartition("/")[2] for one in state if one.get("external")}
    assert {CERTIFICATES, "httproutes.gateway.networking.k8s.io", "strangers", "cluster-policy"} <= read
    owned = [one for one in state if not one.get("external") and one.get("id")]
    charts = {one["inputs"]["name"] for one in owned if one["type"] == "kubernetes:helm.sh/v3:Release"}
    assert not charts & INSTALLED_BY_OTHERS.keys()
    assert "kserve-resources" in charts
    assert not [one["urn"] for one in owned if one["id"] in ("cert-manager", "strangers")]

    service = "inferenceservices.serving.kserve.io/smollm2"
    ready = furnished.kubectl(
        "get", service, "-n", "strangers", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    )
    assert ready == "True"
    assert not list(furnished.unused.iterdir())


def test_a_second_up_changes_nothing(furnished):
    done = furnished.pulumi("up", "--yes", "--skip-preview", "--policy-pack", "policy")
    assert done.returncode == 0, done.stdout
    assert "unchanged" in done.stdout
    assert not [
        word
        for word in ("created", "updated", "replaced", "deleted")
        if word in done.stdout.split("Resources:")[-1]
    ]


def test_corral_preview_is_the_users_own_pulumi_there(furnished):
    done = furnished.newcomer.run("corral", "preview", "-s", "stranger", CORRAL_HOME=str(furnished.unused))
    assert done.returncode == 0, done.stdout
    assert "corral-sovereignty" in done.stdout
    assert not list(furnished.unused.iterdir())


CLUSTERS = """
import pathlib
import pulumi

text = pathlib.Path({kubeconfig!r}).read_text()
pulumi.export("kubeconfig", pulumi.Output.secret(text))
pulumi.export("cluster", {{"region": {region!r}, "platform": "bare-metal"}})
"""
OTHER_STACK = "organization/clusters/eu"


def hands_out(cluster, folder, region):
    """Bring up the other stack, in a project of its own, which says that its cluster is in `region`."""
    folder.joinpath("Pulumi.yaml").write_text("name: clusters\nruntime: python\n")
    program = CLUSTERS.format(kubeconfig=str(cluster.kubeconfig), region=region)
    folder.joinpath("__main__.py").write_text(program)
    somebody = replace(cluster.newcomer, checkout=folder)
    somebody.run("pulumi", "stack", "init", "eu", "--non-interactive")
    somebody.done("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", "eu")


@pytest.fixture(scope="module")
def split(furnished):
    """The platform's stack file, which takes its cluster from another stack."""
    stated = stack_on(furnished.kubeconfig, furnished.context)
    stated["cluster"] = {"kind": "existing", "stack": OTHER_STACK}
    charts = {"corral:charts": str(furnished.plane / "charts")}
    file = furnished.newcomer.checkout / "Pulumi.stranger.yaml"
    kept = file.read_text()
    held = yaml.safe_load(kept)
    held["config"].update({"corral:platform": stated, **charts})
    file.write_text(yaml.safe_dump(held))
    yield furnished
    file.write_text(kept)


def test_another_stack_that_says_otherwise_of_its_cluster_ends_the_preview_with_the_value(split, tmp_path):
    hands_out(split, tmp_path, "eu-central-1")
    done = split.preview()
    assert done.returncode != 0
    assert f"sovereignty.region: embedded: stack {OTHER_STACK} has eu-central-1: use that" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_platform_moves_to_the_cluster_of_another_stack_and_nothing_on_it_is_made_anew(split, tmp_path):
    hands_out(split, tmp_path, "embedded")
    done = split.pulumi("up", "--yes", "--skip-preview", "--policy-pack", "policy")
    assert done.returncode == 0, done.stdout
    assert f"cluster: that of stack {OTHER_STACK}" in done.stdout
    counted = done.stdout.split("Resources:")[-1]
    assert "unchanged" in counted
    assert not [word for word in ("created", "replaced", "deleted") if word in counted], counted

    exported = split.pulumi("stack", "export").stdout
    kubeconfig = yaml.safe_load(split.kubeconfig.read_text())
    assert kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"] not in exported
    (provider,) = [
        one
        for one in json.loads(exported)["deployment"]["resources"]
        if one["type"] == "pulumi:providers:kubernetes"
    ]
    assert "ciphertext" in provider["inputs"]["kubeconfig"]
    ready = split.kubectl(
        *("get", "inferenceservices.serving.kserve.io/smollm2", "-n", "strangers", "-o"),
        'jsonpath={.status.conditions[?(@.type=="Ready")].status}',
    )
    assert ready == "True"
