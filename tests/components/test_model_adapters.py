"""LoRA adapters of a model: imported, verified and mounted as its own files are, and served by name."""

import json

import pytest
from tests.components.harness import build
from tests.components.test_model import SLICE, STORE, SUM, model, predictor

from corral.components._kit import ArgsError
from corral.components.model import Model

ADAPTER_FILES = [
    {"name": "adapter_config.json", "sha256": "cd" * 32, "size": 200},
    {"name": "adapter_model.safetensors", "sha256": "ef" * 32, "size": 3 << 30},
]
SQL = {
    "name": "sql",
    "source": "s3://intake/sql",
    "source_access": {"endpoint": "https://s3.example.eu", "access_key": "k", "secret_key": "canary-source"},
    "files": ADAPTER_FILES,
    "license": "MIT",
    "path": "sql-0a1b2c3d",
}
ON_VLLM = {"engine": "vllm", "runtime": "corral-vllm", "arguments": ["--max-lora-rank", "32"]}


def test_an_adapter_is_imported_by_a_job_of_its_own_from_its_own_source():
    graph = model(**ON_VLLM, adapters=[SQL])
    job = graph.one("Job", "tiny-sql-import")
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    said = container["args"]
    assert said[said.index("--source") + 1] == "s3://intake/sql"
    assert said[said.index("--license") + 1] == "MIT"
    assert f"adapter_config.json={'cd' * 32}" in said and "--allow-unsafe" not in said
    assert said[said.index("--to") + 1] == "s3://models/sql-0a1b2c3d"
    assert job.object_name.startswith("import-sql-") and job.namespace == "model-storage"
    keys = {one["name"]: one for one in container["env"]}
    opened = keys["SOURCE_AWS_SECRET_ACCESS_KEY"]["valueFrom"]["secretKeyRef"]["name"]
    assert opened == "import-tiny-sql-source" and "canary-source" not in json.dumps(job.inputs)


def test_a_pod_verifies_an_adapter_before_its_engine_reads_it_and_writes_nothing_there():
    graph = model(**ON_VLLM, adapters=[SQL])
    spec = predictor(graph)
    own, adapter = spec["initContainers"]
    assert own["name"] == "storage-initializer" and adapter["name"] == "adapter-sql"
    assert adapter["args"][:5] == ["load", "--from", "s3://models/sql-0a1b2c3d", "--to", "/mnt/adapters/sql"]
    assert f"adapter_model.safetensors={'ef' * 32}" in adapter["args"]
    volumes = {one["name"]: one for one in spec["volumes"]}
    assert volumes["adapter-files"]["emptyDir"] == {"sizeLimit": "5Gi"}
    mounts = {one["mountPath"]: one for one in spec["model"]["volumeMounts"]}
    assert mounts["/mnt/adapters"] == {
        "name": "adapter-files",
        "mountPath": "/mnt/adapters",
        "readOnly": True,
    }
    assert adapter["volumeMounts"] == [{"name": "adapter-files", "mountPath": "/mnt/adapters"}]
    waited = {urn.rpartition("::")[2] for urn in graph.before(graph.one("InferenceService"))}
    assert {"tiny-import", "tiny-sql-import"} <= waited


def test_the_engine_is_told_of_adapters_that_its_arguments_leave_out():
    args = predictor(model(**ON_VLLM, adapters=[SQL]))["model"]["args"]
    place = args.index("--lora-modules")
    assert args[place + 1] == "sql=/mnt/adapters/sql" and "--enable-lora" in args
    stated = ["--enable-lora", "--lora-modules", "sql=/mnt/adapters/sql", "--max-loras", "1"]
    told = predictor(model(**{**ON_VLLM, "arguments": stated}, adapters=[SQL]))["model"]["args"]
    assert told.count("--lora-modules") == told.count("--enable-lora") == 1


def test_two_models_with_one_adapter_import_it_by_a_job_each():
    """A canary has the adapters of its model."""
    args = {**ON_VLLM, "adapters": [SQL]}
    first = model(**args).one("Job", "tiny-sql-import").object_name

    def other() -> None:
        whole = {
            **{"namespace": "team", "claim": SLICE, "supply": {}, "store": STORE, "license": "Apache-2.0"},
            **{"source": "s3://models/m", "files": [{"name": "m.safetensors", "sha256": SUM}], **args},
        }
        Model("tiny-canary", whole)  # pyright: ignore[reportArgumentType]

    assert build(other).one("Job", "tiny-canary-sql-import").object_name != first


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"engine": "llama.cpp", "runtime": "corral-llamacpp"},
            "tiny.adapters: llama.cpp serves none by name",
        ),
        ({"adapters": [SQL, SQL]}, r"tiny.adapters\[1\].name: 'sql' stands twice"),
        ({"adapters": [{**SQL, "name": "tiny"}]}, r"tiny.adapters\[0\].name: 'tiny' stands twice"),
        ({"adapters": [{**SQL, "name": "a" * 41}]}, "is too long; use 40 characters at most"),
        ({"adapters": [{**SQL, "name": "a=/etc"}]}, r"adapters\[0\].name"),
        ({"adapters": [{**SQL, "files": []}]}, r"tiny.adapters\[0\]: 'files' is missing"),
        ({"adapters": [{"name": "sql", "unlocked": True}]}, r"tiny.adapters\[0\]: 'source' is missing"),
    ],
)
def test_adapters_that_nothing_can_serve_are_refused(change, line):
    with pytest.raises(ArgsError, match=line):
        model(**{**ON_VLLM, "adapters": [SQL], **change})
