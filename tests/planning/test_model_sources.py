"""Sources of models that a stack file may name."""

import pytest
from tests.components.harness import build
from tests.deploy.test_platform import SECRETS, started
from tests.stacks.stack_files import parsed, pool, problems

from corral.stacks.config.errors import PlanErrors
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.deploy.program import Platform
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


CUSTOM = {
    "task": "chat",
    "license": "MIT",
    "engine": "llama.cpp",
    "dtype": "Q4_1",
    "parameters": 1.5,
    "layers": 20,
    "hidden": 1024,
    "intermediate": 4096,
    "attention": {"kind": "gqa", "heads": 16, "kv-heads": 4, "head-dim": 64},
    "vocabulary": 32000,
    "context": 4096,
}


def custom(*files: str) -> tuple[StackConfig, dict[str, LockedModel]]:
    source = "s3://models-in/ours"
    lock = LockedModel.model_validate(
        {
            "source": source,
            "date": "2026-11-27",
            "files": [{"name": name, "size": 1, "sha256": "b" * 64} for name in files],
        }
    )
    config = parsed(
        cluster={"kind": "existing"},
        gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
        custom_models={"ours": CUSTOM},
        models=[{"name": "chat", "model": "ours", "source": source}],
    )
    return config, {"chat": lock}


def test_a_model_of_one_s_own_for_llama_cpp_is_served_from_the_gguf_file_that_its_lock_has():
    config, lock = custom("ours-q4.gguf", "config.json")
    (served,) = plan(config, "test", lock).models
    assert "/mnt/models/ours-q4.gguf" in served.args


def test_a_model_in_several_parts_is_served_from_its_first():
    config, lock = custom("m-00002-of-00002.gguf", "m-00001-of-00002.gguf")
    assert "/mnt/models/m-00001-of-00002.gguf" in plan(config, "test", lock).models[0].args


@pytest.mark.parametrize("files", [("model.safetensors",), ("q4.gguf", "q8.gguf")])
def test_a_source_without_one_gguf_model_is_refused_for_llama_cpp(files: tuple[str, ...]):
    config, lock = custom(*files)
    with pytest.raises(PlanErrors, match=r"models\[0\]\.source: .*: llama.cpp serves one model"):
        plan(config, "test", lock)


@pytest.mark.parametrize(("dimensions", "fine"), [(4000, True), (4001, False), (100_000, False)])
def test_pgvector_takes_only_vectors_that_it_can_index(dimensions: int, fine: bool):
    lines = problems(vector_db={"engine": "pgvector", "dimensions": dimensions})
    assert (lines == []) is fine
    assert fine or lines[0].startswith(f"vector-db.dimensions: {dimensions}: pgvector indexes 4000 at most")


def test_node_names_of_two_pools_never_make_one_resource(tmp_path, monkeypatch):
    started(tmp_path, monkeypatch)
    pools = [
        {**pool(), **WHOLE, "sharing": "whole", "name": "dc1", "nodes": {"names": ["rack1-n1"]}},
        {**pool(), **WHOLE, "sharing": "whole", "name": "dc1-rack1", "nodes": {"names": ["n1"]}},
    ]
    config = parsed(cluster={"kind": "existing"}, gpu_pools=pools, models=[])
    graph = build(lambda: Platform(plan(config, "dev")), secret_config=SECRETS, stack="dev")
    assert {one.name for one in graph.of("NodePatch")} == {"dc1/rack1-n1", "dc1-rack1/n1"}
