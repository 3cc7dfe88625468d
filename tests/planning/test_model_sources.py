"""Sources of models that a stack file may name."""

import pytest
from tests.stacks.stack_files import parsed, pool, problems

from corral.stacks.config.model_lock import LockedModel
from corral.stacks.planning.planner import plan

WHOLE = {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["gpu-1"]}, "gpus-per-node": 8}


def lines(source: str, profile: str = "open") -> list[str]:
    asked = {"name": "chat", "model": "qwen3-8b", "source": source}
    region = "embedded" if profile == "open" else "eu-central-1"
    return problems(
        sovereignty={"profile": profile, "region": region},
        cluster={"kind": "existing"},
        gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
        models=[asked],
    )


@pytest.mark.parametrize(
    "source", ["s3://b/m", "oci://r.example/m:1", "hf://org/m", "file:///m", "package://m/1/x"]
)
def test_a_source_that_the_importer_reads_waits_for_its_lock_alone(source: str):
    assert lines(source) == [
        f"models[0].source: {source}: its files are not locked: run corral lock --models"
    ]


@pytest.mark.parametrize("source", ["pvc://claim/m", "gs://b/m", "ftp://host/m", "s3://", "just/words"])
def test_a_source_that_the_importer_cannot_read_is_refused_with_those_it_can(source: str):
    (line,) = lines(source)
    assert line.startswith(f"models[0].source: {source}: profile open allows s3://, oci://")
    assert "pvc" not in line.partition("allows")[2]


@pytest.mark.parametrize(
    ("source", "revision", "read"),
    [
        ("hf://org/m", "c" * 40, f"hf://org/m@{'c' * 40}"),
        ("hf://org/m@v1", "c" * 40, "hf://org/m@v1"),
        ("oci://r.example:5000/m:1", f"sha256:{'d' * 64}", f"oci://r.example:5000/m@sha256:{'d' * 64}"),
        ("s3://intake/m", None, "s3://intake/m"),
    ],
)
def test_an_import_reads_what_was_locked_though_a_branch_or_tag_moves(
    source: str, revision: str | None, read: str
):
    lock = LockedModel.model_validate(
        {
            "source": source,
            "date": "2026-11-27",
            "files": [{"name": "model.safetensors", "size": 1, "sha256": "b" * 64}],
            **({} if revision is None else {"revision": revision}),
        }
    )
    models = [{"name": "chat", "model": "qwen3-8b", "source": source}]
    config = parsed(
        cluster={"kind": "existing"}, gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}], models=models
    )
    (served,) = plan(config, "test", {"chat": lock}).models
    assert served.source == read
    assert [file.name for file in served.files] == ["model.safetensors"]
