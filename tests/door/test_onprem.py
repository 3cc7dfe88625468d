"""The on-prem stack as it is committed, on a cluster with other people's workloads, all from a site's mirror.

Where the kernel gives a network namespace, cluster and commands are in one without a way out: of the world
there are the mirror and the intake alone. Elsewhere the test of that is skipped, and says why.

Changed are the addresses of mirror and intake, and the models, whose weights are not to be had here: SmolLM2
from the same intake in their place. In order: each test goes on from where the one before it ended.
"""

import base64
import json

import pytest
from tests.door import isolated
from tests.door import site as sites
from tests.door.newcomer import SECRETS, newcomer_in
from tests.measured import measured

from corral.catalogue.images import image, mirrored
from corral.catalogue.models import models

pytestmark = pytest.mark.engine

SMOLLM2 = models()["smollm2-135m"]
FILE = SMOLLM2.files[0].name
MODEL_SPEC = {
    "task": "chat",
    "license": SMOLLM2.license,
    "gated": False,
    "engine": "llama.cpp",
    "dtype": "Q4_1",
    "weights-gib": 0.1,
    "layers": 30,
    "hidden": 576,
    "intermediate": 1536,
    "vocabulary": 49152,
    "context": 8192,
    "tied": True,
    "attention": {"kind": "gqa", "heads": 9, "kv-heads": 3, "head-dim": 64},
}
"""What a user states of a model that the catalogue lacks."""
OWN_SECRETS = {
    **{key: value for key, value in SECRETS.items() if key != "corral:vector-db-password"},
    "corral:vector-db-api-key": "door-vector-db-api-key",
    **sites.INTAKE_SECRETS,
}
PREVIEW = ("pulumi", "preview", "--non-interactive", "--policy-pack", "policy")
OTHERS_NAMESPACE = "colleagues"


def chat(model: str, prefix: str) -> dict[str, object]:
    return {
        "name": "chat",
        "model": model,
        "source": f"s3://intake/{prefix}",
        "context": 2048,
        "max-num-seqs": 2,
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("onprem")
    newcomer = newcomer_in(folder)
    newcomer.log_in()
    sites.add_machines(newcomer)
    with sites.cluster(newcomer, folder, "onprem") as (made, charts):
        made.kubectl("apply", "-f", "-", stdin=sites.OTHER_WORKLOADS)
        made.kubectl("rollout", "status", "deployment/shop", "-n", OTHERS_NAMESPACE, "--timeout", "60s")
        made.kubectl("create", "namespace", "cert-manager")
        for chart, (namespace, values) in sites.INSTALLED.items():
            made.install(charts / chart, namespace, values)
        made.write_stack({"models": [chat("smollm2-135m", "smollm2")]})
        made.newcomer.stack("onprem", OWN_SECRETS)
        yield made


@pytest.fixture(scope="module")
def weights() -> bytes:
    return sites.packaged(SMOLLM2.package_source, FILE)


@pytest.fixture(scope="module")
def others(site):
    """What was on the cluster before Corral."""
    return site.objects(OTHERS_NAMESPACE)


@pytest.fixture(scope="module")
def types(site):
    """Resource types that were there before Corral."""
    return type_names(site)


def type_names(site):
    return {one["metadata"]["name"] for one in site.items("customresourcedefinitions")}


CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)"


def test_nothing_but_mirror_and_intake_is_reached_from_the_site(site):
    if not site.newcomer.enter:
        pytest.skip(f"the site has the network of this machine: {isolated.unavailable()}")
    for public in ("1.1.1.1", "2606:4700:4700::1111"):
        refused = site.newcomer.run("python", "-c", CONNECT, public, "443")
        assert refused.returncode == 1 and "Network is unreachable" in refused.stdout
    for address in (site.mirror.address, site.intake.removeprefix("http://")):
        site.newcomer.done("python", "-c", CONNECT, *address.split(":"))


def test_every_digest_is_resolved_at_the_mirror(site, types):
    refused = site.run("corral", "plan")
    assert refused.returncode == 2
    assert refused.stdout.strip().endswith("run corral lock")
    locked = site.run("corral", "lock", "--mirror", site.registry)
    assert locked.returncode == (1 if site.absent else 0)
    assert {
        line.partition(": unresolved")[0] for line in locked.stdout.splitlines() if "unresolved" in line
    } == site.absent
    resolved, _, entries = locked.stdout.split()[-5:-2]
    assert int(resolved) == int(entries) - len(site.absent) > 40
    assert f"SOV-SUP-02: image {image('gpu-driver').name}" in site.done("corral", "plan")


def test_an_intake_without_the_model_is_named_when_it_is_locked(site):
    done = site.run("corral", "lock", "--models")
    assert done.returncode != 0
    assert "chat: s3://intake/smollm2" in done.stdout
    assert done.stdout.strip().endswith("0 of 1 models locked")


def test_a_preview_under_the_strict_profile_refuses_nothing(site, weights, others):
    site.put_model("smollm2", {FILE: weights})
    site.done("corral", "lock", "--models")
    output = site.done(*PREVIEW)
    assert "corral-sovereignty@" in output
    assert "[mandatory]" not in output


def test_a_model_out_of_the_intake_answers(site, record_property):
    site.mirror.pulled.clear()
    site.done(*sites.UP)
    record_property("up", site.seconds[-1])
    assert site.answer("assistants", "chat")


def test_everything_that_runs_comes_from_the_mirror_by_digest(site):
    spaces = site.namespaces("corral.dev/policies=enforced")
    assert {"assistants", "kserve", "kyverno", "model-storage", "monitoring", "vector-db"} <= set(spaces)
    references = {one for space in spaces for one in site.images(space)}
    assert len(references) > 15
    driver = mirrored(image("gpu-driver").repository, site.registry)
    assert [
        one
        for one in sorted(references)
        if not (one.startswith(f"{site.registry}/") and "@sha256:" in one)
        and not one.startswith(f"{driver}:")
    ] == []
    by_digest = {one.partition("@")[0] for one in site.mirror.pulled if "@" in one}
    by_tag = {one.rpartition(":")[0] for one in site.mirror.pulled if "@" not in one}
    assert len(by_digest) > 5, "charts"
    assert by_tag - by_digest == set()


def test_a_second_up_changes_nothing(site, record_property):
    assert " unchanged" in (output := site.done(*sites.UP))
    record_property("again", site.seconds[-1])
    for word in (" created", " updated", " replaced", " deleted"):
        assert word not in output.partition("Resources:")[2], output


@measured
def test_kubectl_takes_what_is_there_as_it_is(site, record_property):
    site.peer.beside_no_change(record_property)


def test_another_model_in_its_place_is_locked_imported_and_answers(site, weights):
    other = weights.replace(b"Mix1 Ep2", b"Mix1 Ep3", 1)
    assert other != weights
    site.put_model("next", {"next.gguf": other})
    site.write_stack({"models": [chat("next", "next")], "custom-models": {"next": MODEL_SPEC}})
    refused = site.run("corral", "plan")
    assert refused.returncode == 2
    assert refused.stdout.startswith("models[0].source: s3://intake/next: its files are not locked")
    site.done("corral", "lock", "--models")
    site.done(*sites.UP)
    site.kubectl("rollout", "status", "deployment/chat-predictor", "-n", "assistants", "--timeout", "5s")
    assert site.answer("assistants", "chat")
    assert any("next.gguf" in argument for argument in site.arguments("assistants"))


def test_a_pod_of_others_that_ends_is_made_anew(site, others):
    site.kubectl("delete", "pods", "-n", OTHERS_NAMESPACE, "--all")
    site.kubectl("rollout", "status", "deployment/shop", "-n", OTHERS_NAMESPACE, "--timeout", "60s")
    assert site.objects(OTHERS_NAMESPACE) == others


def test_no_secret_is_printed_nor_in_lock_plan_and_bundle(site, tmp_path):
    site.run("corral", "bundle", "--offline", "--out", str(tmp_path / "bundle"))
    site.done("corral", "plan", "--html", str(tmp_path / "plan.html"))
    checkout = site.newcomer.checkout
    stated = [*checkout.glob("Pulumi.onprem*"), checkout / "catalogue" / "digests.yaml"]
    written = [one for one in (*tmp_path.glob("**/*"), *stated) if one.is_file()]
    read = {one.name: one.read_bytes() for one in written}
    assert {"lock.yaml", "plan.html", "digests.yaml", "Pulumi.onprem.yaml"} <= read.keys()
    assert len(site.printed) > 10
    # Those of the intake are words of the keys that they have in the configuration.
    canaries = [value for key, value in OWN_SECRETS.items() if "intake" not in key]
    forms = [form for one in canaries for form in (one.encode(), base64.b64encode(one.encode()).rstrip(b"="))]
    outputs = {**read, **{f"output {index}": text.encode() for index, text in enumerate(site.printed)}}
    assert [(name, form) for name, content in outputs.items() for form in forms if form in content] == []


def test_destroy_names_what_is_protected_before_it_removes_anything(site):
    done = site.run(*sites.DESTROY)
    assert done.returncode != 0
    for name in ("model-storage-store", "vector-db-credential"):
        assert f'{name}" cannot be deleted' in done.stdout
    assert " deleted" not in done.stdout.partition("Resources:")[2]
    assert site.answer("assistants", "chat")


def test_destroy_leaves_what_others_made(site, others, types):
    site.done("pulumi", "state", "unprotect", "--all", "--yes")
    site.done(*sites.DESTROY)
    assert site.objects(OTHERS_NAMESPACE) == others
    assert set(site.namespaces()) == {
        "cert-manager",
        OTHERS_NAMESPACE,
        "default",
        "kube-node-lease",
        "kube-public",
        "kube-system",
    }
    ready = site.kubectl(
        "get", "deployments", "-n", "cert-manager", "-o", "jsonpath={.items[*].status.readyReplicas}"
    )
    assert ready.split() == ["1", "1", "1"]
    state = json.loads(site.done("pulumi", "stack", "export"))["deployment"].get("resources", [])
    assert [one["type"] for one in state] in ([], ["pulumi:pulumi:Stack"])
    left = type_names(site) - types
    assert left == {"clusterpolicies.nvidia.com"}, "Helm never deletes what lies in a chart's crds/"


@measured
def test_kubectl_takes_the_same_where_nothing_of_it_is(site, record_property):
    site.peer.beside_first_up(record_property)
