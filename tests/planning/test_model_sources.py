"""Sources of models that a stack file may name."""

from io import StringIO

import pytest
from rich.console import Console
from tests.components.harness import build
from tests.deploy.test_platform import SECRETS, started
from tests.stacks.stack_files import GIB, parsed, planned, pool, problems

from corral.catalogue.models import models
from corral.stacks.config.errors import PlanErrors
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.model_sources import source_of
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.deploy.program import Platform
from corral.stacks.planning.planner import plan
from corral.stacks.reports.terminal.plan import render

WHOLE = {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["gpu-1"]}, "gpus-per-node": 8}


INTAKE = {"name": "intake", "url": "s3://intake", "endpoint": "https://minio.example.eu"}
BUCKET_FORM = "s3://BUCKET/PREFIX, without spaces, ?, # and .."


def lines(source: str, profile: str = "open", sources: list[dict] | None = None, **more) -> list[str]:
    asked = {"name": "chat", "model": "qwen3-8b", "source": source}
    region = "embedded" if profile == "open" else {"country": "DE", "site": "fra-1"}
    return problems(
        sovereignty={"profile": profile, "region": region},
        cluster={"kind": "existing"},
        gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
        models=[asked],
        model_sources=sources or [],
        **more,
    )


@pytest.mark.parametrize("source", ["s3://models/m", "oci://r.example/m:1", "hf://org/m", "package://m/1/x"])
def test_profile_open_imports_what_a_source_holds_and_the_plan_says_so(source: str):
    assert lines(source) == []
    served = planned(
        cluster={"kind": "existing"},
        gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
        models=[{"name": "chat", "model": "qwen3-8b", "source": source}],
    ).models[0]
    assert served.unlocked and served.files == ()


def test_a_folder_of_this_machine_is_no_source_of_a_cluster_elsewhere():
    (line,) = lines("file:///srv/m")
    assert line.startswith(
        "models[0].source: file:///srv/m: the import's pod has no folder of this machine: use s3"
    )


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("hf://org", "hf://ORGANISATION/NAME[@REVISION]"),
        ("hf://org/m/deeper", "hf://ORGANISATION/NAME[@REVISION]"),
        ("oci://r.example/m", "oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:DIGEST"),
        (
            "oci://r.example:5000/m",
            "oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:DIGEST",
        ),
        ("oci://r.example", "oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:DIGEST"),
        ("s3://In_take/m", BUCKET_FORM),
        ("s3://intake/m?versionId=3", BUCKET_FORM),
        ("s3://intake/m#one", BUCKET_FORM),
        ("s3://intake/a b", BUCKET_FORM),
        ("s3://intake/m ", BUCKET_FORM),
        ("s3://models/../m", BUCKET_FORM),
        ("s3://models/a/.", BUCKET_FORM),
        ("gs://x/m", BUCKET_FORM.replace("s3", "gs")),
        ("hf://../..", "hf://ORGANISATION/NAME[@REVISION]"),
        ("hf://Qwen/Qwen3-8B@refs/../main", "hf://ORGANISATION/NAME[@REVISION]"),
        ("hf://örg/m", "hf://ORGANISATION/NAME[@REVISION]"),
        ("file://srv/m", "file:///PATH"),
        ("package://m/1", "package://NAME/VERSION/PATH"),
    ],
)
def test_a_source_that_the_import_cannot_read_is_refused_by_the_plan(source: str, form: str):
    assert lines(source) == [f"models[0].source: {source}: use {form}"]


@pytest.mark.parametrize("source", ["s3://models/m", "oci://r.example/m:1"])
def test_every_other_profile_waits_for_the_lock(source: str):
    said = f"models[0].source: {source}: its files are not locked, as profile eu-resident needs"
    assert any(line.startswith(said) for line in lines(source, "eu-resident"))


def test_llama_cpp_waits_for_the_name_of_its_file_under_every_profile():
    config, _ = custom("ours.gguf")
    with pytest.raises(PlanErrors, match=r"llama\.cpp is given the name of a file, and none is locked"):
        plan(config, "test")


def test_a_bucket_that_the_deployed_store_has_not_is_refused_with_the_way_to_name_it():
    (line,) = lines("s3://intake/m")
    assert "the deployed store has bucket models alone: name s3://intake in model-sources" in line
    assert lines("s3://intake/m", sources=[INTAKE]) == []
    assert lines("s3://intake-2/m", sources=[INTAKE]), "another bucket that begins alike is another"


def test_an_existing_store_may_hold_other_buckets():
    store = {"kind": "existing", "endpoint": "https://s3.example.eu"}
    assert lines("s3://intake/m", model_storage=store) == []


def test_cloud_storage_needs_a_source_with_its_key():
    (line,) = lines("gs://ours/m")
    assert line == (
        "models[0].source: gs://ours/m: Cloud Storage is read with an HMAC key: name ours in model-sources, "
        "or use model-storage of kind gcs"
    )
    assert lines("gs://ours/m", sources=[{"name": "ours", "url": "gs://ours"}]) == []


@pytest.mark.parametrize(
    ("source", "url", "keys"),
    [
        ("s3://intake/m", "s3://intake", ("source-x-access-key", "source-x-secret-key")),
        ("gs://ours/m", "gs://ours", ("source-x-access-key", "source-x-secret-key")),
        ("oci://r.example/m:1", "oci://r.example", ("source-x-access-key", "source-x-secret-key")),
        ("hf://org/m", "hf://", ("source-x-token",)),
    ],
)
def test_the_plan_names_the_secrets_of_the_sources_in_use_and_of_no_other(
    source: str, url: str, keys: tuple[str, ...]
):
    entries = [{"name": "x", "url": url}, {"name": "unused", "url": "s3://unused"}]
    made = planned(
        cluster={"kind": "existing"},
        gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
        models=[{"name": "chat", "model": "qwen3-8b", "source": source}],
        model_sources=entries,
    )
    assert tuple(key for key in made.secrets_needed if key.startswith("source-")) == keys
    anonymous = [{**entries[0], "anonymous": True}]
    assert not [
        key
        for key in planned(
            cluster={"kind": "existing"},
            gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
            models=[{"name": "chat", "model": "qwen3-8b", "source": source}],
            model_sources=anonymous,
        ).secrets_needed
        if key.startswith("source-")
    ]


def test_the_longest_url_decides():
    sources = [INTAKE, {"name": "team", "url": "s3://intake/team"}]
    config = parsed(model_sources=sources)
    assert [source_of(uri, config.model_sources).name for uri in ("s3://intake/a", "s3://intake/team/a")] == [
        "intake",
        "team",
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"url": "ftp://intake"}, "model-sources[0].url: ftp://intake: use s3://BUCKET, gs://BUCKET"),
        ({"url": "hf://org"}, "model-sources[0].region: eu-central-1: a source hf:// has none"),
        ({"endpoint": "minio:9000"}, "model-sources[0].endpoint: minio:9000: use http(s)://host[:port]"),
        ({"secret-key": "x"}, "model-sources[0].secret-key: looks like a secret"),
        ({"name": "In Take"}, "model-sources[0].name: In Take: use 1 to 40"),
    ],
)
def test_a_wrong_source_is_one_line_with_what_is_allowed(change: dict, line: str):
    entry = {"name": "intake", "url": "s3://intake", "region": "eu-central-1", **change}
    (said,) = problems(model_sources=[entry])
    assert said.startswith(line)


def test_two_sources_of_one_name_or_url_are_refused():
    twice = [INTAKE, {**INTAKE, "name": "again"}]
    assert any("another entry has this URL" in line for line in problems(model_sources=twice))
    assert any("model-sources[1].name" in line for line in problems(model_sources=[INTAKE, INTAKE]))


def test_the_store_grows_with_its_models_and_a_size_that_is_too_small_is_refused_with_the_figure():
    changes = {
        "cluster": {"kind": "existing"},
        "gpu_pools": [{**pool(), **WHOLE, "sharing": "whole"}],
        "models": [{"name": "chat", "model": "llama-3.3-70b", "source": "s3://models/m"}],
    }
    store = planned(**changes).storage
    weights = models()["llama-3.3-70b"].weights
    assert store.size_gib * GIB > weights * 1.2
    (line,) = problems(**changes, model_storage={"size": "100Gi"})
    assert line.startswith("model-storage.size: 100Gi: the models are 131.4 GiB, which need 159Gi: ")
    assert problems(**changes, model_storage={"size": "158Gi"}) != []
    assert problems(**changes, model_storage={"size": "159Gi"}) == []
    assert planned().storage.size_gib == 50, "a small model leaves the default"


def test_a_lock_says_how_much_the_files_take():
    config, lock = custom("ours.gguf")
    big = LockedModel.model_validate(
        {
            **lock["chat"].model_dump(by_alias=True),
            "files": [{"name": "ours.gguf", "size": 200 * GIB, "sha256": "b" * 64}],
        }
    )
    assert plan(config, "test", {"chat": big}).storage.size_gib == 721


def test_the_store_has_room_for_what_stays_of_each_model_and_for_a_new_import():
    changes = {
        "cluster": {"kind": "existing"},
        "gpu_pools": [{**pool(), **WHOLE, "sharing": "whole"}],
        "models": [{"name": "chat", "model": "llama-3.3-70b", "source": "s3://models/m"}],
    }

    def store(**stated):
        return planned(**changes, model_storage=stated).storage

    weights = models()["llama-3.3-70b"].weights
    for stated, stay in (({}, 1), ({"previous-imports": 0}, 0), ({"previous-imports": 3}, 3)):
        made = store(**stated)
        assert made.previous_imports == stay
        assert 0 <= made.size_gib - (2 + stay) * weights * 1.2 / GIB - 1 <= 1
    elsewhere = {"kind": "existing", "endpoint": "https://s3.example.eu"}
    assert store(**elsewhere).previous_imports is None, "others may serve from it"
    assert store(**elsewhere, **{"previous-imports": 2}).previous_imports == 2
    (line,) = problems(**changes, model_storage={"previous-imports": -1})
    assert line.startswith("model-storage.previous-imports: -1")


def test_files_that_run_code_are_planned_under_profile_open_alone():
    source = "s3://models/m"
    lock = LockedModel.model_validate(
        {
            "source": source,
            "date": "2026-11-27",
            "files": [{"name": "pytorch_model.bin", "size": 16 << 30, "sha256": "b" * 64}],
        }
    )
    stack = {
        "cluster": {"kind": "existing"},
        "gpu_pools": [{**pool(), **WHOLE, "sharing": "whole"}],
        "models": [{"name": "chat", "model": "qwen3-8b", "source": source}],
    }
    (served,) = plan(parsed(**stack), "test", {"chat": lock}).models
    assert served.unsafe == ("pytorch_model.bin",)
    strict = parsed(
        **stack, sovereignty={"profile": "eu-resident", "region": {"country": "DE", "site": "fra-1"}}
    )
    with pytest.raises(PlanErrors) as refused:
        plan(strict, "test", {"chat": lock})
    said = f"models[0].source: {source}: pytorch_model.bin runs code where it is read: profile eu-resident"
    assert said in str(refused.value)


@pytest.mark.parametrize("source", ["pvc://claim/m", "ftp://host/m", "s3://", "just/words"])
def test_a_source_that_the_importer_cannot_read_is_refused_with_those_it_can(source: str):
    (line,) = lines(source)
    assert line.startswith(f"models[0].source: {source}: profile open allows s3://, gs://, oci://")
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
            "files": [{"name": "model.safetensors", "size": 16 * GIB, "sha256": "b" * 64}],
            **({} if revision is None else {"revision": revision}),
        }
    )
    models = [{"name": "chat", "model": "qwen3-8b", "source": source}]
    config = parsed(
        cluster={"kind": "existing"},
        gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
        models=models,
        model_sources=[INTAKE],
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
    source = "s3://models/in/ours"
    lock = LockedModel.model_validate(
        {
            "source": source,
            "date": "2026-11-27",
            "files": [{"name": name, "size": GIB, "sha256": "b" * 64} for name in files],
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


@pytest.mark.parametrize(("dimensions", "fine"), [(65536, True), (65537, False)])
def test_qdrant_takes_only_vectors_that_it_can_hold(dimensions: int, fine: bool):
    lines = problems(vector_db={"engine": "qdrant", "dimensions": dimensions})
    assert (lines == []) is fine
    assert fine or lines == [
        f"vector-db.dimensions: {dimensions}: a vector has 65536 at most in qdrant: use fewer"
    ]


def test_node_names_of_two_pools_never_make_one_resource(tmp_path, monkeypatch):
    started(tmp_path, monkeypatch)
    pools = [
        {**pool(), **WHOLE, "sharing": "whole", "name": "dc1", "nodes": {"names": ["rack1-n1"]}},
        {**pool(), **WHOLE, "sharing": "whole", "name": "dc1-rack1", "nodes": {"names": ["n1"]}},
    ]
    config = parsed(cluster={"kind": "existing"}, gpu_pools=pools, models=[])
    graph = build(lambda: Platform(plan(config, "dev")), secret_config=SECRETS, stack="dev")
    assert {one.name for one in graph.of("NodePatch")} == {"dc1/rack1-n1", "dc1-rack1/n1"}


@pytest.mark.parametrize("size", [1000, 7 * GIB])
def test_a_lock_whose_files_are_far_lighter_than_the_model_is_refused_with_both_figures(size: int):
    lock = LockedModel.model_validate(
        {
            "source": "s3://intake/m",
            "date": "2026-11-27",
            "files": [{"name": "model.safetensors", "size": size, "sha256": "b" * 64}],
        }
    )
    config = parsed(
        cluster={"kind": "existing"},
        gpu_pools=[{**pool(), **WHOLE, "sharing": "whole"}],
        models=[{"name": "chat", "model": "qwen3-8b", "source": "s3://intake/m"}],
        model_sources=[INTAKE],
    )
    with pytest.raises(PlanErrors) as refused:
        plan(config, "test", {"chat": lock})
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"models[0].source: s3://intake/m: its files are {size} bytes together")
    assert "15.3 GiB" in line and "corral lock --models --refresh" in line


def test_a_store_that_takes_no_new_import_beside_what_is_served_is_warned_of_with_the_figure():
    changes = {
        "cluster": {"kind": "existing"},
        "gpu_pools": [{**pool(), **WHOLE, "sharing": "whole"}],
        "models": [{"name": "chat", "model": "llama-3.3-70b", "source": "s3://models/m"}],
    }

    def shown(**store):
        out = StringIO()
        render(planned(**changes, model_storage=store), Console(file=out, width=300))
        return out.getvalue()

    ample = planned(**changes).storage.size_gib
    warned = shown(size="200Gi")
    assert "warning: the store has no room for previous-imports: 1 and a new import beside these" in warned
    assert f"use model-storage.size: {ample}Gi, or fewer" in warned
    assert "no room for" not in shown(size=f"{ample}Gi") and "no room for" not in shown()
