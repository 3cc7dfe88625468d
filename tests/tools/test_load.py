"""What a serving pod reads from the store: every file as it was imported, or none."""

import hashlib
import json
import threading
import time
from pathlib import Path

import pytest
from tests.doubles.servers import Handler, listening

from corral.tools.__main__ import main

FILES = {"model.gguf": b"GGUF" + bytes(range(256)) * 64, "sub/config.json": b"{}"}
SUMS = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
STATED = [word for name, digest in SUMS.items() for word in ("--sha256", f"{name}={digest}")]


@pytest.fixture
def stored(store, bucket, tmp_path) -> str:
    """The model in the bucket, as an import left it."""
    source = tmp_path / "source"
    for name, content in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)
    order = ["import", "--source", f"file://{source}", "--to", f"s3://{bucket}/m", "--license", "MIT"]
    assert main([*order, *STATED]) == 0
    return bucket


def load(bucket: str, target: Path, *more: str) -> int:
    return main(["load", "--from", f"s3://{bucket}/m", "--to", str(target), *more])


def flip(store, bucket: str, name: str) -> None:
    content = bytearray(FILES[name])
    content[len(content) // 2] ^= 0xFF
    store.put_object(Bucket=bucket, Key=f"m/{name}", Body=bytes(content))


@pytest.mark.parametrize("stated", [STATED, []], ids=["by its sums", "by the manifest"])
def test_every_file_arrives_as_it_was_imported(stored, tmp_path, stated):
    assert load(stored, tmp_path / "pod", *stated) == 0
    for name, content in FILES.items():
        assert (tmp_path / "pod" / name).read_bytes() == content


@pytest.mark.parametrize("stated", [STATED, []], ids=["by its sums", "by the manifest"])
def test_one_changed_byte_is_one_line_and_the_file_is_not_left_for_the_server(
    store, stored, tmp_path, capsys, stated
):
    flip(store, stored, "model.gguf")
    capsys.readouterr()
    assert load(stored, tmp_path / "pod", *stated) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and SUMS["model.gguf"] in said and "changed after its import" in said
    assert not (tmp_path / "pod" / "model.gguf").exists()


def test_a_restarted_pod_reads_again_only_what_it_lacks(store, stored, tmp_path):
    assert load(stored, tmp_path / "pod", *STATED) == 0
    store.delete_object(Bucket=stored, Key="m/model.gguf")
    assert load(stored, tmp_path / "pod", *STATED) == 0
    (tmp_path / "pod" / "model.gguf").write_bytes(b"half")
    assert load(stored, tmp_path / "pod", *STATED) == 1


def test_a_model_whose_import_has_not_ended_is_not_served(store, stored, tmp_path, capsys):
    store.delete_object(Bucket=stored, Key="m/manifest.json")
    assert load(stored, tmp_path / "pod") == 1
    assert "has no manifest.json" in capsys.readouterr().err


def test_a_missing_file_is_named(store, stored, tmp_path, capsys):
    store.delete_object(Bucket=stored, Key="m/model.gguf")
    assert load(stored, tmp_path / "pod", *STATED) == 1
    assert "model.gguf in s3://" in capsys.readouterr().err


class Agent(Handler):
    """An agent that gives credentials to whoever shows the token of a pod."""

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == "of this pod"
        credentials = {
            "AccessKeyId": "ASIATESTING",
            "SecretAccessKey": "testing",
            "Token": "session",
            "Expiration": "2099-01-01T00:00:00Z",
        }
        self.answer(200 if known else 403, json.dumps(credentials if known else {}).encode())


def test_a_pod_with_an_identity_of_its_own_needs_no_key(stored, tmp_path, monkeypatch, capsys):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    assert load(stored, tmp_path / "without") == 1
    assert "the environment lacks AWS_ACCESS_KEY_ID" in capsys.readouterr().err
    token = tmp_path / "token"
    token.write_text("of this pod")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token))
    with listening(Agent) as address:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{address}/v1/credentials")
        assert load(stored, tmp_path / "pod") == 0
    assert (tmp_path / "pod" / "sub/config.json").read_bytes() == b"{}"


def test_kserve_names_source_and_folder_by_position(stored, tmp_path):
    assert main(["fetch", f"s3://{stored}/m", str(tmp_path / "node")]) == 0
    for name, content in FILES.items():
        assert (tmp_path / "node" / name).read_bytes() == content


def test_a_pod_waits_for_what_its_node_is_about_to_have_and_writes_nothing(stored, tmp_path):
    folder = tmp_path / "node"
    (folder / "sub").mkdir(parents=True)
    (folder / "model.gguf").write_bytes(FILES["model.gguf"][:100])

    def arrives() -> None:
        for name, content in FILES.items():
            (folder / name).write_bytes(content)

    later = threading.Timer(1.5, arrives)
    later.start()
    began = time.monotonic()
    assert load(stored, folder, "--wait", "30", *STATED) == 0
    assert time.monotonic() - began > 1
    later.join()


def test_what_a_node_keeps_and_is_not_what_was_imported_is_never_served(stored, tmp_path, capsys):
    folder = tmp_path / "node"
    assert load(stored, folder, *STATED) == 0
    (folder / "model.gguf").write_bytes(b"another")
    capsys.readouterr()
    assert load(stored, folder, "--wait", "1", *STATED) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and SUMS["model.gguf"] in said and "localmodelcaches" in said
    assert (folder / "model.gguf").read_bytes() == b"another", "it belongs to the node"


def test_a_file_that_never_comes_is_named_and_no_folder_is_made(stored, tmp_path, capsys):
    assert load(stored, tmp_path / "node", "--wait", "0", *STATED) == 1
    assert "is not there" in capsys.readouterr().err and not (tmp_path / "node").exists()
