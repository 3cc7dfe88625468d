"""Models that the catalogue lacks: stated in the stack file, or read from their own folder."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.stacks.stack_files import GIB, model, planned, pool, problems, stack

from corral.catalogue.attention import Grouped, Hybrid, Latent, Sliding
from corral.catalogue.models import ModelSpec, models
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.huggingface.folder import least_bytes
from corral.stacks.config.loader import parse, read
from corral.stacks.planning.planner import plan

STATED: dict[str, Any] = {
    "task": "chat",
    "license": "Apache-2.0",
    "dtype": "bf16",
    "weights-gib": 14.96,
    "layers": 32,
    "hidden": 4096,
    "intermediate": 14336,
    "vocabulary": 128256,
    "context": 131072,
    "attention": {"kind": "gqa", "heads": 32, "kv-heads": 8, "head-dim": 128},
}
OURS = model(model="ours")

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "num_hidden_layers": 32,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "torch_dtype": "bfloat16",
    "tie_word_embeddings": False,
}
HYBRID: dict[str, Any] = {
    "architectures": ["Qwen3_5ForConditionalGeneration"],
    "vision_config": {"hidden_size": 1},
    "text_config": {
        "num_hidden_layers": 64,
        "hidden_size": 5120,
        "intermediate_size": 17408,
        "num_attention_heads": 24,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "vocab_size": 248320,
        "max_position_embeddings": 262144,
        "dtype": "bfloat16",
        "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 16,
        "linear_num_value_heads": 48,
        "linear_num_key_heads": 16,
        "linear_value_head_dim": 128,
        "linear_conv_kernel_dim": 4,
    },
}
DEEPSEEK: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "num_hidden_layers": 61,
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "vocab_size": 129280,
    "max_position_embeddings": 163840,
    "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]},
}
GPT_OSS: dict[str, Any] = {
    "architectures": ["GptOssForCausalLM"],
    "num_hidden_layers": 24,
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "num_local_experts": 32,
    "num_experts_per_tok": 4,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "vocab_size": 201088,
    "max_position_embeddings": 131072,
    "sliding_window": 128,
    "layer_types": ["sliding_attention", "full_attention"] * 12,
    "quantization_config": {"quant_method": "mxfp4"},
}
MIXTRAL = {
    **LLAMA,
    "architectures": ["MixtralForCausalLM"],
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "vocab_size": 32000,
    "max_position_embeddings": 32768,
}


LARGE = 10**13
"""Bytes that no configuration here contradicts."""
LEAST = 16_060_000_000
"""Bytes of 8.03 billion parameters at 16 bits, as LLAMA describes."""


def write_tensors(path: Path, size: int, stored: int | None = None) -> None:
    """A sparse safetensors file of `size` bytes; `stored`: of which the rest is lacking."""
    header = json.dumps({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 10**10]}}).encode()
    offset = size - 8 - len(header)
    header = header.replace(b"10000000000", str(offset).rjust(11).encode())
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(size if stored is None else stored)


def folder(base: Path, config: object, total: object = LARGE, name: str = "ours") -> Path:
    """A model's folder with `config.json` and an index of two files that are not there."""
    path = base / name
    path.mkdir()
    (path / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    weights = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = {"metadata": {} if total is None else {"total_size": total}, "weight_map": weights}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    return path


def facts(base: Path, config: object, total: object = LARGE, **stated: Any) -> ModelSpec:
    """ModelSpec of the model in a folder of `config`, with `stated` beside it."""
    folder(base, config, total)
    entry = {"folder": "ours", "task": "chat", "license": "MIT", **stated}
    return parse(stack(custom_models={"ours": entry}, models=[]), base).custom_models["ours"]


def refused(base: Path, **entry: Any) -> str:
    """The one line that a custom model is refused with."""
    content = stack(custom_models={"ours": {"task": "chat", "license": "MIT", **entry}}, models=[OURS])
    with pytest.raises(StackErrors) as error:
        plan(parse(content, base), "test")
    assert len(error.value.problems) == 1, str(error.value)
    return str(error.value)


def test_a_model_whose_facts_are_stated_is_planned_like_one_of_the_catalogue():
    ours = planned(custom_models={"ours": STATED}, models=[OURS]).models[0]
    theirs = planned(models=[model()]).models[0]
    assert ours.model == "ours" and ours.license == "Apache-2.0"
    assert (ours.memory, ours.claim, ours.largest_context) == (
        theirs.memory,
        theirs.claim,
        theirs.largest_context,
    )


def test_a_folder_gives_the_facts_that_the_catalogue_has(tmp_path: Path):
    known, found = models()["llama-3.1-8b"], facts(tmp_path, LLAMA, int(14.96 * GIB))
    for key in (
        "layers",
        "hidden",
        "intermediate",
        "vocabulary",
        "context",
        "attention",
        "dtype",
        "weights",
        "tied",
    ):
        assert getattr(found, key) == getattr(known, key), key


@pytest.mark.parametrize(
    ("config", "key"),
    [(HYBRID, "qwen3.5-27b"), (DEEPSEEK, "deepseek-r1"), (GPT_OSS, "gpt-oss-20b"), (MIXTRAL, "mixtral-8x7b")],
)
def test_each_kind_of_attention_and_expert_is_read(tmp_path: Path, config: dict[str, Any], key: str):
    known, found = models()[key], facts(tmp_path, config, models()[key].weights)
    for name in (
        "attention",
        "experts",
        "intermediate",
        "layers",
        "vocabulary",
        "context",
        "multimodal",
        "dtype",
    ):
        stated = {"dtype": found.dtype} if config is MIXTRAL else {}
        assert getattr(found, name) == stated.get(name, getattr(known, name)), name


def test_the_kinds_are_the_types_that_size_them(tmp_path: Path):
    kinds = {Hybrid: HYBRID, Latent: DEEPSEEK, Sliding: GPT_OSS, Grouped: LLAMA}
    for number, (kind, config) in enumerate(kinds.items()):
        (tmp_path / str(number)).mkdir()
        assert type(facts(tmp_path / str(number), config).attention) is kind


def test_the_index_counts_and_other_files_of_the_folder_do_not(tmp_path: Path):
    path = folder(tmp_path, LLAMA, LEAST)
    for name in ("consolidated.safetensors", "original.safetensors", "model-00001-of-00002.safetensors"):
        write_tensors(path / name, LEAST)
    entry = {"folder": "ours", "task": "chat", "license": "MIT"}
    content = stack(custom_models={"ours": entry}, models=[OURS])
    assert parse(content, tmp_path).custom_models["ours"].weights == LEAST, "half of the files are not there"
    write_tensors(path / "model-00002-of-00002.safetensors", 1000)
    assert parse(content, tmp_path).custom_models["ours"].weights == LEAST + 1000, "its own files say more"


def test_a_single_file_needs_no_index(tmp_path: Path):
    path = folder(tmp_path, LLAMA)
    (path / "model.safetensors.index.json").unlink()
    assert "its files lack weights-gib: state these facts beside folder" in refused(tmp_path, folder="ours")
    write_tensors(path / "model.safetensors", LEAST)
    content = stack(
        custom_models={"ours": {"folder": "ours", "task": "chat", "license": "MIT"}}, models=[OURS]
    )
    assert parse(content, tmp_path).custom_models["ours"].weights == LEAST


def test_a_head_is_as_wide_as_the_file_says_else_hidden_by_heads(tmp_path: Path):
    assert facts(tmp_path, {**LLAMA, "head_dim": 64}).attention.head_dim == 64  # type: ignore[union-attr]
    (tmp_path / "b").mkdir()
    assert facts(tmp_path / "b", LLAMA).attention.head_dim == 128  # type: ignore[union-attr]


def test_a_head_is_never_derived_where_the_architecture_sets_it(tmp_path: Path):
    folder(tmp_path, {**LLAMA, "architectures": ["Qwen3ForCausalLM"]})
    assert "its files lack attention" in refused(tmp_path, folder="ours")


def compressed(**weights: object) -> dict[str, Any]:
    """A quantisation of compressed-tensors with one group."""
    return {"quant_method": "compressed-tensors", "config_groups": {"g": {"weights": weights}}}


@pytest.mark.parametrize(
    ("said", "dtype"),
    [
        ({"quant_method": "fp8"}, "fp8"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "fp8-block"),
        ({"quant_method": "awq", "bits": 4}, "int4"),
        ({"quant_method": "gptq", "bits": 8}, "int8"),
        ({"quant_method": "auto-round", "bits": 4}, "int4"),
        ({"quant_method": "fbgemm_fp8", "modules_to_not_convert": ["lm_head"]}, "fbgemm-fp8"),
        ({"quant_method": "modelopt", "quant_algo": "FP8"}, "fp8"),
        ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, "nvfp4"),
        ({"quant_method": "modelopt_fp4", "quantization": {"quant_algo": "NVFP4"}}, "nvfp4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}, "nf4"),
        ({"quant_method": "bitsandbytes", "_load_in_8bit": True, "_load_in_4bit": False}, "int8"),
        (compressed(num_bits=4, type="float", group_size=16), "nvfp4"),
        (compressed(num_bits=4, type="float", group_size=32), "mxfp4"),
        (compressed(num_bits=8, type="float", strategy="block"), "fp8-block"),
        (compressed(num_bits=8, type="int"), "int8"),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "fp8",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"g": {"weights": {"num_bits": 4, "type": "int"}}},
            },
            "int4",
        ),
    ],
)
def test_the_way_weights_are_stored_is_read(tmp_path: Path, said: dict[str, Any], dtype: str):
    assert facts(tmp_path, {**LLAMA, "quantization_config": said}).dtype.value == dtype


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": False}, "'bitsandbytes' with load_in_4bit false"),
        ({"quant_method": "gptq", "bits": 3}, "'gptq' with bits 3"),
        ({"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}, "with quant_algo 'MIXED_PRECISION'"),
        ({"quant_method": "aqlm"}, "'aqlm'"),
        ({"quant_method": ["fp8"]}, '["fp8"]'),
    ],
)
def test_a_quantisation_without_a_dtype_is_named_beside_the_words_that_are(
    tmp_path: Path, said: dict[str, Any], found: str
):
    folder(tmp_path, {**LLAMA, "quantization_config": said})
    line = refused(tmp_path, folder="ours")
    assert found in line and "is no dtype, use one of fp32, bf16" in line and "nvfp4, nf4" in line


def test_layers_that_see_all_are_read_with_heads_of_their_own(tmp_path: Path):
    text = {
        **{key: value for key, value in LLAMA.items() if key != "architectures"},
        "num_hidden_layers": 30,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 256,
        "global_head_dim": 512,
        "num_global_key_value_heads": 2,
        "attention_k_eq_v": True,
        "sliding_window": 1024,
        "layer_types": [*(5 * ["sliding_attention"]), "full_attention"] * 5,
    }
    config = {
        "architectures": ["Gemma4ForConditionalGeneration"],
        "text_config": text,
        "torch_dtype": "bfloat16",
    }
    assert facts(tmp_path, config).attention == models()["gemma-4-26b-a4b"].attention
    (tmp_path / "b").mkdir()
    separate = {**config, "text_config": {**text, "attention_k_eq_v": False}}
    assert facts(tmp_path / "b", separate).attention.full_kv_heads is None  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("config", "lacking"),
    [
        ({key: value for key, value in LLAMA.items() if key != "num_hidden_layers"}, "layers"),
        (
            {key: value for key, value in {**LLAMA, "torch_dtype": "int3"}.items() if key != "vocab_size"},
            "dtype, vocabulary",
        ),
        ({**LLAMA, "quantization_config": {"quant_method": "bitsandbytes"}}, "dtype"),
        ({**LLAMA, "num_attention_heads": "32"}, "attention"),
        ({**LLAMA, "architectures": ["NewForCausalLM"]}, "attention"),
        ({**LLAMA, "architectures": None}, "attention"),
        ({**GPT_OSS, "layer_types": None}, "attention"),
        ({**HYBRID, "text_config": {**HYBRID["text_config"], "linear_num_value_heads": None}}, "attention"),
        ({}, "layers, hidden, intermediate, attention, vocabulary, context"),
    ],
)
def test_what_a_folder_lacks_is_listed_and_never_guessed(tmp_path: Path, config: object, lacking: str):
    folder(tmp_path, config)
    line = refused(tmp_path, folder="ours")
    assert line.startswith(f"custom-models.ours.folder: ours: its files lack {lacking}: state these facts")
    assert ("; architecture " in line) == ("attention" in lacking)
    unknown = not isinstance(config, dict) or config.get("architectures") in (None, ["NewForCausalLM"])
    assert ("attention is read of LlamaForCausalLM" in line) == ("attention" in lacking and unknown)


def test_an_index_without_a_total_is_no_weight(tmp_path: Path):
    folder(tmp_path, LLAMA, None)
    assert "its files lack weights-gib" in refused(tmp_path, folder="ours")


def test_what_stands_beside_a_folder_counts_more_than_its_files(tmp_path: Path):
    shape = {"kind": "gqa", "heads": 32, "kv-heads": 32, "head-dim": 128}
    config = {**LLAMA, "architectures": ["NewForCausalLM"]}
    found = facts(tmp_path, config, attention=shape, **{"weights-gib": 15.5})
    assert found.attention.kind == "gqa" and found.weights == int(15.5 * GIB)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", "custom-models.ours.folder: ours: config.json is no JSON"),
        ("[]", "custom-models.ours.folder: ours: config.json is no JSON object"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, text: str, line: str):
    folder(tmp_path, text)
    assert refused(tmp_path, folder="ours") == line


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path):
    line = refused(tmp_path, folder="gone")
    assert line == "custom-models.ours.folder: gone: config.json: No such file or directory"


def test_stated_facts_that_are_too_few_are_listed():
    entry = {key: value for key, value in STATED.items() if key not in ("layers", "weights-gib")}
    assert problems(custom_models={"ours": entry}, models=[OURS]) == [
        "custom-models.ours: lacks layers, weights-gib: state these facts, or a folder"
    ]


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        (
            {"ours": {**STATED, "layer": 3}},
            "custom-models.ours.layer: unknown key: did you mean layers? use one of task, license",
        ),
        (
            {"ours": {**STATED, "dtype": "bf8"}},
            "custom-models.ours.dtype: bf8: did you mean fp8? use one of fp32, bf16",
        ),
        ({"ours": {**STATED, "layers": 0}}, "custom-models.ours.layers: 0: "),
        ({"ours": {**STATED, "parameters": 8}}, "custom-models.ours: "),
        (
            {"ours": {**STATED, "attention": {"kind": "x", "heads": 1}}},
            "custom-models.ours.attention.kind: x: ",
        ),
        ({"ours": 3}, "custom-models.ours: 3: "),
        ([], "custom-models: []: "),
        ({"Ours": STATED, "ours": STATED}, "custom-models.Ours: Ours: use 1 to 40 of a-z"),
        ({"ours": STATED, "phi-4": STATED}, "custom-models.phi-4: phi-4: the catalogue has this model"),
    ],
)
def test_a_custom_model_that_cannot_be_is_one_line(entries: object, line: str):
    found = problems(custom_models=entries, models=[])
    assert len(found) == 1 and found[0].startswith(line), found


def test_a_custom_model_that_nobody_names_is_suggested_where_a_name_is_wrong():
    found = problems(custom_models={"ours": STATED}, models=[model(model="our")])
    assert found[0].startswith("models[0].model: our: did you mean ours?")


def test_a_custom_model_that_fits_nowhere_is_refused_like_any(tmp_path: Path):
    whole = pool(gpu="L4", sharing="whole", gpus_per_node=1)
    found = problems(custom_models={"ours": {**STATED, "weights-gib": 40}}, models=[OURS], gpu_pools=[whole])
    assert (
        found[0].startswith("models[0]: chat needs 45") and "a smaller model or a larger device" in found[0]
    )


def test_a_folder_is_found_beside_the_stack_file(tmp_path: Path):
    folder(tmp_path, LLAMA, int(14.96 * GIB))
    path = tmp_path / "Pulumi.test.yaml"
    path.write_text(
        "config:\n  corral:platform:\n    sovereignty: {profile: open, region: embedded}\n"
        "    cluster: {kind: embedded}\n"
        "    custom-models:\n      ours: {folder: ours, task: chat, license: llama3.1}\n"
    )
    assert read(path).custom_models["ours"].layers == 32


def test_a_pointer_of_git_lfs_is_no_model(tmp_path: Path):
    path = folder(tmp_path, LLAMA)
    (path / "model.safetensors.index.json").unlink()
    (path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\nsize 9\n")
    assert "model.safetensors: is a Git LFS pointer" in refused(tmp_path, folder="ours")


def test_a_download_that_broke_off_is_no_model(tmp_path: Path):
    path = folder(tmp_path, LLAMA)
    (path / "model.safetensors.index.json").unlink()
    write_tensors(path / "model.safetensors", LEAST, LEAST - 1)
    line = f"model.safetensors: {LEAST - 1} bytes of {LEAST}, the download is incomplete"
    assert line in refused(tmp_path, folder="ours")


@pytest.mark.parametrize("total", [291, LEAST // 2])
def test_a_total_below_what_layers_and_vocabulary_need_is_refused(tmp_path: Path, total: int):
    folder(tmp_path, LLAMA, total)
    line = refused(tmp_path, folder="ours")
    assert f"total_size: {total} bytes: config.json describes a model of at least" in line


@pytest.mark.parametrize("name", [name for name, one in models().items() if one.engine.value == "vllm"])
def test_every_model_of_the_catalogue_weighs_more_than_the_lower_bound(name: str):
    entry = models()[name]
    known = entry.model_dump(by_alias=True, mode="json")
    every_second = name == "llama-4-maverick"
    sparse = entry.layers // 2 if every_second else entry.layers - 3 * ("deepseek" in name or "kimi" in name)
    least = least_bytes(known, sparse)
    assert 0.2 * entry.weights < least <= entry.weights


@pytest.mark.parametrize(
    ("scaling", "positions", "context"),
    [
        ({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}, 32768, 131072),
        ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}, 131072, 131072),
        ({"type": "dynamic", "factor": 2.0}, 2048, 4096),
        ({"type": "linear", "factor": 2.5}, 2048, 5120),
        ({"rope_type": "llama3", "factor": 8.0}, 131072, 131072),
        ({"type": "longrope"}, 131072, 131072),
        ({"type": "su"}, 131072, 131072),
        (None, 8192, 8192),
    ],
)
def test_scaled_positions_are_the_context_that_vllm_derives(
    tmp_path: Path, scaling: object, positions: int, context: int
):
    config = {**LLAMA, "rope_scaling": scaling, "max_position_embeddings": positions}
    assert facts(tmp_path, config).context == context


@pytest.mark.parametrize("factor", [None, "4", float("nan"), float("inf"), -1, True, 10**400])
def test_a_factor_that_is_no_number_is_refused(tmp_path: Path, factor: object):
    folder(tmp_path, {**LLAMA, "rope_scaling": {"type": "linear", "factor": factor}})
    assert "rope_scaling.factor: " in refused(tmp_path, folder="ours")


@pytest.mark.parametrize(("positions", "context"), [(514, 512), (8194, 8192)])
def test_positions_of_xlm_roberta_begin_after_its_padding(tmp_path: Path, positions: int, context: int):
    config = {**LLAMA, "architectures": ["XLMRobertaModel"], "max_position_embeddings": positions}
    assert facts(tmp_path, config, task="embedding").context == context


def test_weights_of_32_bits_are_loaded_as_16(tmp_path: Path):
    found = facts(tmp_path, {**LLAMA, "torch_dtype": "float32"}, 2 * LEAST)
    assert (found.weights, found.dtype.value) == (LEAST, "bf16")


def test_weights_that_are_no_32_bits_whatever_the_file_says_stay_whole(tmp_path: Path):
    assert facts(tmp_path, {**LLAMA, "torch_dtype": "float32"}, LEAST).weights == LEAST


def test_a_latent_model_inside_another_wrapper_is_read_as_latent(tmp_path: Path):
    inner = {**DEEPSEEK, "model_type": "mistral4"}
    wrapper = {"architectures": ["Mistral3ForConditionalGeneration"], "text_config": inner}
    assert facts(tmp_path, wrapper).attention == Latent(kind="mla", heads=128, latent=512, rope=64)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({**MIXTRAL, "num_experts_per_tok": None}, "num_experts_per_tok: null: a model of 8 experts needs"),
        ({**MIXTRAL, "num_experts_per_tok": [2]}, "num_experts_per_tok: [2]: a model of 8 experts needs"),
        ({**LLAMA, "num_key_value_heads": [8] * 32}, "LlamaForCausalLM needs num_key_value_heads in"),
        ({**GPT_OSS, "layer_types": ["full_attention"] * 23}, "GptOssForCausalLM needs layer_types"),
        ({**GPT_OSS, "layer_types": ["chunked_attention"] * 24}, "GptOssForCausalLM needs layer_types"),
        ({**LLAMA, "quantization_config": {"quant_method": "hqq"}}, "use one of fp32, bf16"),
        ({**LLAMA, "quantization_config": {"quant_method": "modelopt"}}, "'modelopt' is no dtype"),
        ({**LLAMA, "architectures": 5}, "architectures: 5: a list of class names"),
        ({**LLAMA, "architectures": {"a": 1}}, "architectures: {"),
        ('{"a":' * 100_000, "config.json is nested too deeply"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_key(tmp_path: Path, config: object, reason: str):
    folder(tmp_path, config)
    line = refused(tmp_path, folder="ours")
    assert reason in line and "\n" not in line


@pytest.mark.parametrize("total", [float("nan"), float("inf"), -1, 0, "many", [1], True])
def test_a_total_that_is_no_number_of_bytes_is_refused(tmp_path: Path, total: object):
    folder(tmp_path, LLAMA, total)
    assert "total_size: " in refused(tmp_path, folder="ours")


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path):
    assert facts(tmp_path, "\ufeff" + json.dumps(LLAMA)).layers == 32


def test_groups_of_quantisation_that_are_text_are_no_dtype(tmp_path: Path):
    said = {"quant_method": "compressed-tensors", "config_groups": {"g": "text"}}
    folder(tmp_path, {**LLAMA, "quantization_config": said})
    assert "its files lack dtype" in refused(tmp_path, folder="ours")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.exhaustive
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    base=st.sampled_from([LLAMA, HYBRID, DEEPSEEK, GPT_OSS, MIXTRAL]),
    data=st.data(),
    total=st.just(LARGE) | ODD,
)
def test_any_value_in_any_place_is_read_or_refused_in_one_line(
    base: dict[str, Any], data: st.DataObject, total: object
):
    keys = [*base, *base.get("text_config", {}), "rope_scaling", "quantization_config"]
    changes = data.draw(st.dictionaries(st.sampled_from(keys), ODD, max_size=3))
    config = {**base, **changes}
    with tempfile.TemporaryDirectory() as name:
        folder(Path(name), config, total)
        entry = {"folder": "ours", "task": "chat", "license": "MIT"}
        content = stack(custom_models={"ours": entry}, models=[])
        try:
            found = parse(content, Path(name)).custom_models["ours"]
        except StackErrors as error:
            assert all("\n" not in str(problem) for problem in error.problems)
        else:
            assert found.weights >= 10**8
