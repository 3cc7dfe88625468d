"""The bucket and the importer against the real store, configured by the component's own files."""

import hashlib

import httpx
import pytest
from botocore.exceptions import ClientError
from tests.doubles import seaweedfs
from tests.doubles.s3 import s3_client

from corral.catalogue.stores import model_prefix
from corral.components.model_storage.seaweedfs import READER, WRITER, derived
from corral.tools.__main__ import main

pytestmark = pytest.mark.engine

PLAIN = b"GGUF: not a word of this may be read from the disk. " * 4096


@pytest.fixture(scope="module")
def real_store(tmp_path_factory):
    with seaweedfs.running(tmp_path_factory.mktemp("weed")) as store:
        yield store.endpoint, store.data, store.filer


def caller(endpoint: str, key: str, secret: str):
    return s3_client(endpoint, key, secret, "embedded", max_attempts=1)


def as_identity(monkeypatch, endpoint: str, key: str, secret: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    monkeypatch.setenv("AWS_REGION", "embedded")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "embedded")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_model_imported_by_the_writer_is_readable_by_the_reader_and_by_nobody_from_the_disk(
    real_store, monkeypatch, tmp_path
):
    endpoint, data, _ = real_store
    as_identity(monkeypatch, endpoint, "admin", "admin-secret")
    assert main(["bucket", "ensure", "--name", "models"]) == 0
    (tmp_path / "m.gguf").write_bytes(PLAIN)
    digest = hashlib.sha256(PLAIN).hexdigest()
    as_identity(monkeypatch, endpoint, WRITER, derived("admin-secret", WRITER))
    order = ["import", "--source", f"file://{tmp_path}", "--sha256", f"m.gguf={digest}"]
    order += ["--to", "s3://models/m", "--license", "Apache-2.0"]
    assert main(order) == 0
    assert main(order) == 0, "the writer may look at what it wrote"

    reader = caller(endpoint, READER, derived("admin-secret", READER))
    assert reader.get_object(Bucket="models", Key="m/m.gguf")["Body"].read() == PLAIN
    for attempt in (
        lambda: reader.put_object(Bucket="models", Key="m/m.gguf", Body=b"poisoned"),
        lambda: reader.delete_object(Bucket="models", Key="m/m.gguf"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            attempt()

    files = [path for path in data.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > len(PLAIN), "the object must lie here somewhere"
    assert [path for path in files if PLAIN[:40] in path.read_bytes()] == []


def test_the_writer_may_not_change_the_bucket_s_settings(real_store):
    endpoint = real_store[0]
    writer = caller(endpoint, WRITER, derived("admin-secret", WRITER))
    with pytest.raises(ClientError, match="AccessDenied"):
        writer.put_bucket_versioning(Bucket="models", VersioningConfiguration={"Status": "Suspended"})


def test_the_writer_removes_a_former_import_with_all_its_versions(real_store, monkeypatch, tmp_path):
    endpoint = real_store[0]
    as_identity(monkeypatch, endpoint, WRITER, derived("admin-secret", WRITER))
    made = []
    for content in (PLAIN, PLAIN + b"another"):
        (tmp_path / "m.gguf").write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        made.append(model_prefix("m", "", {"m.gguf": digest}))
        order = ["import", "--source", f"file://{tmp_path}", "--sha256", f"m.gguf={digest}"]
        assert main([*order, "--to", f"s3://models/{made[-1]}", "--license", "Apache-2.0"]) == 0
    first, second = made
    writer = caller(endpoint, WRITER, derived("admin-secret", WRITER))
    writer.put_object(Bucket="models", Key=f"{first}/m.gguf", Body=PLAIN)
    assert main(["prune", "--in", "s3://models", "--serve", f"m={second}", "--previous", "0"]) == 0
    admin = caller(endpoint, "admin", "admin-secret")
    listing = admin.list_object_versions(Bucket="models", Prefix="m-")
    left = [*listing.get("Versions", []), *listing.get("DeleteMarkers", [])]
    assert {one["Key"].partition("/")[0] for one in left} == {second}


def test_the_filer_tells_strangers_nothing(real_store):
    filer = real_store[2]
    with httpx.Client(trust_env=False) as stranger:
        answer = stranger.get(f"{filer}/buckets/models/m/m.gguf")
    assert answer.status_code == 401, "the filer holds every object, unencrypted for whoever may ask it"
