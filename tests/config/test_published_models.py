"""Models as their publishers wrote them: keys of `config.json` that decide memory.

From the configurations in aiconfigurator-core 0.12.0; NEXT and RERANKER have the keys of their families and
figures that are only likely.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from corral.catalogue.quantities import GIB
from corral.stacks.config.huggingface.folder import read_folder
from corral.stacks.config.huggingface.values import Unreadable

BLOCKS = {"quant_method": "fp8", "weight_block_size": [128, 128]}
QWEN3_VL: dict[str, Any] = {
    "architectures": ["Qwen3VLForConditionalGeneration"],
    "vision_config": {"depth": 27},
    "tie_word_embeddings": False,
    "text_config": {
        "model_type": "qwen3_vl_text",
        "dtype": "bfloat16",
        "head_dim": 128,
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "max_position_embeddings": 262144,
        "num_attention_heads": 32,
        "num_hidden_layers": 36,
        "num_key_value_heads": 8,
        "vocab_size": 151936,
    },
}
MINIMAX_M2: dict[str, Any] = {
    "architectures": ["MiniMaxM2ForCausalLM"],
    "num_hidden_layers": 62,
    "hidden_size": 3072,
    "num_attention_heads": 48,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "intermediate_size": 1536,
    "vocab_size": 200064,
    "num_experts_per_tok": 8,
    "num_local_experts": 256,
    "max_position_embeddings": 196608,
    "quantization_config": BLOCKS,
}
DEEPSEEK: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "first_k_dense_replace": 3,
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "kv_lora_rank": 512,
    "max_position_embeddings": 163840,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "num_attention_heads": 128,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 61,
    "qk_rope_head_dim": 64,
    "torch_dtype": "bfloat16",
    "vocab_size": 129280,
}
KIMI: dict[str, Any] = {
    "architectures": ["KimiK25ForConditionalGeneration"],
    "vision_config": {},
    "text_config": {
        **DEEPSEEK,
        "architectures": ["DeepseekV3ForCausalLM"],
        "model_type": "kimi_k2",
        "max_position_embeddings": 262144,
        "n_routed_experts": 384,
        "num_attention_heads": 64,
        "vocab_size": 163840,
    },
}
GLM: dict[str, Any] = {
    **DEEPSEEK,
    "architectures": ["GlmMoeDsaForCausalLM"],
    "hidden_size": 6144,
    "index_head_dim": 128,
    "num_attention_heads": 64,
    "num_hidden_layers": 78,
    "vocab_size": 154880,
    "max_position_embeddings": 202752,
}
NEXT: dict[str, Any] = {
    "architectures": ["Qwen3NextForCausalLM"],
    "torch_dtype": "bfloat16",
    "full_attention_interval": 4,
    "head_dim": 256,
    "hidden_size": 2048,
    "intermediate_size": 5120,
    "linear_conv_kernel_dim": 4,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_value_head_dim": 128,
    "max_position_embeddings": 262144,
    "moe_intermediate_size": 512,
    "num_attention_heads": 16,
    "num_experts": 512,
    "num_experts_per_tok": 10,
    "num_hidden_layers": 48,
    "num_key_value_heads": 2,
    "shared_expert_intermediate_size": 512,
    "vocab_size": 151936,
}
RERANKER: dict[str, Any] = {
    "architectures": ["XLMRobertaForSequenceClassification"],
    "torch_dtype": "float32",
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 16,
    "num_hidden_layers": 24,
    "max_position_embeddings": 8194,
    "pad_token_id": 1,
    "vocab_size": 250002,
}


def figures(folder: Path, config: dict[str, Any], gib: float, described: dict[str, Any] | None = None) -> Any:
    (folder / "config.json").write_text(json.dumps(config))
    index = {"metadata": {"total_size": int(gib * GIB)}, "weight_map": {"w": "model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    if described is not None:
        (folder / "hf_quant_config.json").write_text(json.dumps(described))
    return read_folder(folder)


@pytest.mark.parametrize(
    ("config", "gib", "expected"),
    [
        (QWEN3_VL, 16.4, {"kind": "gqa", "heads": 32, "kv-heads": 8, "head-dim": 128}),
        (MINIMAX_M2, 214, {"kind": "gqa", "heads": 48, "kv-heads": 8, "head-dim": 128}),
        (KIMI, 1910, {"kind": "mla", "heads": 64, "latent": 512, "rope": 64, "index": 0}),
        (GLM, 1390, {"kind": "mla", "heads": 64, "latent": 512, "rope": 64, "index": 128}),
        (RERANKER, 2.1, {"kind": "encoder", "heads": 16}),
    ],
    ids=["qwen3-vl", "minimax-m2", "kimi-k2.5", "glm-5", "bge-reranker"],
)
def test_attention_is_read_of_what_publishers_call_by_their_own_names(
    tmp_path: Path, config: dict[str, Any], gib: float, expected: dict[str, Any]
):
    assert figures(tmp_path, config, gib)["attention"] == expected


def test_layers_that_attend_are_counted_by_their_interval_where_no_layer_is_listed(tmp_path: Path):
    found = figures(tmp_path, NEXT, 152)["attention"]
    assert found["kind"] == "hybrid" and found["full-layers"] == 12
    (tmp_path / "config.json").write_text(json.dumps({**NEXT, "full_attention_interval": 0}))
    assert "attention" not in read_folder(tmp_path), "neither layers nor an interval: named, not guessed"


def test_positions_of_a_reranker_begin_after_the_padding_token(tmp_path: Path):
    assert figures(tmp_path, RERANKER, 2.1)["context"] == 8192


@pytest.mark.parametrize(
    ("algorithm", "gib", "dtype"),
    [("NVFP4", 386, "nvfp4"), ("FP8", 640, "fp8"), ("FP8_PB_WO", 640, "fp8-block")],
)
def test_a_quantisation_that_is_described_beside_the_configuration_counts_as_vllm_counts_it(
    tmp_path: Path, algorithm: str, gib: float, dtype: str
):
    described = {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": algorithm}}
    assert figures(tmp_path, DEEPSEEK, gib, described)["dtype"] == dtype


def test_what_the_configuration_itself_says_of_its_quantisation_counts_more(tmp_path: Path):
    described = {"quantization": {"quant_algo": "NVFP4"}}
    config = {**DEEPSEEK, "quantization_config": BLOCKS}
    assert figures(tmp_path, config, 642, described)["dtype"] == "fp8-block"


def test_an_export_of_modelopt_is_known_by_its_producer_where_it_names_no_method(tmp_path: Path):
    stated = {"quant_algo": "FP8", "producer": {"name": "modelopt", "version": "0.31.0"}}
    assert figures(tmp_path, {**DEEPSEEK, "quantization_config": stated}, 640)["dtype"] == "fp8"


DEEPSEEK_V4_FLASH: dict[str, Any] = {
    **DEEPSEEK,
    "hidden_size": 4096,
    "num_hidden_layers": 43,
    "first_k_dense_replace": 0,
    "num_experts_per_tok": 6,
    "vocab_size": 129280,
    "quantization_config": BLOCKS,
    "expert_dtype": "fp4",
}


def test_experts_in_fewer_bits_than_the_rest_lower_what_a_model_weighs_at_least(tmp_path: Path):
    """The files of DeepSeek-V4-Flash have experts in four bits under a quantisation called fp8."""
    assert figures(tmp_path, DEEPSEEK_V4_FLASH, 160)["dtype"] == "mxfp4"
    with pytest.raises(Unreadable, match="describes a model of at least"):
        figures(tmp_path, {**DEEPSEEK_V4_FLASH, "expert_dtype": "fp8"}, 160)


def test_a_dense_part_beside_experts_is_as_wide_as_stated(tmp_path: Path):
    """gemma-4-26B-A4B passes each token through both."""
    text = {
        "model_type": "gemma4_text",
        "enable_moe_block": True,
        "intermediate_size": 2112,
        "moe_intermediate_size": 704,
        "num_experts": 128,
        "top_k_experts": 8,
        "hidden_size": 2816,
        "num_hidden_layers": 30,
    }
    config = {"architectures": ["Gemma4ForConditionalGeneration"], "text_config": text}
    assert figures(tmp_path, config, 48)["intermediate"] == 2112
