"""Registries and sources that are not as they were: one line each at the command line, nothing touched."""

from collections.abc import Iterator

import pytest
from tests.doubles.servers import Handler, listening

from corral.catalogue import digests, lock
from corral.catalogue.digests import Locked
from corral.cli import main as cli

DIGEST, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
LACKING = "chrislusf/seaweedfs"


class Mirror(Handler):
    """A mirror that has every image but one, all of one digest."""

    def do_GET(self) -> None:
        self.answer(404 if LACKING in self.path else 200, headers={"Docker-Content-Digest": DIGEST})


@pytest.fixture
def mirror() -> Iterator[str]:
    with listening(Mirror) as address:
        yield address


def checked(mirror: str) -> int:
    return cli.main(["lock", "--check", "--mirror", mirror, "--insecure", mirror])


def test_an_image_that_the_registry_lacks_is_one_line_and_the_lock_stays(mirror, capsys):
    before = digests.FILE.read_bytes()
    assert checked(mirror) == 1
    said = [line for line in capsys.readouterr().out.splitlines() if LACKING in line]
    assert len(said) == 1 and "unresolved: " in said[0], said
    assert digests.FILE.read_bytes() == before


def test_a_digest_that_changed_is_one_line_with_the_one_before_and_the_lock_stays(
    mirror, capsys, monkeypatch
):
    reference = next(name for name in lock.references(mirror) if "pgvector" in name)
    known = {reference: Locked.model_validate({"digest": OTHER, "date": "2026-11-01"})}
    monkeypatch.setattr(lock, "load", lambda _file: known)
    before = digests.FILE.read_bytes()
    assert checked(mirror) == 1
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith(reference)]
    assert said == [f"{reference}: changed, was {OTHER}"]
    assert digests.FILE.read_bytes() == before


def test_a_model_file_that_is_not_the_locked_one_is_one_line(tmp_path, capsys, monkeypatch):
    from moto import mock_aws

    (tmp_path / "model.gguf").write_bytes(b"GGUF of another day")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_S3": "https://s3.eu-central-1.amazonaws.com",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        import boto3

        place = {"LocationConstraint": "eu-central-1"}
        store = boto3.client("s3", region_name="eu-central-1")
        store.create_bucket(Bucket="models", CreateBucketConfiguration=place)
        words = ["import", "--source", f"file://{tmp_path}", "--sha256", f"model.gguf={'a' * 64}"]
        assert cli.main([*words, "--to", "s3://models/m", "--license", "MIT"]) == 1
        assert "Contents" not in store.list_objects_v2(Bucket="models")
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and f"not {'a' * 64}; nothing was stored" in said
