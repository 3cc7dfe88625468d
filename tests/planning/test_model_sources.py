"""Sources of models that a stack file may name."""

import pytest
from tests.stacks.stack_files import pool, problems

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
    "source", ["s3://b/m", "gs://b/m", "oci://r.example/m:1", "hf://org/m", "file:///m", "package://m/1/x"]
)
def test_a_source_that_the_importer_reads_waits_for_its_lock_alone(source: str):
    assert lines(source) == [
        f"models[0].source: {source}: its files are not locked: run corral lock --models"
    ]


@pytest.mark.parametrize("source", ["pvc://claim/m", "ftp://host/m", "s3://", "just/words"])
def test_a_source_that_the_importer_cannot_read_is_refused_with_those_it_can(source: str):
    (line,) = lines(source)
    assert line.startswith(f"models[0].source: {source}: profile open allows s3://, gs://, oci://")
    assert "pvc" not in line.partition("allows")[2]
