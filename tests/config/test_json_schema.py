"""JSON Schema and table of keys: fresh, and as strict as the reader."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.stacks.stack_files import ROOT, model, stack

from corral.stacks.config import json_schema as schema


@pytest.fixture(scope="module")
def validator() -> Any:
    content = json.loads((ROOT / "schema" / "stack.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_every_stack_file_satisfies_the_schema_and_names_it(path: Path, validator: Any):
    validator.validate(yaml.safe_load(path.read_text()))
    assert path.read_text().startswith("# yaml-language-server: $schema=schema/stack.schema.json\n")


def test_the_schema_allows_what_pulumi_writes(validator: Any):
    content = {
        "secretsprovider": "passphrase",
        "encryptionsalt": "v1:abc",
        "config": {
            "corral:platform": stack(),
            "corral:grafana-password": {"secure": "v1:xyz"},
            "kubernetes:context": "x",
        },
    }
    validator.validate(content)


@pytest.mark.parametrize(
    "change",
    [
        {"corral:platform": stack(modles=[])},
        {"corral:platform": stack(models=[model(replicas=0)])},
        {"corral:platform": stack(models=[model(model="lama")])},
        {"corral:platform": stack(custom_models={"ours": {"task": "chat", "license": "MIT", "layer": 3}})},
        {"corral:platform": stack(model_storage={"size": "50GB"})},
        {"corral:platform": stack(addons={"kservee": "off"})},
        {"corral:grafana-password": "plain"},
        {"corral:unknown": 1},
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(change: dict[str, Any], validator: Any):
    content = {"config": {"corral:platform": stack(), **change}}
    assert list(validator.iter_errors(content))


def test_every_key_of_the_model_has_a_meaning_in_the_table():
    rows = [line for line in schema.table().splitlines() if line.startswith("| `")]
    assert len(rows) > 40
    assert not [row for row in rows if row.rstrip(" |").endswith("|") or row.endswith("|  |")]
