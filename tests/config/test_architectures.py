"""Models that vLLM v0.30.0 serves, by the keys that their publishers wrote.

Figures of layers, heads and states are those of the `config.json` files in aiconfigurator-core 0.12.0, MLC
LLM's model_preset.py and Megatron-Bridge's tests; sizes of states follow vLLM's
vllm/model_executor/layers/mamba/mamba_utils.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from corral.catalogue.attention import Cache, Recurrent, Sliding
from corral.catalogue.models import ModelSpec
from corral.stacks.config.huggingface.folder import explain, read_folder
from corral.stacks.config.huggingface.values import Unreadable

SIZES: dict[str, Any] = {"max_position_embeddings": 8192, "vocab_size": 1000, "torch_dtype": "bfloat16"}
HEADS: dict[str, Any] = {"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128}
DENSE: dict[str, Any] = {
    **SIZES,
    **HEADS,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
}
NEMOTRON_NANO: dict[str, Any] = {
    **SIZES,
    "architectures": ["NemotronHForCausalLM"],
    "model_type": "nemotron_h",
    "hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME",
    "hidden_size": 2688,
    "intermediate_size": 1856,
    "num_hidden_layers": 52,
    "num_attention_heads": 32,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "mamba_num_heads": 64,
    "mamba_head_dim": 64,
    "n_groups": 8,
    "ssm_state_size": 128,
    "conv_kernel": 4,
    "n_routed_experts": 128,
    "num_experts_per_tok": 6,
    "moe_intermediate_size": 1856,
    "moe_shared_expert_intermediate_size": 3712,
}
JAMBA: dict[str, Any] = {
    **DENSE,
    "architectures": ["JambaForCausalLM"],
    "model_type": "jamba",
    "attn_layer_offset": 4,
    "attn_layer_period": 8,
    "expert_layer_offset": 1,
    "expert_layer_period": 2,
    "mamba_d_conv": 4,
    "mamba_d_state": 16,
    "mamba_expand": 2,
    "num_experts": 16,
    "num_experts_per_tok": 2,
}
FALCON_H1: dict[str, Any] = {
    **SIZES,
    "architectures": ["FalconH1ForCausalLM"],
    "model_type": "falcon_h1",
    "hidden_size": 1024,
    "intermediate_size": 2048,
    "num_hidden_layers": 36,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "mamba_n_heads": 24,
    "mamba_d_head": 64,
    "mamba_d_state": 128,
    "mamba_n_groups": 1,
    "mamba_d_conv": 4,
    "mamba_expand": 2,
}
KIMI_LINEAR: dict[str, Any] = {
    **SIZES,
    "architectures": ["KimiLinearForCausalLM"],
    "model_type": "kimi_linear",
    "hidden_size": 7168,
    "intermediate_size": 33792,
    "num_hidden_layers": 93,
    "num_attention_heads": 96,
    "kv_lora_rank": 512,
    "qk_rope_head_dim": 64,
    "linear_attn_config": {
        "full_attn_layers": [*range(4, 93, 4), 93],
        "head_dim": 128,
        "num_heads": 96,
        "short_conv_kernel_size": 4,
    },
    "num_experts": 896,
    "num_experts_per_token": 16,
    "moe_intermediate_size": 3072,
    "routed_expert_hidden_size": 3584,
    "first_k_dense_replace": 1,
}
MIMO_V2: dict[str, Any] = {
    **SIZES,
    "architectures": ["MiMoV2FlashForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 16384,
    "num_hidden_layers": 48,
    "num_attention_heads": 64,
    "num_key_value_heads": 4,
    "head_dim": 192,
    "swa_num_key_value_heads": 8,
    "swa_head_dim": 192,
    "sliding_window": 128,
    "hybrid_layer_pattern": [0, 1, 1, 1, 1, *[0, 1, 1, 1, 1, 1] * 7, 0],
}
GEMMA_3_4B: dict[str, Any] = {
    "architectures": ["Gemma3ForConditionalGeneration"],
    "model_type": "gemma3",
    "torch_dtype": "bfloat16",
    "vision_config": {"hidden_size": 1152},
    "text_config": {
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "model_type": "gemma3_text",
        "num_hidden_layers": 34,
        "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
        "sliding_window": 1024,
    },
}
BLOCK = {"attention": {"n_heads_in_group": 8, "no_op": False}, "ffn": {"ffn_mult": 5.25}}
SKIPPED = {"attention": {"n_heads_in_group": None, "no_op": True}, "ffn": {"ffn_mult": 1.3125}}


def figures(folder: Path, config: dict[str, Any], size: int = 10**14) -> dict[str, Any]:
    (folder / "config.json").write_text(json.dumps(config))
    index = {"metadata": {"total_size": size}, "weight_map": {"w": "model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return read_folder(folder)


def spec(folder: Path, config: dict[str, Any]) -> ModelSpec:
    return ModelSpec.model_validate({**figures(folder, config), "task": "chat", "license": "MIT"})


@pytest.mark.parametrize(
    ("config", "attending", "states", "state"),
    [
        (NEMOTRON_NANO, 6, 23, (64 * 64 + 2 * 8 * 128) * 3 * 2 + 64 * 64 * 128 * 4),
        (JAMBA, 4, 28, 8192 * 3 * 2 + 8192 * 16 * 2),
        (FALCON_H1, 36, 36, (24 * 64 + 2 * 8 * 128) * 3 * 2 + 24 * 64 * 128 * 2),
        (KIMI_LINEAR, 24, 69, 3 * 96 * 128 * 3 * 2 + 96 * 128 * 128 * 4),
    ],
    ids=["nemotron-3-nano", "jamba", "falcon-h1", "kimi-linear"],
)
def test_layers_with_a_state_are_told_from_layers_that_attend(
    tmp_path: Path, config: dict[str, Any], attending: int, states: int, state: int
):
    found = spec(tmp_path, config).attention
    assert isinstance(found, Recurrent)
    assert (found.full_layers, found.state_layers, found.state_bytes) == (attending, states, state)


@pytest.mark.parametrize(
    ("config", "key", "named"),
    [
        (NEMOTRON_NANO, "ssm_state_size", "ssm_state_size or mamba_d_state"),
        (NEMOTRON_NANO, "hybrid_override_pattern", "layer_types"),
        (FALCON_H1, "mamba_n_heads", "mamba_n_heads"),
        (KIMI_LINEAR, "linear_attn_config", "linear_attn_config"),
        (JAMBA, "mamba_d_conv", "mamba_d_conv"),
    ],
)
def test_a_state_that_cannot_be_read_is_refused_with_the_key_that_is_missing(
    tmp_path: Path, config: dict[str, Any], key: str, named: str
):
    assert "attention" not in figures(tmp_path, {**config, key: None})
    reason = explain(tmp_path, ["attention"])
    assert f"architecture {config['architectures'][0]} needs " in reason and named in reason


def test_only_layers_that_attend_grow_and_each_state_takes_a_page(tmp_path: Path):
    model = spec(tmp_path, NEMOTRON_NANO)
    token = 2 * 2 * 128 * 2
    assert model.attention.token(model.layers, 1) == 6 * token
    # Four groups of six layers hold 23 states, each in a page of whole blocks of 16 tokens, two per sequence.
    page = -(-(6144 * 3 * 2 + 64 * 64 * 128 * 4) // (16 * token)) * 16 * token
    assert model.attention.state(model.layers, 1) == 2 * 4 * 6 * page
    assert model.attention.state(model.layers, 1, Cache(prefixes=False)) == 4 * 6 * page


def test_a_block_has_the_tokens_that_a_log_says_it_was_set_to(tmp_path: Path):
    """Nemotron Nano 9B v2 before its state had single precision: 672 tokens (vLLM issue 24280)."""
    config = {
        **NEMOTRON_NANO,
        "hybrid_override_pattern": "M-M-M-MM-M-M-M*-M-M-M*-M-M-M-M*-M-M-M-M*-M-MM-M-M-M-M-M-",
        "num_hidden_layers": 56,
        "hidden_size": 4480,
        "intermediate_size": 15680,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "mamba_num_heads": 128,
        "mamba_head_dim": 80,
        "n_routed_experts": None,
        "mamba_ssm_cache_dtype": "bfloat16",
    }
    found = spec(tmp_path, config).attention
    assert isinstance(found, Recurrent)
    assert (found.full_layers, found.state_layers) == (4, 27)
    assert found.block(1) == 672


def test_latent_attention_beside_states_is_replicated(tmp_path: Path):
    model = spec(tmp_path, KIMI_LINEAR)
    assert model.attention.token(model.layers, 8) == 24 * (512 + 64) * 2
    assert model.attention.divides(8) and not model.attention.divides(64)
    assert model.experts is not None and model.experts.hidden == 3584


def test_a_model_that_is_all_mamba_keeps_states_alone(tmp_path: Path):
    config = {
        **{key: value for key, value in SIZES.items() if key != "max_position_embeddings"},
        "architectures": ["FalconMambaForCausalLM"],
        "model_type": "falcon_mamba",
        "hidden_size": 4096,
        "intermediate_size": 8192,
        "num_hidden_layers": 64,
        "state_size": 16,
        "conv_kernel": 4,
    }
    model = spec(tmp_path, config)
    assert model.attention.token(model.layers, 1) == 0
    assert model.attention.sequence(model.layers, 1, tokens=4096, step=2048) == 0
    assert model.attention.state(model.layers, 1) == 64 * (8192 * 3 * 2 + 8192 * 16 * 2)


def test_blocks_that_do_not_attend_keep_nothing(tmp_path: Path):
    config = {
        **SIZES,
        "architectures": ["DeciLMForCausalLM"],
        "model_type": "nemotron-nas",
        "hidden_size": 8192,
        "intermediate_size": None,
        "num_attention_heads": 64,
        "num_key_value_heads": None,
        "num_hidden_layers": 80,
        "block_configs": [BLOCK] * 49 + [SKIPPED] * 31,
    }
    model = spec(tmp_path, config)
    assert model.attention.token(model.layers, 1) == 49 * 2 * 8 * 128 * 2
    assert model.intermediate == 28672, "the widest block"
    assert model.attention.state(model.layers, 1) == 0


def test_heads_of_windowed_layers_may_differ_from_those_that_see_all(tmp_path: Path):
    found = spec(tmp_path, MIMO_V2).attention
    assert isinstance(found, Sliding)
    assert (found.full_layers, found.window) == (9, 128)
    assert (found.kv_heads, found.full_kv_heads) == (8, 4)


def test_what_a_published_gemma_3_omits_is_what_transformers_takes(tmp_path: Path):
    model = spec(tmp_path, GEMMA_3_4B)
    expected = {
        "kind": "sliding",
        "heads": 8,
        "kv-heads": 4,
        "head-dim": 256,
        "full-layers": 5,
        "window": 1024,
    }
    assert figures(tmp_path, GEMMA_3_4B)["attention"] == {**expected, "shared-layers": 0}
    assert (model.vocabulary, model.context, model.multimodal) == (262208, 131072, True)
    nameless = {**GEMMA_3_4B, "text_config": {**GEMMA_3_4B["text_config"], "model_type": "gemma9_text"}}
    assert "attention" not in figures(tmp_path, nameless), "defaults of another model are not taken"


def test_layers_that_read_the_cache_of_another_keep_none(tmp_path: Path):
    text = {"model_type": "gemma3n_text", "intermediate_size": [16384] * 35}
    config = {"architectures": ["Gemma3nForConditionalGeneration"], "text_config": text}
    found = spec(tmp_path, config).attention
    assert isinstance(found, Sliding)
    assert (found.full_layers, found.shared_layers) == (4, 15)
    # Four groups of four windowed layers beside one of four that see all.
    pages = 4 * (-(-32768 // 16) + 4 * (-(-(511 + 2048) // 16) + 1))
    needed = found.sequence(35, 1, tokens=32768, step=2048)
    assert needed == pages * 16 * 2 * 2 * 256 * 2


@pytest.mark.parametrize(
    ("changes", "full", "window"),
    [
        ({"architectures": ["Cohere2ForCausalLM"], "model_type": "cohere2"}, 8, 4097),
        ({"architectures": ["Olmo3ForCausalLM"], "model_type": "olmo3"}, 8, 4096),
        ({"architectures": ["Exaone4ForCausalLM"], "sliding_window_pattern": "LLLG"}, 8, 4096),
        ({"architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2"}, 16, 4096),
        ({"architectures": ["MistralForCausalLM"], "model_type": "mistral"}, 0, 4096),
    ],
    ids=["command-a", "olmo-3", "exaone-4", "gemma-2", "mistral-7b-v0.1"],
)
def test_windows_are_read_however_a_family_lists_its_layers(
    tmp_path: Path, changes: dict[str, Any], full: int, window: int
):
    found = spec(tmp_path, {**DENSE, "sliding_window": 4096, **changes}).attention
    assert isinstance(found, Sliding)
    assert (found.full_layers, found.window) == (full, window)


def test_a_window_beyond_the_longest_sequence_is_none(tmp_path: Path):
    config = {**DENSE, "architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "sliding_window": 262144}
    assert figures(tmp_path, config)["attention"]["kind"] == "gqa"


INNER = {**HEADS, "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "vocab_size": 9}


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": ["InternVLChatModel"], "llm_config": {**INNER, "model_type": "internlm2"}},
        {"architectures": ["LlavaForConditionalGeneration"], "text_config": {**INNER, "model_type": "llama"}},
        {"architectures": ["LlavaForConditionalGeneration"], "text_config": {"model_type": "mistral"}},
        {
            "architectures": ["Qwen2_5OmniModel"],
            "thinker_config": {"text_config": {**INNER, "architectures": ["Qwen2ForCausalLM"]}},
        },
        {**INNER, "architectures": ["Qwen2_5_VLForConditionalGeneration"], "vision_config": {}},
    ],
    ids=["internvl", "llava", "llava-mistral", "qwen2.5-omni", "qwen2.5-vl"],
)
def test_the_language_model_inside_a_wrapper_is_what_counts(tmp_path: Path, config: dict[str, Any]):
    found = figures(tmp_path, {"max_position_embeddings": 4096, "torch_dtype": "bfloat16", **config})
    assert found["attention"] == {"kind": "gqa", "heads": 32, "kv-heads": 8, "head-dim": 128}
    assert found["multimodal"] is True


def test_a_wrapper_around_an_unknown_model_is_refused_with_both_names(tmp_path: Path):
    config = {"architectures": ["LlavaForConditionalGeneration"], "text_config": {"model_type": "newest"}}
    assert "attention" not in figures(tmp_path, config)
    assert "LlavaForConditionalGeneration around newest is unknown" in explain(tmp_path, ["attention"])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {
                "architectures": ["DbrxForCausalLM"],
                "d_model": 6144,
                "n_layers": 40,
                "n_heads": 48,
                "max_seq_len": 32768,
                "vocab_size": 100352,
                "attn_config": {"kv_n_heads": 8},
                "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4},
            },
            {"layers": 40, "hidden": 6144, "context": 32768, "kv": 8},
        ),
        (
            {
                "architectures": ["ChatGLMModel"],
                "hidden_size": 4096,
                "num_layers": 28,
                "num_attention_heads": 32,
                "kv_channels": 128,
                "multi_query_attention": True,
                "multi_query_group_num": 2,
                "ffn_hidden_size": 13696,
                "padded_vocab_size": 65024,
                "seq_length": 8192,
            },
            {"layers": 28, "hidden": 4096, "context": 8192, "kv": 2},
        ),
        (
            {
                "architectures": ["GPT2LMHeadModel"],
                "model_type": "gpt2",
                "n_embd": 768,
                "n_head": 12,
                "n_layer": 12,
                "n_positions": 1024,
                "vocab_size": 50257,
            },
            {"layers": 12, "hidden": 768, "context": 1024, "kv": 12},
        ),
        (
            {
                **DENSE,
                "architectures": ["CohereForCausalLM"],
                "model_max_length": 131072,
            },
            {"layers": 32, "hidden": 4096, "context": 131072, "kv": 8},
        ),
    ],
    ids=["dbrx", "chatglm", "gpt2", "command-r"],
)
def test_a_figure_is_read_under_each_of_its_names(
    tmp_path: Path, config: dict[str, Any], expected: dict[str, int]
):
    found = figures(tmp_path, config)
    assert {key: found[key] for key in ("layers", "hidden", "context")} == {
        key: value for key, value in expected.items() if key != "kv"
    }
    assert found["attention"]["kv-heads"] == expected["kv"]
    assert found["dtype"] == "bf16", "vLLM takes what states none for float32 and casts it"


@pytest.mark.parametrize(
    "name",
    [
        *("ModernBertModel", "NomicBertModel", "GteNewForSequenceClassification", "RobertaForMaskedLM"),
        *("BertForTokenClassification", "LlamaBidirectionalModel", "XLMRobertaForSequenceClassification"),
    ],
)
def test_an_encoder_keeps_no_cache(tmp_path: Path, name: str):
    assert figures(tmp_path, {**DENSE, "architectures": [name]})["attention"]["kind"] == "encoder"


@pytest.mark.parametrize(
    "name", ["Qwen2Model", "Qwen3ForSequenceClassification", "LlamaForTokenClassification"]
)
def test_a_decoder_that_answers_with_vectors_or_classes_keeps_its_cache(tmp_path: Path, name: str):
    assert figures(tmp_path, {**DENSE, "architectures": [name]})["attention"]["kind"] == "gqa"


@pytest.mark.parametrize(
    ("stated", "dtype"),
    [
        ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3"}}}, "fp8"),
        (
            {"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp4", "group_size": 32}}},
            "mxfp4",
        ),
        ({"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig"}}}, "int4"),
        ({"quant_method": "torchao", "quant_type": "float8_weight_only"}, "fp8"),
        ({"quant_method": "experts_int8"}, "int8"),
        (
            {
                "quant_method": "modelopt",
                "quant_algo": "MIXED_PRECISION",
                "quantized_layers": {"a": {"quant_algo": "FP8"}, "b": {"quant_algo": "NVFP4"}},
            },
            "nvfp4",
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {
                    "a": {"weights": {"type": "float", "num_bits": 8}},
                    "b": {"weights": {"type": "float", "num_bits": 4, "group_size": 16}},
                },
            },
            "nvfp4",
        ),
        ({"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "mx9"}}}, None),
        ({"quant_method": "torchao", "quant_type": {"default": {"_type": "UIntXWeightOnlyConfig"}}}, None),
    ],
)
def test_a_quantisation_is_read_by_its_method(tmp_path: Path, stated: dict[str, Any], dtype: str | None):
    config = {**DENSE, "architectures": ["LlamaForCausalLM"], "quantization_config": stated}
    assert figures(tmp_path, config).get("dtype") == dtype


@pytest.mark.parametrize(
    ("config", "published"),
    [
        (NEMOTRON_NANO, 63.2e9),
        (JAMBA, 103e9),
        (GEMMA_3_4B, 8.6e9),
        ({**DENSE, "architectures": ["CohereForCausalLM"]}, 16.1e9),
    ],
    ids=["nemotron-3-nano", "jamba-v0.1", "gemma-3-4b", "dense"],
)
def test_a_total_far_below_what_is_described_is_refused_for_every_kind(
    tmp_path: Path, config: dict[str, Any], published: float
):
    assert figures(tmp_path, config, int(published))["layers"]
    with pytest.raises(Unreadable, match="describes a model of at least"):
        figures(tmp_path, config, int(published / 3))


def test_weights_of_several_dtypes_are_not_computed_from_a_number_of_parameters(tmp_path: Path):
    layers = {"a": {"quant_algo": "FP8"}, "b": {"quant_algo": "NVFP4"}}
    stated = {"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION", "quantized_layers": layers}
    figures(tmp_path, {**DENSE, "architectures": ["LlamaForCausalLM"], "quantization_config": stated})
    assert "dtype" not in read_folder(tmp_path, weigh=False)
    assert "'MIXED_PRECISION' is no dtype" in explain(tmp_path, ["dtype"])
