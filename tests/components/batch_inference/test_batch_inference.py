"""CronJobs of batches: when, as whom and with which key they ask, and that nobody else's is in them."""

from typing import Any

import pytest
from tests.components.harness import Graph, build

from corral.components._args import ArgsError
from corral.components.batch_inference import BatchInference
from corral.components.batch_inference.component import WRITING_SECONDS

BATCH: dict[str, Any] = {
    "name": "nightly",
    "namespace": "team",
    "tenant": "team",
    "model": "chat",
    "url": "http://chat-predictor.team.svc.cluster.local/v1",
    "schedule": "30 2 * * *",
    "time_zone": "Etc/UTC",
    "input": "team/nightly/input",
    "output": "team/nightly/output",
    "concurrency": 4,
    "deadline_seconds": 3600,
}
STORE = {
    "endpoint": "http://store:8333",
    "region": "embedded",
    "bucket": "batches",
    "keys": {"team": {"access_key": "batch-team", "secret_key": "canary-secret"}},
}


def made(**more: Any) -> Graph:
    args: Any = {"batches": [{**BATCH, **more}], "store": STORE, "supply": {}}
    return build(lambda: BatchInference("batches", args))


def pod(graph: Graph) -> dict[str, Any]:
    return graph.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def test_one_run_at_a_time_comes_by_the_schedule_and_ends_after_its_deadline():
    job = made().one("CronJob").inputs["spec"]
    assert (job["schedule"], job["timeZone"]) == ("30 2 * * *", "Etc/UTC")
    assert job["concurrencyPolicy"] == "Forbid"
    spec = job["jobTemplate"]["spec"]
    assert spec["activeDeadlineSeconds"] == 3600 + WRITING_SECONDS and spec["backoffLimit"] == 0


def test_the_tool_asks_the_models_service_and_knows_both_places():
    (container,) = pod(made())["containers"]
    flags = dict(zip(container["args"][1::2], container["args"][2::2], strict=True))
    assert flags == {
        "--model": "chat",
        "--url": BATCH["url"],
        "--from": "s3://batches/team/nightly/input",
        "--to": "s3://batches/team/nightly/output",
        "--concurrency": "4",
        "--deadline": "3600",
    }


def test_the_key_is_in_a_secret_alone():
    graph = made()
    secret = graph.one("Secret")
    assert secret.inputs["stringData"]["AWS_SECRET_ACCESS_KEY"] == "canary-secret"
    assert "canary-secret" not in str(graph.one("CronJob").inputs)
    references = [
        one["valueFrom"]["secretKeyRef"]["name"]
        for one in pod(graph)["containers"][0]["env"]
        if "valueFrom" in one
    ]
    assert references == [secret.inputs["metadata"]["name"]] * 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tenant": "other"}, "tenant 'other' has no key in 'store'; there are team"),
        ({"schedule": "61 2 * * *"}, "batches.nightly.schedule: minute 61: use 0 to 59"),
        ({"input": "../models"}, "batches.nightly.input: '../models'; use a prefix"),
        ({"concurrency": 0}, "concurrency"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_registered(wrong: dict[str, Any], said: str):
    with pytest.raises(ArgsError) as refused:
        made(**wrong)
    assert said in str(refused.value)
