"""What of docs/tasks.md needs neither engine nor cluster runs, on stacks with the sections of its block."""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.docs_pages.tasks_page import NOT_RUN, ON_A_PLATFORM, block, sections
from tests.doubles.s3 import create_bucket, s3_client, s3_server
from tests.marks import first_of
from tests.stacks.stack_files import stack

ENDPOINT = "https://s3.example.eu"
RUN = re.compile(r"corral (plan|lint|lock --models)\b|cp |export ")
"""Lines that need neither engine nor cluster nor a public registry."""
SAYS = {
    "Add a GPU pool": "H100-80GB",
    "Upgrade a chart": "kserve",
    "Run it in CI": '"kind": "Plan"',
    "Add a second environment": "staging",
}
"""A word of what each block prints that has such lines."""
OWN, REMOVE = "Serve a model of my own from my S3", "Remove a model"
ADAPTER = "Serve a fine-tune as an adapter"
WEIGHTS = bytes(96 << 20)
"""As heavy as a model must at least be that is described so."""


def runnable(title: str) -> list[str]:
    return [line for line in block(title, "sh").splitlines() if RUN.match(line)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: corral\nruntime: python\n")
    return tmp_path


def write(project: Path, text: str) -> None:
    content = stack(**{"cluster": {"kind": "existing"}, **(yaml.safe_load(text) or {})})
    settings = {"config": {"corral:platform": content}}
    (project / "Pulumi.mine.yaml").write_text(yaml.safe_dump(settings))


def run(project: Path, lines: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(project / "nobody"),
        "CORRAL_HOME": str(project / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        **variables,
    }
    return subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def done(project: Path, lines: list[str], **variables: str) -> str:
    made = run(project, lines, **variables)
    assert made.returncode == 0, made.stdout[-1500:] + made.stderr
    return made.stdout


def test_the_blocks_that_run_here_are_all_that_can():
    assert {title for title in sections() if runnable(title)} == {OWN, REMOVE, ADAPTER, *SAYS}


def test_every_command_of_the_page_is_run_or_it_is_said_why_not():
    commands = {(title, one) for title in sections() for one in block(title, "sh").splitlines() if one}
    on_a_platform = {
        (title, one)
        for title, one in commands
        if any(title == where and one.startswith(start) for where, start in ON_A_PLATFORM)
    }
    left = {one for title, one in commands - on_a_platform if not RUN.match(one)}
    assert [one for one in sorted(left) if not one.startswith(tuple(NOT_RUN))] == []
    assert [start for start in NOT_RUN if not any(one.startswith(start) for one in left)] == []
    assert len(on_a_platform) == len(ON_A_PLATFORM)


@pytest.mark.parametrize("title", first_of(SAYS))
def test_a_block_of_commands_runs(project, title):
    write(project, block(title, "yaml"))
    assert SAYS[title] in done(project, runnable(title))


@pytest.mark.exhaustive
def test_a_model_of_my_own_is_locked_from_my_s3_planned_and_removed(project):
    lock = project / "models.mine.lock.yaml"
    with s3_server() as url:
        store = s3_client(url)
        create_bucket(store, "intake")
        store.put_object(Bucket="intake", Key="ours/ours.gguf", Body=WEIGHTS)
        own = block(OWN, "yaml").replace(ENDPOINT, url)
        write(project, own)
        (export,) = (line for line in runnable(OWN) if line.startswith("export "))
        keys = dict.fromkeys((word.partition("=")[0] for word in shlex.split(export)[1:]), "owner")
        lines = [line for line in runnable(OWN) if line != export]
        assert "assistant" in done(project, lines, **keys)
    locked = yaml.safe_load(lock.read_text())["models"]["assistant"]
    assert [one["sha256"] for one in locked["files"]] == [hashlib.sha256(WEIGHTS).hexdigest()]
    write(project, yaml.safe_dump({**yaml.safe_load(own), "models": []}))
    done(project, runnable(REMOVE))
    assert "assistant" not in lock.read_text()


@pytest.mark.exhaustive
def test_an_adapter_is_locked_from_my_s3_and_planned_beside_its_model(project):
    tiny = {
        **{
            "task": "chat",
            "license": "MIT",
            "dtype": "bf16",
            "weights-bytes": 100_000,
            "layers": 2,
            "hidden": 64,
        },
        **{"intermediate": 64, "vocabulary": 100, "context": 128},
        "attention": {"kind": "gqa", "heads": 1, "kv-heads": 1, "head-dim": 64},
    }
    configuration = {"peft_type": "LORA", "r": 24, "target_modules": ["q_proj", "v_proj"], "bias": "none"}
    with s3_server() as url:
        store = s3_client(url)
        create_bucket(store, "intake")
        for key, body in (
            ("tiny/model.safetensors", bytes(100_000)),
            ("sql-adapter/adapter_config.json", json.dumps(configuration).encode()),
            ("sql-adapter/adapter_model.safetensors", b"factors"),
            ("sql-adapter/training_args.bin", b"a pickle"),
        ):
            store.put_object(Bucket="intake", Key=key, Body=body)
        # A model of the catalogue weighs gigabytes.
        own = block(ADAPTER, "yaml").replace(ENDPOINT, url).replace("hf://Qwen/Qwen3-4B", "s3://intake/tiny")
        content = yaml.safe_load(own.replace("qwen3-4b", "tiny"))
        write(project, yaml.safe_dump({**content, "custom-models": {"tiny": tiny}}))
        keys = dict.fromkeys(("CORRAL_SOURCE_INTAKE_ACCESS_KEY", "CORRAL_SOURCE_INTAKE_SECRET_KEY"), "owner")
        said = done(project, runnable(ADAPTER), **keys)
    assert "chat: 1 of 1 on the GPU at the same time" in said
    locked = yaml.safe_load((project / "models.mine.lock.yaml").read_text())["models"]["sql"]
    assert [one["name"] for one in locked["files"]] == ["adapter_config.json", "adapter_model.safetensors"]
    assert locked["lora"] == {"rank": 24, "target-modules": ["q_proj", "v_proj"]}


@pytest.mark.exhaustive
def test_a_check_in_ci_fails_where_a_model_is_not_locked(project):
    write(project, block(OWN, "yaml"))
    check = next(line for line in runnable("Run it in CI") if "--check" in line)
    assert run(project, [check]).returncode == 1
