"""Policies on somebody else's cluster: strangers' workloads go on, and what is in scope is refused."""

import json
import time
from datetime import UTC, datetime, timedelta

import pytest
from tests.door.pod_security import FIXTURES, pods
from tests.door.strangers import CREDENTIAL, admissible, attestations, deployment, pod, strangers_cluster
from tests.doubles import cosign
from tests.doubles.cosign import Cosign
from tests.doubles.signatures import Signer

from corral.catalogue.vocabulary import Profile
from corral.controls.supply.image_policies import BILL, PROVENANCE, SCAN

pytestmark = pytest.mark.engine

LABEL = "corral.dev/policies"
ENFORCE = "pod-security.kubernetes.io/enforce"
REFUSED = "denied request: SOV-"
"""By one of the two controls about images; which answers first is the API server's choice."""
SECONDS = 90
OWNED = {"owner": "shop", "corral.dev/data-class": "public"}
"""Labels of a namespace by which a sovereign profile knows whose it is, and how far its data may go."""
TENANT_USER = ("--as", "jane", "--as-group", "system:authenticated")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with strangers_cluster(tmp_path_factory.mktemp("strangers")) as made:
        yield made


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
        image = f"ghcr.io/ggml-org/llama.cpp:server@sha256:{'a' * 64}"
        return admissible(image, NVIDIA_VISIBLE_DEVICES=value)

    dry = (*jane, "create", "--dry-run=server", "-f", "-")
    assert "GPUs that it was not allocated" in cluster.refused(*dry, given=subject("all"))
    made = json.loads(cluster.kubectl(*dry, "-o", "json", given=subject("void")))
    required = made["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    ((demand,),) = [one["matchExpressions"] for one in required["nodeSelectorTerms"]]
    assert demand["key"] == "topology.kubernetes.io/region" and "eu-central-1" in demand["values"]


def test_a_tenants_containers_are_kept_from_hubs_and_silent(cluster, jane):
    image = f"ghcr.io/ggml-org/llama.cpp:server@sha256:{'a' * 64}"
    dry = (*jane, "create", "--dry-run=server", "-f", "-")
    made = json.loads(cluster.kubectl(*dry, "-o", "json", given=admissible(image, HOME="/tmp")))
    told = {one["name"]: one["value"] for one in made["spec"]["containers"][0]["env"]}
    assert told["HOME"] == "/tmp" and told["HF_HUB_OFFLINE"] == told["VLLM_NO_USAGE_STATS"] == "1"
    assert "SOV-MOD-02" in cluster.refused(*dry, given=admissible(image, HF_HUB_OFFLINE="0"))
    assert "SOV-AUD-07" in cluster.refused(*dry, given=admissible(image, DO_NOT_TRACK="0"))


IMAGES = "imagevalidatingpolicies.policies.kyverno.io"
UNSIGNED = "SOV-SUP-03: no signature that is trusted: "


class Signed:
    """Images of a mirror, signed and not, on a cluster whose policies trust one key."""

    def __init__(self, cluster):
        signer, stranger, now = Signer(), Signer(), datetime.now(UTC)
        self.signer = signer
        cluster.set("public-key", signer.public_key)
        cluster.install("air-gapped")
        self.cluster, self.mirror, self.digests = cluster, cluster.mirror, {}
        names = ("unsigned", "signed", "attested-as-before-bundles", "bundled", "scanned-long-ago")
        for name in (*names, "by-another", "bundled-by-another"):
            self.put(name)
        for name in ("signed", "attested-as-before-bundles"):
            signer.sign(self.mirror, f"mirror/{name}", self.digests[name])
        before = "attested-as-before-bundles"
        signer.attest(self.mirror, f"mirror/{before}", self.digests[before], attestations(now))
        stranger.sign(self.mirror, "mirror/by-another", self.digests["by-another"])
        for name, by, at in (
            ("bundled", signer, now),
            ("scanned-long-ago", signer, now - timedelta(days=31)),
            ("bundled-by-another", stranger, now),
        ):
            by.bundle(self.mirror, f"mirror/{name}", self.digests[name], attestations(at))

    def put(self, name, *layers):
        self.digests[name] = self.mirror.put(f"mirror/{name}:1", list(layers))

    def image(self, name):
        return f"{self.mirror.address}/mirror/{name}@{self.digests[name]}"

    def said(self, name, **spec):
        """What the API server has against a pod with an image; nothing where it takes it."""
        made = admissible(self.image(name))
        made["spec"] |= spec
        return self.cluster.ask("create", "--dry-run=server", "-f", "-", given=made).stderr


@pytest.fixture(scope="module")
def signed(cluster):
    return Signed(cluster)


def test_an_image_with_signature_and_attestations_of_the_key_is_admitted(signed):
    assert signed.said("bundled") == ""


@pytest.mark.skipif(cosign.PROGRAM is None, reason="cosign is not on PATH")
def test_an_image_that_cosign_itself_has_signed_and_attested_is_admitted(signed, tmp_path):
    words = {BILL: "cyclonedx", PROVENANCE: "slsaprovenance1", SCAN: "vuln"}
    predicates = {words[kind]: one for kind, one in attestations(datetime.now(UTC)).items()}
    signed.put("by-cosign")
    program = Cosign.of(tmp_path, signed.mirror, signed.signer.private_key)
    program.sign(signed.image("by-cosign"), {})
    assert f"SOV-SUP-04: no bill of type {BILL} that is signed and trusted: " in signed.said("by-cosign")
    program.sign(signed.image("by-cosign"), predicates)
    assert signed.said("by-cosign") == ""
    signed.put("by-cosign-of-another")
    (elsewhere := tmp_path / "another").mkdir()
    another = Cosign.of(elsewhere, signed.mirror, Signer().private_key)
    another.sign(signed.image("by-cosign-of-another"), predicates)
    assert "denied the request" in signed.said("by-cosign-of-another")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("signed", f"SOV-SUP-04: no bill of type {BILL} that is signed and trusted: "),
        ("attested-as-before-bundles", f"SOV-SUP-04: no bill of type {BILL} that is signed and trusted: "),
        ("scanned-long-ago", "SOV-SUP-04: no scan of the last 30 days: "),
    ],
)
def test_an_image_is_refused_by_name_for_the_attestation_that_it_lacks(signed, name, words):
    assert f"{words}{signed.image(name)}" in signed.said(name)


def test_nothing_is_admitted_while_the_registry_does_not_answer(signed):
    signed.mirror.down = True
    try:
        for name in ("bundled", "unsigned"):
            assert "denied the request" in (said := signed.said(name)) and "503" in said
    finally:
        signed.mirror.down = False
    assert signed.said("bundled") == ""


def test_signatures_are_read_with_the_pull_secret(signed):
    signed.mirror.credential = ("reader", "changed")
    try:
        assert "denied the request" in (said := signed.said("bundled")) and "401" in said
    finally:
        signed.mirror.credential = CREDENTIAL


@pytest.fixture(scope="module")
def unattested(signed):
    """Signatures alone are demanded."""
    signed.cluster.kubectl("delete", IMAGES, "sov-sup-04")
    eventually(lambda: signed.said("signed") == "")
    return signed


@pytest.mark.parametrize("name", ["unsigned", "by-another", "bundled-by-another"])
def test_an_image_without_a_signature_of_the_key_is_refused_by_name(unattested, name):
    assert f"{UNSIGNED}{unattested.image(name)}" in unattested.said(name)


def test_the_image_of_every_container_and_volume_is_verified(unattested):
    image = unattested.image("unsigned")
    (container,) = admissible(image)["spec"]["containers"]
    first = {"initContainers": [{**container, "name": "first"}]}
    mounted = {"volumes": [{"name": "v", "image": {"reference": image}}]}
    for spec in (first, mounted):
        assert f"{UNSIGNED}{image}" in unattested.said("bundled", **spec)


def test_a_signature_is_of_one_digest(unattested):
    """Somebody who writes to the registry puts another image beside a signature that is there."""
    mirror, repository = unattested.mirror, "mirror/signed"
    (signature,) = [
        one for (name, tag), one in mirror.manifests.items() if (name, tag[-4:]) == (repository, ".sig")
    ]
    unattested.put("signed", ("application/vnd.oci.image.layer.v1.tar", b"changed", {}))
    changed = unattested.digests["signed"].replace(":", "-")
    mirror.manifests[repository, f"{changed}.sig"] = signature
    assert UNSIGNED in unattested.said("signed")


def test_destroying_the_policies_leaves_strangers_alone(cluster):
    cluster.newcomer.done("pulumi", "destroy", "-s", "guests", "--yes", "--non-interactive")
    cluster.kubectl("rollout", "restart", "deployment/web", "-n", "shop")
    cluster.kubectl("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")
