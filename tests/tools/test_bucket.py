from typing import Any

import pytest
from botocore.exceptions import ClientError

from corral.tools import bucket as keeper
from corral.tools.__main__ import main


class Stranger:
    """An anonymous caller whom the store answers with one status."""

    def __init__(self, status: int):
        self.status = status

    def _answer(self, **_: Any) -> None:
        raise ClientError(
            {"Error": {"Code": "Refused"}, "ResponseMetadata": {"HTTPStatusCode": self.status}}, "Any"
        )

    list_objects_v2 = get_object = put_object = _answer


@pytest.fixture
def closed(monkeypatch):
    real = keeper.client
    monkeypatch.setattr(keeper, "client", lambda signed=True: real() if signed else Stranger(403))


def test_a_new_bucket_is_made_versioned_and_encrypted_by_default(store, closed):
    assert main(["bucket", "ensure", "--name", "fresh-models"]) == 0
    assert store.get_bucket_versioning(Bucket="fresh-models")["Status"] == "Enabled"
    rules = store.get_bucket_encryption(Bucket="fresh-models")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    left = store.list_object_versions(Bucket="fresh-models")
    assert "Versions" not in left and "DeleteMarkers" not in left, "the probe must leave nothing behind"


def test_a_bucket_that_is_there_is_kept_with_its_objects(store, closed, bucket):
    store.put_object(Bucket=bucket, Key="kept", Body=b"x")
    assert main(["bucket", "ensure", "--name", bucket]) == 0
    assert main(["bucket", "ensure", "--name", bucket]) == 0
    assert store.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"x"
    assert store.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_a_bucket_open_to_anonymous_callers_fails(store, bucket, capsys):
    # This store authenticates nobody, so a stranger is let in.
    assert main(["bucket", "ensure", "--name", bucket]) == 1
    assert "anonymous callers may list" in capsys.readouterr().err


def test_a_store_that_breaks_for_strangers_is_not_taken_for_a_closed_one(store, bucket, monkeypatch, capsys):
    real = keeper.client
    monkeypatch.setattr(keeper, "client", lambda signed=True: real() if signed else Stranger(500))
    assert main(["bucket", "ensure", "--name", bucket]) == 1
    assert "anonymous list ended in" in capsys.readouterr().err


@pytest.mark.parametrize("broken", ["put_bucket_versioning", "put_bucket_encryption"])
def test_a_setting_that_the_store_drops_silently_fails(store, bucket, closed, broken, monkeypatch, capsys):
    real = keeper.ensure

    def ensure(name: str, client: Any, say: Any) -> None:
        setattr(client, broken, lambda **_: None)
        real(name, client, say)

    monkeypatch.setattr(keeper, "ensure", ensure)
    assert main(["bucket", "ensure", "--name", bucket]) == 1
    assert "is not versioned" in (said := capsys.readouterr().err) or "encrypt" in said


def test_an_object_stored_in_plain_fails_even_when_the_rule_is_set(
    store, bucket, closed, monkeypatch, capsys
):
    real = keeper.ensure

    def ensure(name: str, client: Any, say: Any) -> None:
        client.head_object = lambda **_: {}
        real(name, client, say)

    monkeypatch.setattr(keeper, "ensure", ensure)
    assert main(["bucket", "ensure", "--name", bucket]) == 1
    assert "stored as plain" in capsys.readouterr().err


def test_a_store_that_does_not_answer_fails_in_one_line(store, monkeypatch, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setattr("corral.tools.store.ATTEMPTS", 1)
    assert main(["bucket", "ensure", "--name", "any"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "127.0.0.1:9" in said
