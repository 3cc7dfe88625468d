"""Programs act with the rights of their charts, no more: one rule less is felt."""

import json

import pytest
from platform_client import Platform, wait_for

from corral.embedded.node.classify import SIMULATED
from corral.embedded.objects import is_true

pytestmark = pytest.mark.engine

ROLE = "kserve-manager-role"
SECONDS = 60
SERVICE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "metadata": {"name": "tried", "namespace": "default"},
    "spec": {
        "predictor": {
            "minReplicas": 1,
            "model": {
                "modelFormat": {"name": "tried"},
                "runtime": "tried",
                "storageUri": "s3://models/tried",
            },
        }
    },
}
RUNTIME = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ServingRuntime",
    "metadata": {"name": "tried", "namespace": "default"},
    "spec": {
        "supportedModelFormats": [{"name": "tried", "version": "1", "autoSelect": False}],
        "containers": [{"name": "kserve-container", "image": "docker.io/vllm/vllm-openai:v0.30.0"}],
    },
}


def test_kserve_can_do_only_what_its_cluster_role_says(platform):
    role = platform.read("clusterrole", ROLE)
    less = [
        {**rule, "resources": [one for one in rule.get("resources", []) if one != "deployments"]}
        for rule in role["rules"]
    ]
    less = [rule for rule in less if rule.get("resources") or rule.get("nonResourceURLs")]
    assert less != role["rules"], "the rule about deployments is elsewhere"
    write(platform, less)
    try:
        platform.kubectl("create", "-f", "-", stdin=RUNTIME)
        platform.kubectl("create", "-f", "-", stdin=SERVICE)
        message = wait_for(lambda: refusals(platform), SECONDS, "KServe is refused by the API server")
        assert "system:serviceaccount:kserve:kserve-controller-manager" in message
        assert not deployments(platform)
        write(platform, role["rules"])
        wait_for(lambda: deployments(platform), SECONDS, "KServe works again with its rule")
    finally:
        write(platform, role["rules"])
        platform.try_kubectl("delete", "inferenceservice", "tried", "-n", "default")
        platform.try_kubectl("delete", "servingruntime", "tried", "-n", "default")


def test_a_pods_process_speaks_with_its_own_service_account(platform):
    able = platform.try_kubectl(
        "auth",
        "can-i",
        "create",
        "deployments",
        "--as=system:serviceaccount:kserve:kserve-controller-manager",
        "-A",
    )
    unable = platform.try_kubectl(
        "auth", "can-i", "delete", "nodes", "--as=system:serviceaccount:kserve:kserve-controller-manager"
    )
    assert (able.out.strip(), unable.out.strip()) == ("yes", "no")
    manager = platform.program_of("kserve", "kserve-controller-manager")
    arguments = next(one.command for one in platform.processes() if one.pid == manager.pid)
    assert str(platform.plane.kubeconfig) not in arguments


def test_kubectl_shows_the_output_of_a_pod_that_runs_and_says_of_others_that_there_is_none(platform):
    (pod,) = platform.model_pods()
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    shown = platform.kubectl("logs", "-n", namespace, name)
    assert shown and platform.corral("logs", "-n", namespace, name).out.startswith(shown)
    last = platform.kubectl("logs", "-n", namespace, name, "--tail=1", "--all-containers")
    assert last.count("\n") < shown.count("\n")
    simulated = next(one["metadata"] for one in platform.items("pods", "-A") if is_true(one, SIMULATED))
    refused = platform.try_kubectl("logs", "-n", simulated["namespace"], simulated["name"])
    assert refused.code != 0 and "has run here as a process" in refused.err, refused.output


def write(platform: Platform, rules: list) -> None:
    patch = [{"op": "replace", "path": "/rules", "value": rules}]
    platform.kubectl("patch", "clusterrole", ROLE, "--type=json", "-p", json.dumps(patch))


def refusals(platform: Platform) -> str:
    """Lines of KServe's log in which the API server refuses it a Deployment."""
    pod = next(
        one["metadata"]["name"]
        for one in platform.items("pods", "-n", "kserve")
        if one["metadata"]["name"].startswith("kserve-controller-manager")
    )
    log = platform.kubectl("logs", "-n", "kserve", pod)
    return "\n".join(line for line in log.splitlines() if "forbidden" in line and "deployments" in line)


def deployments(platform: Platform) -> list:
    listed = platform.items("deployments", "-n", "default")
    return [one for one in listed if one["metadata"]["name"].startswith("tried")]
