"""A model on its way from somebody's S3 store to an answer, on a platform that `corral up` deployed."""

import json
import tempfile
from pathlib import Path

import pytest
from tests.door.site import packaged
from tests.doubles.s3 import create_bucket, s3_client, s3_server
from tests.e2e import platform_client
from tests.stacks.stack_files import SMALL, pool, stack

from corral.catalogue.models import models
from corral.catalogue.stores import model_prefix

pytestmark = pytest.mark.engine

MODEL = models()["smollm2-135m"]
FILE = MODEL.files[0].name
KEY = f"smollm2/{FILE}"
PREFIX = model_prefix("smollm2", "s3://intake/smollm2", {one.name: one.sha256 for one in MODEL.files})
SECRETS = {
    "CORRAL_SOURCE_INTAKE_ACCESS_KEY": "intake-reader",
    "CORRAL_SOURCE_INTAKE_SECRET_KEY": "canary-of-the-intake",
}


def stack_of(endpoint: str, **storage: int) -> dict:
    intake = {"name": "intake", "url": "s3://intake", "endpoint": endpoint, "region": "eu-central-1"}
    return stack(
        gpu_pools=[pool(gpus_per_node=4)],
        models=[{**SMALL["models"][0], "source": "s3://intake/smollm2"}],
        model_sources=[intake],
        model_storage={"size": "5Gi", **storage},
        addons={"kyverno": "off"},
    )


@pytest.fixture(scope="module")
def intake():
    """A store of somebody else, with an empty bucket; its client."""
    with s3_server() as url:
        client = s3_client(url)
        create_bucket(client, "intake")
        yield client


@pytest.fixture(scope="module")
def platform(intake):
    """The platform before its first `up`; it ends with nothing of it left on the machine."""
    with tempfile.TemporaryDirectory(prefix="corral-import-", ignore_cleanup_errors=True) as folder:
        checkout = platform_client.checkout_with(Path(folder), stack_of(intake.meta.endpoint_url))
        started = platform_client.Platform(Path(folder) / "home", checkout, secrets=SECRETS)
        with platform_client.gone_afterwards(started) as manifest:
            yield manifest


@pytest.fixture(scope="module")
def model_file() -> bytes:
    """The model's file, out of the package that carries it."""
    return packaged(MODEL.package_source, FILE)


def test_an_intake_without_the_file_is_named_by_up_in_the_words_of_the_import(platform):
    done = platform.corral("up", seconds=platform_client.UP_SECONDS)
    assert done.code != 0
    assert f"s3://intake/{KEY} cannot be read" in done.output, done.output[-3000:]
    assert "canary-of-the-intake" not in done.output
    jobs = [
        one for one in platform.items("jobs", "-n", "model-storage") if "import" in one["metadata"]["name"]
    ]
    assert [one["status"].get("failed") for one in jobs] == [1], "the tool repeats; the Job does not"


def test_the_next_up_makes_the_failed_import_anew_and_the_model_answers(platform, intake, model_file):
    intake.put_object(Bucket="intake", Key=KEY, Body=model_file)
    done = platform.corral("up", seconds=platform_client.UP_SECONDS)
    assert done.code == 0, done.output[-3000:]
    answer = platform.corral("chat", "What is a llama?", seconds=120)
    assert answer.code == 0 and answer.out.strip()
    secret = platform.secret("model-storage", "import-smollm2-source")
    assert secret["SOURCE_AWS_SECRET_ACCESS_KEY"] == "canary-of-the-intake"
    again = platform.corral("up", seconds=platform_client.UP_SECONDS)
    assert again.code == 0 and "update:" not in again.output, again.output[-1500:]


def stored(platform):
    service = platform.read("service", "model-storage", "-n", "model-storage")
    identities = json.loads(platform.secret("model-storage", "model-storage-config")["s3.json"])["identities"]
    keys = next(one["credentials"][0] for one in identities if "Admin" in one["actions"])
    endpoint = f"http://{service['spec']['clusterIP']}:8333"
    return s3_client(endpoint, keys["accessKey"], keys["secretKey"], "embedded")


def pods(platform):
    manifest = platform.items("pods", "-A", "-l", "serving.kserve.io/inferenceservice=smollm2")
    return [one for one in manifest if "deletionTimestamp" not in one["metadata"]]


def reason(platform) -> str:
    """What the loader of the new pod said when it ended."""
    for pod in pods(platform):
        for status in pod["status"].get("initContainerStatuses", []):
            for state in (status["state"], status.get("lastState") or {}):
                if state.get("terminated", {}).get("exitCode"):
                    return str(state["terminated"].get("message", ""))
    return ""


def test_a_file_changed_in_the_store_is_never_served_and_the_status_says_why(platform, model_file):
    client = stored(platform)
    changed = bytearray(model_file)
    middle = len(changed) // 2
    changed[middle : middle + 4096] = bytes(one ^ 0xFF for one in changed[middle : middle + 4096])
    client.put_object(Bucket="models", Key=f"{PREFIX}/{FILE}", Body=bytes(changed))
    (pod,) = platform.model_pods()
    platform.kubectl("delete", "pod", pod["metadata"]["name"], "-n", pod["metadata"]["namespace"])
    output = platform_client.wait_for(lambda: reason(platform), 60, "the loader refuses the file")
    assert f"{FILE} in s3://models/{PREFIX} has SHA-256" in output and "changed after its import" in output
    assert platform.model_pods() == [], "a pod without its files is not ready"
    service = platform_client.wait_for(
        lambda: (
            (manifest := platform.read("inferenceservice", "smollm2", "-n", pod["metadata"]["namespace"]))[
                "status"
            ]
            .get("modelStatus", {})
            .get("lastFailureInfo")
            and manifest
        ),
        60,
        "KServe reports it",
    )
    assert "changed after its import" in service["status"]["modelStatus"]["lastFailureInfo"]["message"]
    assert platform.corral("status").code != 0

    client.put_object(Bucket="models", Key=f"{PREFIX}/{FILE}", Body=model_file)
    platform_client.wait_for(lambda: platform.model_pods(), 120, "the right file is served again")


def prefixes(platform) -> set[str]:
    listing = stored(platform).list_object_versions(Bucket="models", Prefix="smollm2")
    there = [*listing.get("Versions", []), *listing.get("DeleteMarkers", [])]
    return {one["Key"].partition("/")[0] for one in there}


def loaded_from(pod) -> str:
    (loader,) = pod["spec"]["initContainers"]
    return loader["args"][loader["args"].index("--from") + 1]


def started_anew(platform):
    """The model's pod after its pod was deleted, as by a node that is drained."""
    (pod,) = platform.model_pods()
    name, space = pod["metadata"]["name"], pod["metadata"]["namespace"]
    platform.kubectl("delete", "pod", name, "-n", space)
    (again,) = platform_client.wait_for(lambda: platform.model_pods(), 120, "the model's next pod")
    assert again["metadata"]["name"] != name
    return again


def test_a_pod_that_starts_anew_between_a_new_import_and_the_rollout_serves_what_its_release_says(
    platform, intake
):
    intake.put_object(Bucket="intake", Key="smollm2/generation_config.json", Body=b"{}")
    locked = platform.corral("lock", "--models", "--refresh")
    assert locked.code == 0, locked.output[-2000:]
    resources = json.loads(platform.pulumi("stack", "export").out)["deployment"]["resources"]
    (urn,) = [one["urn"] for one in resources if one["urn"].endswith("::smollm2-import")]
    chosen = ["--config-file", str(platform.plane.engine / "Pulumi.dev.yaml"), "--target", urn]
    half = platform.pulumi("up", "--yes", "--skip-preview", *chosen, seconds=200)
    assert half.code == 0, half.output[-3000:]
    (other,) = prefixes(platform) - {PREFIX}
    assert PREFIX in prefixes(platform)

    assert loaded_from(started_anew(platform)) == f"s3://models/{PREFIX}"
    answer = platform.corral("chat", "What is a llama?", seconds=120)
    assert answer.code == 0 and answer.out.strip()

    stack = stack_of(intake.meta.endpoint_url, **{"previous-imports": 0})
    platform_client.write_stack(platform.checkout, stack)
    done = platform.corral("up", seconds=platform_client.UP_SECONDS)
    assert done.code == 0, done.output[-3000:]
    (pod,) = platform.model_pods()
    assert loaded_from(pod) == f"s3://models/{other}"
    assert prefixes(platform) == {other}, "nothing stays of the former import, nor its earlier versions"
