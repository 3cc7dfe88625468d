"""What is removed from the bucket of models: former imports beyond those that stay, and nothing else."""

import hashlib
import json
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from tests.doubles.cloud_storage import READ, cloud_storage

from corral.catalogue.stores import model_prefix
from corral.tools.__main__ import main
from corral.tools.s3_store import S3Store
from corral.tools.sources import transfer

CONTENTS = (b"GGUF one", b"GGUF two", b"GGUF three")


def imported(folder: Path, bucket: str, name: str, content: bytes, *more: str) -> str:
    """Prefix of an import of model `name` that has that content."""
    file = folder / name / "model.gguf"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    source, digest = f"file://{file}", hashlib.sha256(content).hexdigest()
    prefix = model_prefix(name, source, {} if more else {"model.gguf": digest})
    files = more or ("--sha256", f"model.gguf={digest}")
    order = ["import", "--source", source, *files, "--to", f"{bucket}/{prefix}", "--license", "MIT"]
    assert main(order) == 0
    return prefix


def prune(bucket: str, previous: int, **served: str) -> int:
    stated = [word for name, prefix in served.items() for word in ("--serve", f"{name}={prefix}")]
    return main(["prune", "--in", bucket, *stated, "--previous", str(previous)])


def prefixes(store, bucket: str) -> set[str]:
    return {one["Key"].partition("/")[0] for one in store.list_objects_v2(Bucket=bucket)["Contents"]}


@pytest.fixture
def three(store, bucket, tmp_path) -> list[str]:
    """Imports of model `chat`."""
    return [imported(tmp_path, f"s3://{bucket}", "chat", body) for body in CONTENTS]


def test_what_is_served_and_the_latest_other_imports_stay(store, bucket, tmp_path, capsys):
    made = []
    for content in CONTENTS:
        made.append(imported(tmp_path, f"s3://{bucket}", "chat", content))
        time.sleep(1.05)  # Seconds are all that a store knows of them.
    first, second, third = made
    assert prune(f"s3://{bucket}", 1, chat=third) == 0
    assert prefixes(store, bucket) == {second, third}
    said = capsys.readouterr().out
    assert f"removed s3://{bucket}/{first}: 3 objects" in said
    assert f"chat: served from {third}; beside it {second} imported" in said
    assert prune(f"s3://{bucket}", 1, chat=second) == 0
    assert prefixes(store, bucket) == {second, third}, "whoever goes back keeps what was gone forward to"
    assert prune(f"s3://{bucket}", 0, chat=third) == 0
    assert prefixes(store, bucket) == {third}


def test_what_is_served_stays_however_old_it_is(store, bucket, three):
    assert prune(f"s3://{bucket}", 0, chat=three[0]) == 0
    assert prefixes(store, bucket) == {three[0]}


def test_nothing_of_a_versioned_bucket_is_left_behind(store, bucket, three):
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    store.put_object(Bucket=bucket, Key=f"{three[0]}/model.gguf", Body=b"GGUF one")
    assert prune(f"s3://{bucket}", 0, chat=three[2]) == 0
    listing = store.list_object_versions(Bucket=bucket)
    left = [*listing["Versions"], *listing.get("DeleteMarkers", [])]
    assert {one["Key"].partition("/")[0] for one in left} == {three[2]}


def test_where_versions_may_not_be_seen_the_bucket_s_rule_ends_them(store, bucket, three, monkeypatch):
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def refused(self, operation_name, arguments):
        if operation_name == "ListObjectVersions":
            denied = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise ClientError(denied, operation_name)
        return asked(self, operation_name, arguments)

    asked = type(store)._make_api_call
    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refused)
    assert prune(f"s3://{bucket}", 0, chat=three[2]) == 0
    assert prefixes(store, bucket) == {three[2]}


def test_imports_of_other_models_and_what_no_import_wrote_stay(store, bucket, three, tmp_path):
    other = imported(tmp_path, f"s3://{bucket}", "chat-canary", b"GGUF other")
    manifest = store.get_object(Bucket=bucket, Key=f"{three[0]}/manifest.json")["Body"].read()
    kept = {
        "chat-20261128/model.gguf": b"GGUF of somebody",
        "chat-20261129/manifest.json": manifest,
        "chat-20261130/manifest.json": b"{half",
        "chat-20261201/manifest.json": json.dumps({"files": ["a"]}).encode(),
        "chat-notes": b"a file",
        "chat/manifest.json": manifest,
    }
    for key, body in kept.items():
        store.put_object(Bucket=bucket, Key=key, Body=body)
    under_way = model_prefix("chat", "", {"model.gguf": "ab" * 32})
    store.put_object(Bucket=bucket, Key=f"{under_way}/model.gguf", Body=b"GGUF, and no manifest yet")
    assert prune(f"s3://{bucket}", 0, chat=three[2]) == 0
    assert prefixes(store, bucket) == {three[2], other, under_way, *(key.partition("/")[0] for key in kept)}


def test_an_import_that_nobody_locked_is_known_by_its_source(store, bucket, tmp_path):
    unlocked = imported(tmp_path, f"s3://{bucket}", "chat", b"GGUF", "--unlocked")
    locked = imported(tmp_path, f"s3://{bucket}", "chat", b"GGUF")
    assert unlocked != locked
    assert prune(f"s3://{bucket}", 0, chat=locked) == 0
    assert prefixes(store, bucket) == {locked}


def test_what_is_cut_off_in_removing_is_no_model_any_more(store, bucket, three, monkeypatch):
    removed = []

    def once(self, place, key):
        if removed:
            raise OSError(5, "cut off")
        removed.append(key)

    monkeypatch.setattr(S3Store, "remove", once)
    assert prune(f"s3://{bucket}", 0, chat=three[2]) == 1
    assert removed[0].endswith("/manifest.json")


@pytest.mark.parametrize("wrong", ["chat", "chat=", "=chat-1"])
def test_a_model_without_the_prefix_it_is_served_from_is_refused(wrong, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["prune", "--in", "s3://models", "--serve", wrong, "--previous", "1"])
    assert "expected MODEL=PREFIX" in capsys.readouterr().err


@pytest.fixture
def cloud(monkeypatch, tmp_path):
    """Cloud Storage with bucket `models` and two imports of `chat`; those, the earlier one first."""
    monkeypatch.setattr(transfer, "FIRST_WAIT", 0.01)
    with cloud_storage() as made:
        made.buckets["models"] = {}
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{made.address}")
        monkeypatch.setenv("GCE_METADATA_HOST", made.metadata_address)
        yield made, [imported(tmp_path, "gs://models", "chat", body) for body in (b"GGUF one", b"GGUF two")]


def test_cloud_storage_loses_what_is_served_no_more(cloud):
    made, (_, second) = cloud
    assert prune("gs://models", 1, chat=second) == 0
    assert len(made.names("models")) == 6
    assert prune("gs://models", 0, chat=second) == 0
    assert {one.partition("/")[0] for one in made.names("models")} == {second}


def test_what_a_bucket_retains_stays_until_then_and_is_no_failure(cloud, capsys):
    made, (first, second) = cloud
    made.buckets["models"][f"{first}/model.gguf"]["retentionExpirationTime"] = "2999-01-31T00:00:00Z"
    assert prune("gs://models", 0, chat=second) == 0
    assert len(made.names("models")) == 6
    assert f"gs://models/{first} stays: the bucket keeps it until 2999-01-31" in capsys.readouterr().out


def test_an_account_that_may_not_remove_is_one_line(cloud, capsys):
    made, (_, second) = cloud
    member = next(iter(made.tokens.values()))
    made.roles["models"] = {(READ, member)}
    assert prune("gs://models", 0, chat=second) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "cannot be removed" in said and "needs a role on the bucket" in said
