"""`corral lock --models` on a model with adapters."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_model_lock import folder, lock, stack_file, write

from corral.stacks.config.adapter_config import lora_of
from corral.stacks.config.model_lock import read_lock

__all__ = ["folder", "stack_file"]

PLAIN: dict[str, Any] = {
    "peft_type": "LORA",
    "r": 16,
    "lora_alpha": 32,
    "target_modules": ["v_proj", "q_proj"],
    "bias": "none",
    "modules_to_save": None,
    "use_dora": False,
}


@pytest.fixture
def adapter(tmp_path: Path, stack_file: Path, folder: Path) -> Path:
    place = tmp_path / "sql"
    place.mkdir()
    (place / "adapter_config.json").write_text(json.dumps(PLAIN))
    (place / "adapter_model.safetensors").write_bytes(b"factors")
    (place / "README.md").write_bytes(b"read me")
    (place / "tokenizer.json").write_bytes(b"{}")
    (place / "training_args.bin").write_bytes(b"a pickle")
    model = {"name": "chat", "model": "tiny", "source": f"file://{folder}"}
    write(stack_file, [{**model, "adapters": [{"name": "sql", "source": f"file://{place}"}]}])
    return place


def test_an_adapter_is_locked_beside_its_model_with_what_its_engine_reads_alone(
    stack_file: Path, adapter: Path
):
    assert lock("--check") == 1
    assert lock() == 0 and lock("--check") == 0
    known = read_lock(stack_file)
    assert known.keys() == {"chat", "sql"} and known["chat"].lora is None
    sums = {one.name: one.sha256 for one in known["sql"].files}
    assert sums == {
        name: hashlib.sha256((adapter / name).read_bytes()).hexdigest()
        for name in ("adapter_config.json", "adapter_model.safetensors")
    }
    lora = known["sql"].lora
    assert lora is not None and (lora.rank, lora.target_modules) == (16, ("q_proj", "v_proj"))


def test_another_configuration_is_noticed_and_read_again(stack_file: Path, adapter: Path):
    assert lock() == 0
    (adapter / "adapter_config.json").write_text(json.dumps({**PLAIN, "r": 64}))
    assert lock("--check", "--refresh") == 1
    assert lock("--refresh") == 0
    lora = read_lock(stack_file)["sql"].lora
    assert lora is not None and lora.rank == 64


def test_an_adapter_in_a_pickle_is_not_locked(stack_file: Path, adapter: Path, capsys):
    (adapter / "adapter_model.safetensors").rename(adapter / "adapter_model.bin")
    assert lock() == 1
    assert read_lock(stack_file).keys() == {"chat"}
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "is missing" in one]
    assert "adapter_model.safetensors is missing: an adapter has both" in line and line.startswith(
        "sql: file://"
    )


def test_files_that_were_locked_as_a_models_are_not_taken_over_for_an_adapter(
    stack_file: Path, adapter: Path, folder: Path
):
    assert lock() == 0
    both = f"file://{adapter}"
    model = {"name": "chat", "model": "tiny", "source": both, "adapters": [{"name": "new", "source": both}]}
    write(stack_file, [model])
    assert lock() == 0
    known = read_lock(stack_file)
    assert known["new"].lora is not None and known["chat"].lora is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"peft_type": "PREFIX_TUNING"}, "peft_type: 'PREFIX_TUNING': vLLM serves LORA alone"),
        ({"use_dora": True}, "use_dora: True: vLLM does not serve adapters with it"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save: "),
        ({"bias": "all"}, "bias: 'all'"),
        ({"alora_invocation_tokens": [1]}, "alora_invocation_tokens: "),
        ({"r": 0}, "r: 0: a whole number of 1 or more is needed"),
        ({"r": None}, "r: None"),
        ({"r": True}, "r: True"),
        ({"r": 513}, "r: 513: vLLM serves ranks up to 512"),
        ({"rank_pattern": {"q_proj": 1024}}, "r: 1024: vLLM serves ranks up to 512"),
        ({"rank_pattern": {"q_proj": "many"}}, "rank_pattern.q_proj: 'many'"),
        ({"rank_pattern": 8}, "rank_pattern: 8"),
    ],
)
def test_what_vllm_does_not_serve_is_refused_with_its_key(change: dict[str, Any], reason: str):
    with pytest.raises(ValueError, match="^" + reason.replace(".", r"\.").replace("[", r"\[")):
        lora_of(json.dumps({**PLAIN, **change}))


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000, "null", "\ufeff{}"])
def test_a_configuration_that_is_none_is_refused_in_a_line(text: str):
    with pytest.raises(ValueError, match=r"adapter_config\.json is no JSON"):
        lora_of(text)


@pytest.mark.parametrize(
    "change",
    [
        {"target_modules": "all-linear"},
        {"target_modules": None},
        {"target_parameters": ["experts.down_proj"]},
    ],
)
def test_modules_that_are_not_listed_are_not_known(change: dict[str, Any]):
    assert lora_of(json.dumps({**PLAIN, **change})).target_modules is None


def test_the_largest_rank_of_a_pattern_counts():
    assert lora_of(json.dumps({**PLAIN, "rank_pattern": {"q_proj": 64, "v_proj": 8}})).rank == 64


def test_a_source_that_changes_while_it_is_read_is_not_locked(
    stack_file: Path, adapter: Path, monkeypatch, capsys
):
    from corral.tools.sources import files

    read = files.FolderSource.read

    def changing(self: Any, name: str, notes: Any) -> Any:
        if name == "adapter_config.json":
            (adapter / name).write_text(json.dumps({**PLAIN, "r": 8}))
        yield from read(self, name, notes)

    monkeypatch.setattr(files.FolderSource, "read", changing)
    assert lock() == 1
    assert "adapter_config.json has changed meanwhile: lock it again" in capsys.readouterr().err
