"""Quotas, borrowing and gang admission, by Kueue's own controller on a platform that `corral up` deployed."""

import json

import pytest
import yaml
from tests.e2e import platform_client
from tests.fair_sharing.stack import STACK

pytestmark = pytest.mark.engine

GPU = "corral.dev/gpu"
QUEUED = {"kueue.x-k8s.io/queue-name": "gpus"}
SECONDS = 40


def image(platform):
    """An image that the stack may run and that no process of this machine stands for."""
    containers = platform.items("pods", "-n", "blue")[0]["spec"]["containers"]
    return next(one["image"] for one in containers if "vllm" in one["image"])


def template(platform):
    return {
        "metadata": {"labels": {"app": "train"}},
        "spec": {
            "restartPolicy": "Always",
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "resourceClaims": [{"name": "gpu", "resourceClaimTemplateName": "whole"}],
            "containers": [
                {
                    "name": "main",
                    "image": image(platform),
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "resources": {
                        "claims": [{"name": "gpu"}],
                        "requests": {"cpu": "100m", "memory": "64Mi"},
                        "limits": {"memory": "64Mi"},
                    },
                }
            ],
        },
    }


def claims(platform, namespace):
    platform.kubectl(
        "apply",
        "-f",
        "-",
        stdin={
            "apiVersion": "resource.k8s.io/v1",
            "kind": "ResourceClaimTemplate",
            "metadata": {"name": "whole", "namespace": namespace},
            "spec": {
                "spec": {
                    "devices": {
                        "requests": [{"name": "gpu", "exactly": {"deviceClassName": "gpu.nvidia.com"}}]
                    }
                }
            },
        },
    )


def deploy(platform, namespace, replicas):
    """As many pods as `replicas` that each ask for a whole GPU and never end."""
    claims(platform, namespace)
    platform.kubectl(
        "apply",
        "-f",
        "-",
        stdin={
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "train", "namespace": namespace, "labels": QUEUED},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "train"}},
                "template": template(platform),
            },
        },
    )


def pods(platform, namespace):
    """Phase of each of those pods, `gated` before it is admitted."""
    items = platform.items("pods", "-n", namespace, "-l", "app=train")
    alive = [one for one in items if "deletionTimestamp" not in one["metadata"]]
    return sorted("gated" if one["spec"].get("schedulingGates") else one["status"]["phase"] for one in alive)


def settled(platform, namespace, expected):
    platform_client.wait_for(
        lambda: pods(platform, namespace) == expected,
        SECONDS,
        f"{namespace} has {expected}, not {pods(platform, namespace)}",
    )


def quota(queue):
    """(flavour, resource) -> devices, of a ClusterQueue or Cohort."""
    return {
        (flavour["name"], one["name"]): int(one["nominalQuota"])
        for group in queue["spec"]["resourceGroups"]
        for flavour in group["flavors"]
        for one in flavour["resources"]
        if int(one["nominalQuota"])
    }


def test_queues_have_what_the_stack_file_guarantees_and_the_cohort_has_the_rest(platform):
    queues = {one["metadata"]["name"]: one for one in platform.items("clusterqueues")}
    (cohort,) = platform.items("cohorts.kueue.x-k8s.io")
    assert quota(queues["red"]) == {("whole", GPU): 1, ("slices", "corral.dev/mig-1g-5gb"): 1}
    assert quota(queues["blue"]) == {("whole", GPU): 2}
    assert quota(cohort) == {("whole", GPU): 1, ("slices", "corral.dev/mig-1g-5gb"): 27}
    assert all(platform_client.holds(one, "Active") for one in queues.values())


def test_the_replicas_of_a_model_come_under_the_quota_of_its_tenant_and_it_answers(platform):
    used = {
        (flavour["name"], one["name"]): one["total"]
        for flavour in platform.read("clusterqueue", "red")["status"]["flavorsUsage"]
        for one in flavour["resources"]
    }
    assert used[("slices", "corral.dev/mig-1g-5gb")] == "1"
    done = platform.corral("chat", "smollm2", "What is the capital of France?", seconds=90)
    assert "Paris" in done.out, done.output


@pytest.mark.parametrize(
    ("version", "kind", "more"),
    [
        ("v1", "Pod", {}),
        ("batch/v1", "Job", {}),
        ("apps/v1", "Deployment", {"selector": {"matchLabels": {"app": "train"}}}),
    ],
)
def test_what_asks_for_gpus_and_names_no_queue_is_refused_with_the_name(platform, version, kind, more):
    made = template(platform)
    if kind == "Job":
        made["spec"]["restartPolicy"] = "Never"
    manifest = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "stray", "namespace": "red"},
        "spec": made["spec"] if kind == "Pod" else {**more, "template": made},
    }
    done = platform.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=manifest)
    assert done.code and "add the label kueue.x-k8s.io/queue-name: gpus" in done.output
    elsewhere = {**manifest, "metadata": {**manifest["metadata"], "namespace": "model-storage"}}
    assert platform.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=elsewhere).code == 0
    del made["spec"]["resourceClaims"], made["spec"]["containers"][0]["resources"]["claims"]
    done = platform.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=manifest)
    assert done.code == 0, f"it asks for no GPU: {done.output}"


def test_a_tenant_borrows_what_is_idle_and_not_one_more(platform):
    deploy(platform, "red", 5)
    # Its own, nobody's, and the one of blue's that blue's model leaves idle.
    settled(platform, "red", ["Running"] * 3 + ["gated"] * 2)


def test_what_was_lent_comes_back_when_its_owner_asks(platform):
    deploy(platform, "blue", 1)
    settled(platform, "blue", ["Running"])
    settled(platform, "red", ["Running"] * 2 + ["gated"] * 3)


def test_pods_that_belong_together_are_admitted_together_or_not_at_all(platform):
    together = template(platform)
    together["spec"]["restartPolicy"] = "Never"
    together["metadata"]["labels"] = {"app": "gang"}
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "gang", "namespace": "blue", "labels": QUEUED},
        "spec": {"parallelism": 2, "completions": 2, "template": together},
    }
    platform.kubectl("apply", "-f", "-", stdin=manifest)
    deploy(platform, "red", 1)
    settled(platform, "red", ["Running"])

    def messages():
        items = [
            one
            for one in platform.items("workloads.kueue.x-k8s.io", "-n", "blue")
            if one["metadata"]["ownerReferences"][0]["name"] == "gang"
        ]
        return " ".join(
            condition.get("message", "")
            for one in items
            for condition in one.get("status", {}).get("conditions", [])
        )

    platform_client.wait_for(
        lambda: "1 more needed" in messages(), SECONDS, f"the job lacks one GPU: {messages()}"
    )
    assert platform.items("pods", "-n", "blue", "-l", "app=gang") == []
    deploy(platform, "red", 0)
    job = platform_client.wait_for(
        lambda: next(
            (
                one
                for one in platform.items("jobs", "-n", "blue")
                if one.get("status", {}).get("succeeded") == 2
            ),
            None,
        ),
        SECONDS,
        "both pods of the job have run",
    )
    assert job["metadata"]["name"] == "gang"


def test_nothing_outside_the_tenants_namespaces_is_queued(platform):
    queued = {one["metadata"]["namespace"] for one in platform.items("workloads.kueue.x-k8s.io", "-A")}
    assert queued == {"red", "blue"}


def test_models_leave_the_queues_with_fair_sharing_and_come_back_into_them(platform):
    """One `up` each way, without a quota that waits for the models."""
    deploy(platform, "red", 0)
    platform.kubectl("delete", "deployment", "train", "-n", "blue")
    without = {key: value for key, value in STACK.items() if key != "fair-sharing"}
    for content in (without, STACK):
        file = platform.checkout / "Pulumi.dev.yaml"
        file.write_text(yaml.safe_dump({"config": {"corral:platform": content}}))
        done = platform.corral("up", seconds=platform_client.UP_SECONDS)
        assert done.code == 0, done.output[-4000:]
        types = platform.items("crds")
        kueue = [one for one in types if one["metadata"]["name"].endswith("kueue.x-k8s.io")]
        assert bool(kueue) is ("fair-sharing" in content)
        for model in ("smollm2", "chat"):
            (pod,) = platform.model_pods(model)
            assert (QUEUED.items() <= pod["metadata"]["labels"].items()) is bool(kueue)
        # One slice is red's own, and its model has it: a quota refuses the next, where no queue counts them.
        own, any_slice = (claimed(platform, name) for name in ("mig-1g-5gb.corral.dev", "mig.nvidia.com"))
        assert ("exceeded quota" in own.output) is not bool(kueue), own.output
        assert "exceeded quota" in any_slice.output, "the class of all slices is closed to tenants"


def claimed(platform, device_class):
    """What admission says of a claim of red's for one device of the class; nothing is stored."""
    request = {"name": "gpu", "exactly": {"deviceClassName": device_class}}
    manifest = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": {"name": "tried", "namespace": "red"},
        "spec": {"devices": {"requests": [request]}},
    }
    return platform.try_kubectl("create", "--dry-run=server", "-f", "-", stdin=manifest)


def test_a_destroy_with_work_in_the_queues_leaves_nothing_of_kueue(platform):
    deploy(platform, "red", 4)
    config = platform.plane.engine / "Pulumi.dev.yaml"
    done = platform.pulumi(
        "destroy", "--yes", "--skip-preview", "--config-file", str(config), seconds=platform_client.UP_SECONDS
    )
    assert done.code == 0, done.output[-4000:]
    left = json.loads(platform.kubectl("get", "crds,clusterroles,namespaces,apiservices", "-o", "json"))
    names = [one["metadata"]["name"] for one in left["items"]]
    assert [name for name in names if "kueue" in name or name in ("red", "blue")] == []
