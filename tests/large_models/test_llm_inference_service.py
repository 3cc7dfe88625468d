"""A real model behind KServe's own controller of LLMInferenceServices: it answers, stays and changes.

Its controller takes minutes to build (`corral setup --addon llm-inference-service`), and the test has a
platform of its own, so this runs where `CORRAL_LLMISVC=1` says so.
"""

import json
import os
import re
import tempfile
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
STACK: dict[str, Any] = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "gpu-pools": [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["whole-0"]}, "gpus-per-node": 4}],
    "models": [MODEL],
    "model-storage": {"size": "5Gi"},
}
SECONDS = 900


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    ensure(needed([Addon.LLM_INFERENCE_SERVICE]), lambda _line: None)
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
    served = platform.read("llminferenceservice", "smollm2", "-n", "models")
    applied = {one["name"] for one in served["status"]["appliedConfigs"]}
    assert applied == {"kserve-config-llm-template"}


def test_a_second_up_has_nothing_to_do(platform: Platform):
    done = platform.corral("up", seconds=SECONDS)
    assert done.code == 0 and re.search(r"preview: \d+ unchanged \(", done.output), done.output[-2000:]
    assert "update:" not in done.output


def test_another_context_is_another_pod_and_the_old_one_is_gone(platform: Platform):
    (before,) = pods(platform)
    changed = {**STACK, "models": [{**MODEL, "context": 1024}]}
    content = yaml.safe_dump({"config": {"corral:platform": changed}})
    (platform.checkout / "Pulumi.dev.yaml").write_text(content)
    done = platform.corral("up", seconds=SECONDS)
    assert done.code == 0, done.output[-4000:]
    (after,) = pods(platform)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert "--ctx-size 2048" in " ".join(after["spec"]["containers"][0]["args"]), json.dumps(after["spec"])
    assert "Paris" in answer(platform)


def pods(platform: Platform) -> list[dict[str, Any]]:
    label = "app.kubernetes.io/part-of=llminferenceservice"
    return platform.read("pods", "-n", "models", "-l", label)["items"]
