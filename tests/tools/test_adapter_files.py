"""Arguments of an adapter's import and of what loads it into a pod, carried out by the tools themselves."""

import hashlib
import json
from pathlib import Path

import pytest
from tests.components.test_model import STORE, model, predictor
from tests.components.test_model_adapters import ON_VLLM

from corral.tools.__main__ import main

FILES = {"adapter_config.json": b'{"r": 16}', "adapter_model.safetensors": bytes(range(256)) * 64}


@pytest.fixture
def orders(bucket: str, tmp_path: Path) -> tuple[list[str], list[str]]:
    """Arguments of the import, and of the init container, whose folder is one of this test."""
    source = tmp_path / "source"
    source.mkdir()
    for name, content in FILES.items():
        (source / name).write_bytes(content)
    files = [{"name": name, "sha256": hashlib.sha256(one).hexdigest()} for name, one in FILES.items()]
    adapter = {"name": "sql", "source": f"file://{source}", "files": files, "license": "MIT", "path": "sql-1"}
    graph = model(**ON_VLLM, adapters=[adapter], store={**STORE, "bucket": bucket})
    (container,) = graph.one("Job", "tiny-sql-import").inputs["spec"]["template"]["spec"]["containers"]
    _, loader = predictor(graph)["initContainers"]
    pod = str(tmp_path / "adapters" / "sql")
    return container["args"], [pod if one == "/mnt/adapters/sql" else one for one in loader["args"]]


def test_an_adapter_arrives_in_its_folder_as_it_was_locked(store, bucket, orders, tmp_path):
    brought, loaded = orders
    assert main(brought) == 0
    bill = json.loads(store.get_object(Bucket=bucket, Key="sql-1/bom.cdx.json")["Body"].read())
    assert "MIT" in json.dumps(bill), "the licence is in the bill beside the files"
    assert main(loaded) == 0
    folder = tmp_path / "adapters" / "sql"
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == FILES


def test_an_adapter_that_was_changed_in_the_store_is_not_left_for_the_engine(
    store, bucket, orders, tmp_path, capsys
):
    brought, loaded = orders
    assert main(brought) == 0
    store.put_object(Bucket=bucket, Key="sql-1/adapter_model.safetensors", Body=b"other factors")
    assert main(loaded) == 1
    assert "changed after its import, and is not served" in capsys.readouterr().err
    assert not (tmp_path / "adapters" / "sql" / "adapter_model.safetensors").exists()


def test_an_adapter_that_is_not_the_locked_one_is_not_imported(store, bucket, orders, tmp_path):
    brought, _ = orders
    (tmp_path / "source" / "adapter_model.safetensors").write_bytes(b"other factors")
    assert main(brought) == 1
    assert store.list_objects_v2(Bucket=bucket).get("KeyCount") == 0
