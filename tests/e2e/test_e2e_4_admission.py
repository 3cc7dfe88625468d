"""Admission by the API server alone, by Kyverno alone; new namespaces are closed."""

import contextlib
import json
from collections.abc import Iterator

import pytest
from platform_client import UP_SECONDS, Platform, pod, wait_for
from tests.controls.same_verdict.admissible import refused, sample

from corral.catalogue.vocabulary import CLASS_LABEL
from corral.components.admission.component import KYVERNO_API
from corral.components.admission.environment import forced
from corral.components.admission.regions import regions
from corral.controls.audit.aud_07 import ENGINES
from corral.controls.models.mod_02 import OFFLINE
from corral.controls.models.sources import store
from corral.controls.profiles import profile
from corral.controls.residency.res_06 import REGION_LABEL
from corral.controls.scope import ENFORCED, SCOPE_LABEL, Scope

pytestmark = pytest.mark.engine

BINDINGS = "validatingadmissionpolicybindings"
POLICIES = "validatingpolicies.policies.kyverno.io"
LLAMA = "ghcr.io/ggml-org/llama.cpp:server"
VLLM = "docker.io/vllm/vllm-openai:v0.30.0"
BAD = (
    ("SOV-SUP-01", "docker.io/library/busybox:1", ()),
    ("SOV-MOD-03", VLLM, ("--model=a/b", "--trust-remote-code")),
)
SECONDS = 60


@contextlib.contextmanager
def without(platform: Platform, kind: str) -> Iterator[None]:
    """All objects of `kind` are gone, and come back as they were."""
    kept = [clean(one) for one in platform.items(kind) if one["metadata"]["name"].startswith("sov-")]
    assert kept
    try:
        platform.kubectl("delete", kind, *(one["metadata"]["name"] for one in kept))
        yield
    finally:
        platform.kubectl("create", "-f", "-", stdin={"apiVersion": "v1", "kind": "List", "items": kept})


def clean(item: dict) -> dict:
    metadata = {
        key: item["metadata"][key] for key in ("name", "labels", "annotations") if key in item["metadata"]
    }
    return {
        "apiVersion": item["apiVersion"],
        "kind": item["kind"],
        "metadata": metadata,
        "spec": item["spec"],
    }


def refusal(platform: Platform, image: str, arguments: tuple[str, ...]) -> str:
    done = platform.try_pod("default", image, *arguments)
    return "" if done.code == 0 else done.err


def passes(platform: Platform, image: str) -> bool:
    return platform.try_pod("default", image).code == 0


@pytest.mark.parametrize(("control", "image", "arguments"), BAD)
def test_a_bad_pod_is_refused_with_the_controls_id_and_remedy(platform, control, image, arguments):
    message = refusal(platform, image, arguments)
    assert control in message
    assert not message.endswith(f"{control}: ")


def test_a_good_pod_passes(platform):
    done = platform.try_pod("default", LLAMA)
    assert done.code == 0, done.err


SAMPLE = 40
OPEN = profile("open", stores=(store("models"),))


def disagreements(platform: Platform) -> list[str]:
    """What admission and the pack differ in, of a sample of what the controls' cases generate."""
    objects = sample(OPEN, VLLM, SAMPLE)
    expected = {one["metadata"]["name"]: sorted(refused(one, OPEN)) for one in objects}
    assert 12 < sum(bool(several) for several in expected.values()) < len(objects) - 12
    listed = {"apiVersion": "v1", "kind": "List", "items": objects}
    done = platform.try_kubectl("create", "--dry-run=server", "-o", "name", "-f", "-", stdin=listed)
    assert "is invalid" not in done.err and "unable to" not in done.err, done.err
    passed = {line.rpartition("/")[2] for line in done.out.split()}
    assert passed <= set(expected)
    for identity in {one for several in expected.values() for one in several}:
        assert identity in done.err, f"{identity} refused nothing: {done.err[:500]}"
    return [
        f"{json.dumps(one)}: the pack has {expected[name]} against it"
        for one in objects
        for name in [one["metadata"]["name"]]
        if (name in passed) is bool(expected[name])
    ]


def test_native_policies_refuse_alone(platform):
    with without(platform, POLICIES):
        assert disagreements(platform) == []
        for control, image, arguments in BAD:
            message = refusal(platform, image, arguments)
            assert control in message and "ValidatingAdmissionPolicy" in message, message
        assert passes(platform, LLAMA)


def test_kyverno_refuses_alone(platform):
    with without(platform, BINDINGS):
        for control, image, arguments in BAD:
            message = wait_for(
                lambda image=image, arguments=arguments: by_kyverno(refusal(platform, image, arguments)),
                SECONDS,
                f"Kyverno refuses {image}",
            )
            assert control in message, message
        assert disagreements(platform) == []
        assert passes(platform, LLAMA)
    wait_for(
        lambda: "ValidatingAdmissionPolicy" in refusal(platform, *BAD[0][1:]),
        SECONDS,
        "native policies bind again",
    )


def by_kyverno(message: str) -> str:
    """A refusal by Kyverno's webhook alone: a native policy that is not yet forgotten does not count."""
    return message if "admission webhook" in message and "ValidatingAdmissionPolicy" not in message else ""


def test_a_workload_is_judged_by_its_template(platform):
    template = pod("default", "docker.io/library/busybox:1")
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "tried", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": template["spec"]},
        },
    }
    done = platform.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=deployment)
    assert done.code and "SOV-SUP-01" in done.err


def closing(platform: Platform) -> list[str]:
    """Names of the network policies of namespace `newcomer` that close it in both directions."""
    closed = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    items = platform.items("networkpolicies", "-n", "newcomer")
    return [one["metadata"]["name"] for one in items if one["spec"] == closed]


def test_a_new_namespace_is_closed_by_a_generated_network_policy_and_stays_closed(platform):
    space = ("-n", "newcomer")
    platform.kubectl("create", "namespace", "newcomer")
    try:
        wait_for(lambda: closing(platform) == ["default-deny"], SECONDS, "the namespace is closed")
        platform.kubectl("delete", "networkpolicy", "default-deny", *space)
        wait_for(lambda: closing(platform) == ["default-deny"], SECONDS, "a deleted policy comes back")
        opened = '{"spec": {"ingress": [{}]}}'
        platform.kubectl("patch", "networkpolicy", "default-deny", *space, "--type=merge", "-p", opened)
        wait_for(lambda: closing(platform) == ["default-deny"], SECONDS, "an opened policy is closed again")
    finally:
        platform.kubectl("delete", "namespace", "newcomer", "--wait=false")


def test_a_webhook_behind_simulated_pods_alone_is_refused_by_name(platform):
    hook = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "tried.corral.dev"},
        "webhooks": [
            {
                "name": "tried.corral.dev",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Fail",
                "timeoutSeconds": 5,
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["configmaps"],
                    }
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
                "clientConfig": {
                    "service": {"namespace": "assistants", "name": "chat-predictor", "port": 80}
                },
            }
        ],
    }
    platform.kubectl("create", "-f", "-", stdin=hook)
    try:
        message = wait_for(
            lambda: (
                platform.try_kubectl("create", "configmap", "tried", "-n", "default", "--dry-run=server").err
            ),
            SECONDS,
            "the webhook is asked",
        )
        assert "assistants/chat-predictor" in message and "simulated" in message, message
    finally:
        platform.kubectl("delete", "validatingwebhookconfiguration", "tried.corral.dev")


def test_a_service_behind_simulated_pods_alone_is_refused_by_name(platform):
    done = platform.try_kubectl(
        "get", "--raw", "/api/v1/namespaces/assistants/services/chat-predictor:80/proxy/health"
    )
    assert done.code
    assert "assistants/chat-predictor" in done.err and "is simulated" in done.err, done.err


def test_a_pod_of_an_image_without_a_row_is_marked_simulated(platform):
    items = platform.items("pods", "-n", "assistants", "-l", "serving.kserve.io/inferenceservice=chat")
    conditions = json.dumps([one["status"]["conditions"] for one in items])
    assert "corral.dev/Simulated" in conditions


@contextlib.contextmanager
def made(platform: Platform, *objects: dict) -> Iterator[None]:
    """These objects are there, and go afterwards."""
    listed = {"apiVersion": "v1", "kind": "List", "items": [*objects]}
    try:
        platform.kubectl("create", "-f", "-", stdin=listed)
        yield
    finally:
        # An API server that takes many types away at once begins anew with some of them.
        platform.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=listed, seconds=UP_SECONDS)


def required_terms(platform: Platform, affinity: dict) -> list[dict]:
    """Terms of the node affinity that a pod of namespace `classified` has after admission."""
    subject = pod("classified", LLAMA)
    subject["spec"]["affinity"] = affinity
    done = platform.try_kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=subject)
    assert done.code == 0, done.err
    made = json.loads(done.out)["spec"].get("affinity", {}).get("nodeAffinity", {})
    return made.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])


def test_kyverno_sends_pods_with_classified_data_to_the_regions_of_the_profile(platform):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "classified"}}
    namespace["metadata"]["labels"] = {SCOPE_LABEL: ENFORCED, CLASS_LABEL: "internal"}
    policy = {"apiVersion": KYVERNO_API, "kind": "MutatingPolicy", "metadata": {"name": "regions-of-a-test"}}
    policy["spec"] = regions(Scope(), ["eu-central-1", "eu-west-1"])
    demand = {"key": REGION_LABEL, "operator": "In", "values": ["eu-central-1", "eu-west-1"]}
    pool = {"key": "pool", "operator": "Exists"}
    name = {"key": "metadata.name", "operator": "In", "values": ["a"]}
    preferred = [{"weight": 1, "preference": {"matchExpressions": [pool]}}]
    several = [{"matchExpressions": [pool]}, {"matchFields": [name]}]
    with made(platform, namespace, policy):
        wait_for(lambda: required_terms(platform, {}), SECONDS, "Kyverno adds the affinity")
        for affinity in (
            {},
            {"podAntiAffinity": {}},
            {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}},
        ):
            assert required_terms(platform, affinity) == [{"matchExpressions": [demand]}]
        both = {
            "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": several}}
        }
        assert required_terms(platform, both) == [
            {"matchExpressions": [pool, demand]},
            {"matchExpressions": [demand], "matchFields": [name]},
        ]


STORED = {
    "labels": {"serving.kserve.io/inferenceservice": "tried", "component": "predictor"},
    "annotations": {"internal.serving.kserve.io/storage-initializer-sourceuri": "s3://models/tried"},
}
"""Of a pod to which KServe's webhook adds the container that fetches a model."""


def told(platform: Platform, subject: dict) -> dict[str, dict[str, str]]:
    """The environment of each container that `subject` has after admission."""
    done = platform.try_kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=subject)
    assert done.code == 0, done.err
    spec = json.loads(done.out)["spec"]
    return {
        one["name"]: {each["name"]: each.get("value", "") for each in one.get("env", [])}
        for one in [*spec.get("initContainers", []), *spec["containers"]]
    }


def test_kyverno_keeps_every_container_from_hubs_and_silent_kserves_own_too(platform):
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "served"}}
    namespace["metadata"]["labels"] = {SCOPE_LABEL: ENFORCED}
    policies = [
        {"apiVersion": KYVERNO_API, "kind": "MutatingPolicy", "metadata": {"name": name}, "spec": spec}
        for name, spec in (
            ("hubs-of-a-test", forced(Scope(), OFFLINE)),
            ("telemetry-of-a-test", forced(Scope(), ENGINES, literal=True)),
        )
    ]
    every = dict.fromkeys([*OFFLINE, *ENGINES], "1")
    subject = pod("served", LLAMA)
    subject["metadata"].update(STORED)
    (server,) = subject["spec"]["containers"]
    server |= {"name": "kserve-container", "env": [{"name": "MODEL", "value": "/mnt/models"}]}
    subject["spec"]["initContainers"] = [{"name": "first", "image": LLAMA}]
    with made(platform, namespace, *policies):
        wait_for(
            lambda: every.items() <= told(platform, subject)["first"].items(),
            SECONDS,
            "Kyverno adds the variables",
        )
        several = told(platform, subject)
        assert set(several) == {"first", "storage-initializer", "kserve-container"}
        assert all(every.items() <= one.items() for one in several.values()), several
        assert several["kserve-container"]["MODEL"] == "/mnt/models"
        server["env"].append({"name": OFFLINE[0], "value": "0"})
        done = platform.try_kubectl("create", "--dry-run=server", "-o", "json", "-f", "-", stdin=subject)
        assert "SOV-MOD-02" in done.err, "what says otherwise is named, not overridden"
        if done.code == 0:
            answered = {one["name"]: one for one in json.loads(done.out)["spec"]["containers"][0]["env"]}
            assert answered[OFFLINE[0]]["value"] == "0" and answered[OFFLINE[1]]["value"] == "1"
        assert not every.keys() & told(platform, pod("default", LLAMA))["main"].keys(), "not in scope"
