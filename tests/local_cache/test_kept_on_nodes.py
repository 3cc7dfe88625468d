"""A model whose files its node keeps: KServe's own controller and agent of local models, and its replicas.

It builds two programs of KServe's and brings up a platform of its own, and so runs where
`CORRAL_LOCAL_CACHE=1` says so.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform, wait_for

from corral.catalogue.vocabulary import Addon
from corral.embedded.toolchain import ensure, needed

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        "CORRAL_LOCAL_CACHE" not in os.environ, reason="minutes of its own: set CORRAL_LOCAL_CACHE=1"
    ),
]
NODE, POOL, TENANT = "slices-0", "slices", "red"
STACK = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "embedded"},
    "tenants": [{"name": TENANT}],
    "gpu-pools": [
        {
            "name": POOL,
            "gpu": "A100-40GB",
            "nodes": {"names": [NODE]},
            "gpus-per-node": 1,
            "sharing": {"mig": "all-1g.5gb"},
            "model-cache": "2Gi",
        }
    ],
    "models": [
        {
            "name": "smollm2",
            "model": "smollm2-135m",
            "tenant": TENANT,
            "context": 2048,
            "max-num-seqs": 2,
            "local-cache": True,
        }
    ],
    "model-storage": {"size": "5Gi"},
}
REPLACED_SECONDS = 120
LOOKED_SECONDS = 10


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with tempfile.TemporaryDirectory(prefix="corral-cache-", ignore_cleanup_errors=True) as folder:
        checkout = platform_client.checkout_with(Path(folder), STACK)
        with platform_client.gone_afterwards(Platform(Path(folder) / "home", checkout)) as running:
            ensure(needed([Addon.MODEL_CACHE]), lambda _line: None)
            prepared(running)
            done = running.corral("up", seconds=platform_client.UP_SECONDS)
            if done.code:
                pytest.fail(f"corral up: {done.output[-4000:]}", pytrace=False)
            yield running


def prepared(platform: Platform) -> None:
    """What docs/fast-start.md has somebody do on each node, for an agent that is nobody here."""
    models = platform.plane.disks / NODE / "models" / "models"
    models.mkdir(parents=True)
    for folder in (models, models.parent):
        folder.chmod(0o777)


def kept(platform: Platform) -> list[Path]:
    """Files of models on the node's disk."""
    return [one for one in (platform.plane.disks / NODE).rglob("*.gguf") if one.is_file()]


def cache(platform: Platform) -> dict[str, Any]:
    (one,) = platform.items("localmodelcaches")
    return one


def test_kserves_agent_has_fetched_the_model_onto_the_node(platform: Platform):
    assert cache(platform)["status"]["nodeStatus"] == {NODE: "NodeDownloaded"}
    (file,) = kept(platform)
    assert file.stat().st_size > 10_000_000
    jobs = platform.items("jobs", "-n", "model-storage")
    owned = [
        one
        for one in jobs
        for owner in one["metadata"].get("ownerReferences", [])
        if owner["kind"] == "LocalModelNode"
    ]
    assert len(owned) == 1 and owned[0]["status"]["succeeded"] == 1


def test_a_replica_mounts_what_the_node_keeps_and_answers_while_the_store_does_not(platform: Platform):
    (before,) = platform.model_pods("smollm2")
    (claim,) = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in before["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    assert claim == f"{cache(platform)['metadata']['name']}-{POOL}"

    store = ("statefulset", "model-storage", "-n", "model-storage")
    platform.kubectl("scale", *store, "--replicas=0")
    try:
        wait_for(lambda: stores(platform) == [], REPLACED_SECONDS, "there is no store")
        platform.kubectl("delete", "pod", before["metadata"]["name"], "-n", TENANT)
        wait_for(lambda: replaced(platform, before), REPLACED_SECONDS, "another replica has taken its place")
        answer = platform.corral("chat", "What is the capital of France?")
        assert answer.code == 0 and answer.out.strip()
    finally:
        platform.kubectl("scale", *store, "--replicas=1")


def stores(platform: Platform) -> list[str]:
    names = [one["metadata"]["name"] for one in platform.items("pods", "-n", "model-storage")]
    return [name for name in names if name == "model-storage-0"]


def replaced(platform: Platform, before: dict[str, Any]) -> bool:
    uids = [one["metadata"]["uid"] for one in platform.model_pods("smollm2")]
    return uids != [] and before["metadata"]["uid"] not in uids


def test_a_file_that_somebody_changed_on_the_node_is_not_served_until_it_is_right_again(platform: Platform):
    (file,) = kept(platform)
    content = file.read_bytes()
    file.chmod(0o666)
    file.write_bytes(content[:-4096] + b"\0" * 4096)
    (before,) = platform.model_pods("smollm2")
    platform.kubectl("delete", "pod", before["metadata"]["name"], "-n", TENANT)

    def loading() -> bool:
        chosen = ("pods", "-n", TENANT, "-l", "corral.dev/model=smollm2")
        return any(
            "running" in status["state"]
            for pod in platform.items(*chosen)
            if pod["metadata"]["uid"] != before["metadata"]["uid"]
            for status in pod["status"].get("initContainerStatuses", [])
        )

    wait_for(loading, REPLACED_SECONDS, "the next replica looks at the file")
    time.sleep(LOOKED_SECONDS)
    assert loading() and platform.model_pods("smollm2") == []
    file.write_bytes(content)
    wait_for(lambda: replaced(platform, before), REPLACED_SECONDS, "the replica takes the file")
