"""Files of a model that say one thing in two ways, or in a way that nothing reads."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.config.test_custom_models import LLAMA, facts, folder, refused

from corral.stacks.config.huggingface.folder import read_folder

SMALL: dict[str, Any] = {
    **LLAMA,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "vocab_size": 100,
}
EXPERTS = {"architectures": ["Qwen3MoeForCausalLM"], "head_dim": 128, "moe_intermediate_size": 768}
GEMMA: dict[str, Any] = {
    "model_type": "gemma3_text",
    "num_hidden_layers": 6,
    "layer_types": [*(5 * ["sliding_attention"]), "full_attention"],
}


def wrapped(**text: Any) -> dict[str, Any]:
    return {"architectures": ["Gemma3ForConditionalGeneration"], "text_config": {**GEMMA, **text}}


def single(base: Path, config: dict[str, Any], dtype: str, size: int) -> Path:
    """The folder of a model whose one file has a tensor of `dtype`."""
    path = folder(base, config)
    (path / "model.safetensors.index.json").unlink()
    header = json.dumps({"w": {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}}).encode()
    (path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    return path


def weights(base: Path, config: dict[str, Any], dtype: str, size: int) -> int:
    return read_folder(single(base, config, dtype, size))["weights-bytes"]


def test_a_key_with_two_values_is_refused_and_the_same_twice_is_not(tmp_path: Path):
    once = json.dumps(LLAMA)[:-1]
    assert facts(tmp_path, once + ', "num_hidden_layers": 32}').layers == 32
    (tmp_path / "ours" / "config.json").write_text(once + ', "num_hidden_layers": 1}')
    assert "'num_hidden_layers': 32 and 1: one value for a key is needed" in refused(tmp_path, folder="ours")


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"num_experts": "128", "num_experts_per_tok": 8}, "num_experts: '128': a whole number of experts"),
        ({"num_experts": 128.0, "num_experts_per_tok": 8}, "num_experts: 128.0: a whole number of experts"),
        ({"num_experts": 8, "num_experts_per_tok": 9}, "num_experts_per_tok: 9: at most the 8 experts"),
        ({"num_hidden_layers": 32.0}, "num_hidden_layers 32.0 in config.json: whole numbers are needed"),
        ({"num_key_value_heads": "8"}, "num_key_value_heads '8' in config.json: whole numbers are needed"),
        ({"vocab_size": None}, "config.json has no vocab_size"),
        ({"architectures": []}, "config.json has no architectures"),
        ({"architectures": ["LlavaForConditionalGeneration"]}, "config.json has no text_config"),
    ],
)
def test_a_value_that_nothing_reads_is_refused_with_key_and_value(
    tmp_path: Path, changes: dict[str, Any], line: str
):
    folder(tmp_path, {**LLAMA, **EXPERTS, **changes} if "num_experts" in changes else {**LLAMA, **changes})
    assert line in refused(tmp_path, folder="ours")


def test_what_an_inner_configuration_states_as_null_is_no_default(tmp_path: Path):
    """A Gemma 3 without a window sees all, and without key-value heads has one for each head."""
    assert facts(tmp_path, wrapped()).attention.kv_heads == 4  # type: ignore[union-attr]
    folder(tmp_path, wrapped(sliding_window=None), name="b")
    assert "needs sliding_window" in refused(tmp_path, folder="b")
    (tmp_path / "ours").rename(tmp_path / "a")
    assert facts(tmp_path, wrapped(num_key_value_heads=None)).attention.kv_heads == 8  # type: ignore[union-attr]


def test_a_model_may_have_windows_alone(tmp_path: Path):
    found = facts(tmp_path, wrapped(layer_types=["sliding_attention"] * 6)).attention
    assert (found.kind, found.full_layers) == ("sliding", 0)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("stated", "dtype", "held"),
    [
        ("bfloat16", "BF16", 400_000),
        ("bfloat16", "F32", 200_000),
        ("float32", "F32", 200_000),
        ("float32", "BF16", 400_000),
        ("float32", "F64", 100_000),
    ],
)
def test_files_say_themselves_what_a_cast_to_16_bits_saves(
    tmp_path: Path, stated: str, dtype: str, held: int
):
    found = weights(tmp_path, {**SMALL, "torch_dtype": stated}, dtype, 400_000)
    assert found == pytest.approx(held, abs=200)


def test_files_that_hold_half_the_parameters_in_32_bits_are_refused(tmp_path: Path):
    single(tmp_path, {**SMALL, "vocab_size": 1000}, "F32", 200_000)
    assert "config.json describes a model of at least" in refused(tmp_path, folder="ours")


def test_a_tensor_that_ends_before_it_begins_is_no_tensor(tmp_path: Path):
    path = single(tmp_path, SMALL, "BF16", 400_000)
    header = b'{"w": {"dtype": "BF16", "shape": [1], "data_offsets": [9, 2]}}'
    (path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + bytes(400_000))
    assert "model.safetensors: is no complete safetensors file" in refused(tmp_path, folder="ours")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors.index.json"])
def test_a_pointer_is_named_whatever_it_stands_for(tmp_path: Path, name: str):
    path = folder(tmp_path, LLAMA)
    (path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n")
    assert f"{name} is a Git LFS pointer" in refused(tmp_path, folder="ours")


def test_a_pointer_of_git_annex_is_no_model(tmp_path: Path):
    path = single(tmp_path, SMALL, "BF16", 400_000)
    (path / "model.safetensors").write_text("/annex/objects/SHA256E-s16060522904--ab.safetensors\n")
    assert "model.safetensors: is a git-annex pointer" in refused(tmp_path, folder="ours")


def test_the_dtype_of_a_wrapper_counts_before_that_of_the_model_inside(tmp_path: Path):
    inner = wrapped(torch_dtype="float32")
    assert facts(tmp_path, {**inner, "dtype": "float16"}).dtype.value == "fp16"


def test_mistral_s_own_format_is_named_where_it_stands_alone(tmp_path: Path):
    path = folder(tmp_path, LLAMA)
    (path / "config.json").rename(path / "params.json")
    line = refused(tmp_path, folder="ours")
    assert "config.json is absent, and params.json is Mistral's own format: take the repository" in line


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("DeepseekV4ForCausalLM", "its layers keep tokens compressed in several ways"),
        ("MiniMaxM3SparseForConditionalGeneration", "its layers keep blocks of tokens beside an index"),
    ],
)
def test_an_architecture_that_is_not_counted_is_refused_with_reason_and_words(
    tmp_path: Path, name: str, reason: str
):
    folder(tmp_path, {**LLAMA, "architectures": [name]})
    line = refused(tmp_path, folder="ours")
    assert f"architecture {name} is unknown: {reason}, attention is read of" in line
    assert "stated as one of kind gqa, mla, sliding, hybrid, recurrent, encoder" in line
