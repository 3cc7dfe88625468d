"""A real model behind KServe's own controller of LLMInferenceServices: it answers, stays and changes.

Its controller takes minutes to build (`corral setup --addon llm-inference-service`), and the test has a
platform of its own, so this runs where `CORRAL_LLMISVC=1` says so.
"""

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform

from corral.catalogue.vocabulary import Addon
from corral.embedded.toolchain import ensure, needed

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif("CORRAL_LLMISVC" not in os.environ, reason="minutes of its own: set CORRAL_LLMISVC=1"),
]
MODEL = {
    "name": "smollm2",
    "model": "smollm2-135m",
    "kind": "LLMInferenceService",
    "context": 2048,
    "max-num-seqs": 2,
}
APART = {
    "name": "apart",
    "model": "qwen3-8b",
    "kind": "LLMInferenceService",
    "weights": "simulated",
    "prefill": {"replicas": 2},
}
"""Its engine is none of the machine's programs: its pods are simulated, its objects and devices are not."""
STACK: dict[str, Any] = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "gpu-pools": [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["whole-0"]}, "gpus-per-node": 4}],
    "models": [MODEL, APART],
    "gateway": {"host": "models.example.eu", "port": 8443},
    "model-storage": {"size": "5Gi"},
}
SECONDS = 900


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    ensure(needed([Addon.LLM_INFERENCE_SERVICE, Addon.ENVOY_GATEWAY]), lambda _line: None)
    with tempfile.TemporaryDirectory(prefix="corral-llm-", ignore_cleanup_errors=True) as folder:
        checkout = platform_client.checkout_with(Path(folder), STACK)
        running = Platform(Path(folder) / "home", checkout)
        with platform_client.gone_afterwards(running):
            done = running.corral("up", seconds=SECONDS)
            if done.code:
                pytest.fail(f"corral up: {done.output[-4000:]}", pytrace=False)
            yield running


def answer(platform: Platform) -> str:
    done = platform.corral("chat", "What is the capital of France?", seconds=180)
    assert done.code == 0, done.output
    return done.output


def test_the_model_answers_by_the_service_that_kserve_makes(platform: Platform):
    said = answer(platform)
    assert "Paris" in said and "smollm2-kserve-workload-svc:8000" in said
    assert applied(platform, "smollm2") == {"kserve-config-llm-template"}


def test_a_second_up_has_nothing_to_do(platform: Platform):
    done = platform.corral("up", seconds=SECONDS)
    assert done.code == 0 and re.search(r"preview: \d+ unchanged \(", done.output), done.output[-2000:]
    assert "update:" not in done.output


def test_both_sides_of_a_model_with_prefill_are_deployments_of_kserves(platform: Platform):
    presets = {"kserve-config-llm-decode-template", "kserve-config-llm-prefill-template"}
    assert applied(platform, "apart") == presets
    for name, role, number in (("apart-kserve", "decode", 1), ("apart-kserve-prefill", "prefill", 2)):
        made = platform.read("deployment", name, "-n", "models")
        assert made["status"]["readyReplicas"] == made["spec"]["replicas"] == number
        assert made["spec"]["template"]["metadata"]["labels"]["llm-d.ai/role"] == role
        (owner,) = made["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("LLMInferenceService", "apart")


def test_each_replica_of_either_side_has_a_gpu_of_its_own(platform: Platform):
    read, claims = pods(platform, "apart"), platform.read("resourceclaims", "-n", "models")["items"]
    assert Counter(one["metadata"]["labels"]["llm-d.ai/role"] for one in read) == {"decode": 1, "prefill": 2}
    owners = {one["metadata"]["name"] for one in read}
    given = [
        (device["pool"], device["device"])
        for claim in claims
        if claim["metadata"]["ownerReferences"][0]["name"] in owners
        for device in claim["status"]["allocation"]["devices"]["results"]
    ]
    assert len(given) == len(set(given)) == 3


def test_pods_of_either_side_are_what_the_program_states_and_nothing_else(platform: Platform):
    spec = platform.read("llminferenceservice", "apart", "-n", "models")["spec"]
    stated = {"decode": spec["template"], "prefill": spec["prefill"]["template"]}
    for one in pods(platform, "apart"):
        pod = stated[one["metadata"]["labels"]["llm-d.ai/role"]]
        for kind in ("containers", "initContainers"):
            mine = [(each["name"], each["image"], each["args"]) for each in pod.get(kind, [])]
            assert [(each["name"], each["image"], each["args"]) for each in one["spec"].get(kind, [])] == mine


def test_the_service_of_a_side_leads_to_its_pods_alone_and_kserves_to_both(platform: Platform):
    roles = {
        one["metadata"]["name"]: one["metadata"]["labels"]["llm-d.ai/role"] for one in pods(platform, "apart")
    }
    expected = {"apart-decode": ["decode"], "apart-prefill": ["prefill"] * 2}
    for service, sides in {**expected, "apart-kserve-workload-svc": ["decode", "prefill", "prefill"]}.items():
        label = f"kubernetes.io/service-name={service}"
        slices = platform.read("endpointslices", "-n", "models", "-l", label)["items"]
        led = [end["targetRef"]["name"] for one in slices for end in one["endpoints"]]
        assert sorted(roles[name] for name in led) == sides, service


def test_the_route_of_the_gateway_names_the_prefill_service(platform: Platform):
    route = json.dumps(platform.read("httproutes", "-A"))
    assert "apart-prefill.models.svc.cluster.local:8000" in route and '"apart-decode"' in route


def test_another_context_is_another_pod_and_the_old_one_is_gone(platform: Platform):
    (before,) = pods(platform)
    changed = {**STACK, "models": [{**MODEL, "context": 1024}, APART]}
    content = yaml.safe_dump({"config": {"corral:platform": changed}})
    (platform.checkout / "Pulumi.dev.yaml").write_text(content)
    done = platform.corral("up", seconds=SECONDS)
    assert done.code == 0, done.output[-4000:]
    (after,) = pods(platform)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert "--ctx-size 2048" in " ".join(after["spec"]["containers"][0]["args"]), json.dumps(after["spec"])
    assert "Paris" in answer(platform)


def applied(platform: Platform, model: str) -> set[str]:
    served = platform.read("llminferenceservice", model, "-n", "models")
    return {one["name"] for one in served["status"]["appliedConfigs"]}


def pods(platform: Platform, model: str = "smollm2") -> list[dict[str, Any]]:
    label = f"app.kubernetes.io/part-of=llminferenceservice,app.kubernetes.io/name={model}"
    return platform.read("pods", "-n", "models", "-l", label)["items"]
