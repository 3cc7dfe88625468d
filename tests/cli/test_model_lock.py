"""`corral lock --models` on a stack of one's own."""

import hashlib
from pathlib import Path

import pytest
import yaml

from corral.cli import main as cli
from corral.stacks.config.errors import ConfigErrors
from corral.stacks.config.model_lock import lock_path, read_lock

STACK = {
    "sovereignty": {"profile": "open", "region": "embedded"},
    "cluster": {"kind": "existing"},
    "gpu-pools": [
        {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["gpu-1"]}, "gpus-per-node": 8},
    ],
    "custom-models": {
        "tiny": {
            "task": "chat",
            "license": "MIT",
            "dtype": "bf16",
            "weights-bytes": 7,
            "layers": 1,
            "hidden": 64,
            "intermediate": 64,
            "vocabulary": 100,
            "context": 128,
            "attention": {"kind": "gqa", "heads": 1, "kv-heads": 1, "head-dim": 64},
        }
    },
}


OUTSIDE = (
    "models: {chat: {source: x, date: 2026-11-27, files: [{name: ../a, size: 1, sha256: '"
    + "a" * 64
    + "'}]}}"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "weights"
    place.mkdir()
    (place / "model.safetensors").write_bytes(b"weights")
    (place / "README.md").write_bytes(b"read me")
    return place


@pytest.fixture
def stack_file(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    monkeypatch.chdir(project)
    path = project / "Pulumi.mine.yaml"
    write(path, [{"name": "chat", "model": "tiny", "source": f"file://{folder}"}])
    return path


def write(path: Path, models: list[dict[str, object]]) -> None:
    path.write_text(yaml.safe_dump({"config": {"corral:platform": {**STACK, "models": models}}}))


def lock(*more: str) -> int:
    try:
        return cli.main(["lock", "--models", "-s", "mine", *more])
    except SystemExit as stopped:
        return int(stopped.code or 0)


def test_the_lock_has_every_file_that_an_engine_reads_with_size_and_hash(stack_file: Path):
    assert lock() == 0
    locked = read_lock(stack_file)["chat"]
    digest = hashlib.sha256(b"weights").hexdigest()
    assert [(one.name, one.size, one.sha256) for one in locked.files] == [("model.safetensors", 7, digest)]
    assert locked.source.startswith("file:///")


def test_a_second_lock_changes_nothing_and_another_source_is_read_again(stack_file: Path, folder: Path):
    assert lock() == 0
    first = lock_path(stack_file).read_text()
    (folder / "model.safetensors").write_bytes(b"other")
    assert lock() == 0
    assert lock_path(stack_file).read_text() == first, "what is locked is not read again unasked"
    assert lock("--refresh") == 0
    assert lock_path(stack_file).read_text() != first


def test_a_model_that_takes_the_source_of_its_canary_has_the_files_that_were_locked_for_it(
    stack_file: Path, folder: Path, capsys: pytest.CaptureFixture[str]
):
    now = {"name": "chat", "model": "tiny", "source": "file:///nowhere/at/all"}
    (folder / "model.safetensors").write_bytes(b"evaluated")
    write(stack_file, [{**now, "canary": {"source": f"file://{folder}", "weight": 0}}])
    assert lock() == 1, "the model's own source is not there"
    evaluated = read_lock(stack_file)["chat-canary"]
    (folder / "model.safetensors").write_bytes(b"one that came since")
    write(stack_file, [{**now, "source": f"file://{folder}"}])
    assert lock() == 0
    assert read_lock(stack_file) == {"chat": evaluated}
    assert f"chat: file://{folder} is locked for chat-canary, and taken over" in capsys.readouterr().err
    assert lock("--check", "--refresh") == 1, "the source has moved on, which is said"
    assert lock("--refresh") == 0
    assert read_lock(stack_file)["chat"].files != evaluated.files


def test_check_writes_nothing_and_fails_until_everything_is_locked(stack_file: Path, capsys):
    assert lock("--check") == 1
    assert not lock_path(stack_file).exists()
    assert "chat: file://" in capsys.readouterr().err
    assert lock() == 0
    assert lock("--check") == 0


def test_a_source_that_fails_is_one_line_and_loses_no_other_model(stack_file: Path, folder: Path, capsys):
    models = [
        {"name": "gone", "model": "tiny", "source": "file:///nowhere/at/all"},
        {"name": "chat", "model": "tiny", "source": f"file://{folder}"},
    ]
    write(stack_file, models)
    assert lock() == 1
    assert set(read_lock(stack_file)) == {"chat"}
    assert "gone: file:///nowhere/at/all: no file there" in capsys.readouterr().err


def test_files_far_lighter_than_the_model_are_not_locked(stack_file: Path, folder: Path, capsys):
    write(stack_file, [{"name": "chat", "model": "qwen3-8b", "source": f"file://{folder}"}])
    assert lock() == 1
    assert read_lock(stack_file) == {}
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "bytes together" in line]
    assert line.startswith(f"chat: file://{folder}: its files are 7 bytes together") and "15.3 GiB" in line


def test_a_model_that_is_taken_out_leaves_the_lock(stack_file: Path):
    assert lock() == 0
    write(stack_file, [])
    assert lock() == 0
    assert read_lock(stack_file) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("models: [", "is no YAML"),
        ("models: {chat: {source: x}}", "not as written"),
        ("models: !!timestamp abc", "is no YAML"),
        ("models: {chat: {source: x, date: 2026-13-45}}", "is no YAML"),
        (OUTSIDE, "models.chat.files.0.name: not as written"),
        ("{a: 1}", "not as written"),
    ],
)
def test_a_lock_that_somebody_broke_says_so_and_what_to_do(stack_file: Path, content: str, message: str):
    lock_path(stack_file).write_text(content)
    with pytest.raises(ConfigErrors, match=f"{message}.*corral lock --models|{message}"):
        read_lock(stack_file)


def test_a_check_with_refresh_fails_where_a_locked_source_has_changed_and_writes_nothing(
    stack_file: Path, folder: Path, capsys: pytest.CaptureFixture[str]
):
    assert lock() == 0
    first = lock_path(stack_file).read_text()
    assert lock("--check", "--refresh") == 0
    (folder / "model.safetensors").write_bytes(b"another")
    assert lock("--check") == 0, "without --refresh no source is read"
    assert lock("--check", "--refresh") == 1
    assert "chat: file://" in (said := "".join(capsys.readouterr())) and "has changed since" in said
    assert lock_path(stack_file).read_text() == first
    (folder / "model.safetensors").unlink()
    assert lock("--check", "--refresh") == 1, "a source that cannot be read is no unchanged one"
