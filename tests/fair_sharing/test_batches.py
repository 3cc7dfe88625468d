"""A batch on the running platform: a tenant's files of requests, answered by its model, and what failed."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.e2e.platform_client import Platform
from tests.fair_sharing.batches import BUCKET, ended, log, store_of

from corral.tools.batch.parts import FOLDER

pytestmark = pytest.mark.engine

INPUT, OUTPUT = "red/nightly/input", "red/nightly/output"
QUESTION = "What is the capital of a country that nobody names in a log?"


def line(custom_id: str, **body: Any) -> dict[str, Any]:
    asked = {"messages": [{"role": "user", "content": QUESTION}], "max_tokens": 4, **body}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": asked}


REQUESTS = [
    line("first", model="smollm2"),
    line("second"),
    line("another-model", model="gpt-4o"),
    line("too-long", messages=[{"role": "user", "content": "word " * 4000}]),
]


@pytest.fixture(scope="module")
def store(platform: Platform) -> Any:
    return store_of(platform)


def run(platform: Platform, name: str) -> str:
    """Run the batch now; what its pod said."""
    platform.kubectl("create", "job", name, "--from=cronjob/nightly", "-n", "red")
    return ended(platform, name)


def read(store: Any, name: str) -> str:
    return store.get_object(Bucket=BUCKET, Key=f"{OUTPUT}/{name}")["Body"].read().decode()


def test_a_batch_is_answered_by_the_model_and_what_failed_is_reported(platform, store):
    content = "".join(json.dumps(one) + "\n" for one in REQUESTS)
    store.put_object(Bucket=BUCKET, Key=f"{INPUT}/questions.jsonl", Body=content.encode())
    left = f"{OUTPUT}/questions{FOLDER}batch_0/a.jsonl"
    store.put_object(Bucket=BUCKET, Key=left, Body=b"")
    said = run(platform, "nightly-first")
    assert store.list_objects_v2(Bucket=BUCKET, Prefix=left).get("Contents", []) == []
    answers = {
        one["custom_id"]: one for one in map(json.loads, read(store, "questions.output.jsonl").splitlines())
    }
    assert set(answers) == {"first", "second"}
    for one in answers.values():
        assert one["error"] is None and one["response"]["status_code"] == 200
        body = one["response"]["body"]
        assert body["object"] == "chat.completion" and body["usage"]["completion_tokens"] > 0
    failed = {
        one["custom_id"]: one for one in map(json.loads, read(store, "questions.errors.jsonl").splitlines())
    }
    assert failed["another-model"]["error"]["code"] == "mismatched_model"
    assert failed["too-long"]["response"]["status_code"] == 400, failed["too-long"]
    record = json.loads(read(store, "questions.batch.json"))
    assert (record["object"], record["status"]) == ("batch", "completed")
    assert record["request_counts"] == {"total": 4, "completed": 2, "failed": 2}
    assert "questions.jsonl: 2 answered, 2 failed" in said and "line 3: mismatched_model" in said


def test_a_file_that_was_answered_is_not_asked_again(platform, store):
    assert "no file that was not answered yet" in run(platform, "nightly-again")


def test_neither_the_log_nor_the_objects_have_the_key_or_the_questions(platform):
    secret = platform.secret("red", "batch-nightly")["AWS_SECRET_ACCESS_KEY"]
    texts = [
        *(log(platform, name) for name in ("nightly-first", "nightly-again")),
        *(platform.kubectl("get", kind, "-n", "red", "-o", "yaml") for kind in ("cronjobs", "jobs", "pods")),
    ]
    assert len(secret) == 64
    for text in texts:
        assert secret not in text and QUESTION not in text


@pytest.mark.parametrize(
    "question",
    [
        lambda store: store.list_objects_v2(Bucket="models"),
        lambda store: store.put_object(Bucket="models", Key="theirs", Body=b"x"),
        lambda store: store.list_objects_v2(Bucket=BUCKET, Prefix="blue/"),
        lambda store: store.list_objects_v2(Bucket=BUCKET),
        lambda store: store.get_object(Bucket=BUCKET, Key="blue/questions.jsonl"),
        lambda store: store.put_object(Bucket=BUCKET, Key="blue/questions.jsonl", Body=b"x"),
        lambda store: store.put_object(Bucket=BUCKET, Key="reddish/questions.jsonl", Body=b"x"),
    ],
)
def test_the_key_of_a_tenant_opens_its_own_prefix_alone(store, question: Callable[[Any], object]):
    with pytest.raises(ClientError) as refused:
        question(store)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_batch_waits_for_its_time_and_never_runs_twice_at_once(platform):
    spec = platform.read("cronjob", "nightly", "-n", "red")["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "0 3 1 1 *",
        "Etc/UTC",
        "Forbid",
    )
