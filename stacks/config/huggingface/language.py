"""The language model that a `config.json` describes, under one set of names.

vLLM reads the inner configuration of a wrapper (`get_text_config` of transformers) and takes the same figure
under several names (vllm/transformers_utils/model_arch_config_convertor.py at v0.30.0).
"""

from collections.abc import Mapping
from typing import Any, cast

from corral.stacks.config.huggingface.values import Config, inner, number

INNER = ("text_config", "llm_config", "language_config", "thinker_config", "language_model_config")
"""Keys of the language model inside a wrapper."""
NAMES: Mapping[str, tuple[str, ...]] = {
    "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
    "hidden_size": ("n_embd", "d_model"),
    "num_attention_heads": ("n_head", "n_heads", "num_heads"),
    "num_key_value_heads": ("n_head_kv", "num_kv_heads", "multi_query_group_num", "num_attention_groups"),
    "head_dim": ("kv_channels", "hidden_size_per_head", "attention_head_dim"),
    "intermediate_size": ("n_inner", "ffn_hidden_size", "ffn_dim", "block_ff_dim"),
    "vocab_size": ("padded_vocab_size",),
    "num_experts_per_tok": ("num_experts_per_token", "top_k_experts", "moe_topk", "moe_top_k", "moe_k"),
    "moe_intermediate_size": ("expert_ffn_hidden_size", "expert_intermediate_size"),
}
"""Other names of a figure, in the order in which they count."""
NESTED: Mapping[str, tuple[str, str]] = {
    "num_key_value_heads": ("attn_config", "kv_n_heads"),
    "intermediate_size": ("ffn_config", "ffn_hidden_size"),
    "num_experts": ("ffn_config", "moe_num_experts"),
    "num_experts_per_tok": ("ffn_config", "moe_top_k"),
}
"""Figures of DBRX, by key of the object that they are in."""
POSITIONS = (
    *("max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "max_target_positions"),
    *("max_sequence_length", "max_seq_length", "seq_len"),
)
"""Names of the longest sequence; the least counts."""
LLAMA = {
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
    "intermediate_size": 11008,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "llama": LLAMA,
    "qwen2": {**LLAMA, "intermediate_size": 22016, "vocab_size": 151936, "max_position_embeddings": 32768},
    "mistral": {
        **LLAMA,
        "num_key_value_heads": 8,
        "intermediate_size": 14336,
        "max_position_embeddings": 131072,
    },
    "gemma2": {
        "hidden_size": 2304,
        "num_hidden_layers": 26,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "intermediate_size": 9216,
        "vocab_size": 256000,
        "max_position_embeddings": 8192,
        "sliding_window": 4096,
    },
    "gemma3_text": {
        "hidden_size": 2304,
        "num_hidden_layers": 26,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "intermediate_size": 9216,
        "vocab_size": 262208,
        "max_position_embeddings": 131072,
        "sliding_window": 4096,
    },
    "gemma3n_text": {
        "hidden_size": 2048,
        "num_hidden_layers": 35,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 256,
        "intermediate_size": 16384,
        "vocab_size": 262400,
        "max_position_embeddings": 32768,
        "sliding_window": 512,
        "num_kv_shared_layers": 15,
    },
    "llama4_text": {
        "hidden_size": 5120,
        "num_hidden_layers": 48,
        "num_attention_heads": 40,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": 8192,
        "vocab_size": 202048,
        "max_position_embeddings": 131072,
        "num_local_experts": 16,
        "num_experts_per_tok": 1,
    },
}
"""What transformers 5.12 takes for keys that the inner configuration of a wrapper omits, by its `model_type`.

Publishers save an inner configuration as its difference from these.
"""


def language(config: Config) -> Config:
    """Keys of the language model in `config`, those of a wrapper under them, each under its usual name."""
    nested = _nested(config)
    usual = DEFAULTS.get(str(nested.get("model_type")), {})
    # What is null is stated: no window, a key and a value for each head.
    defaults = {key: value for key, value in usual.items() if nested.get(key, value) is not None}
    merged = {**defaults, **_stated(config), **_stated(nested)} if nested else {**_stated(config)}
    for key, others in NAMES.items():
        merged.setdefault(key, next((_most(merged[one]) for one in others if one in merged), None))
    for key, (outer, name) in NESTED.items():
        if merged.get(key) is None:
            merged[key] = inner(config, outer).get(name)
    merged["torch_dtype"], merged["dtype"] = _dtype(config, nested), None
    return {**_stated(merged), **_special(merged)}


def wrapped(config: Config) -> Config:
    """The configuration of the language model inside a wrapper; empty where there is no wrapper."""
    return _nested(config)


def wrappers(config: Config) -> tuple[str, ...]:
    """Keys of the objects that the language model is in, outermost first."""
    for key in INNER:
        nested = inner(config, key)
        if nested:
            return (key, *wrappers(nested))
    return ()


def positions(text: Config) -> int | None:
    """Positions that a model was made for, by the key that counts."""
    stated = number(text, "model_max_length")
    if stated:
        return stated
    return min((count for key in POSITIONS if (count := number(text, key))), default=None)


def _nested(config: Config) -> Config:
    for key in INNER:
        nested = inner(config, key)
        if nested:
            return _nested(nested) or nested
    return {}


def _dtype(config: Config, nested: Config) -> object:
    """The dtype that vLLM takes (`get_torch_dtype`): the wrapper's before that of the model inside."""
    words = (source.get(key) for source in (config, nested) for key in ("dtype", "torch_dtype"))
    return next((word for word in words if word is not None), None)


def _most(value: object) -> object:
    """The largest of a list of numbers, one for each layer; any other value as it is."""
    if not isinstance(value, list):
        return value
    numbers = [one for one in cast("list[object]", value) if isinstance(one, int)]
    return max(numbers) if numbers and len(numbers) == len(cast("list[object]", value)) else None


def _stated(config: Config) -> dict[str, Any]:
    return {key: value for key, value in config.items() if value is not None}


def _special(text: Config) -> dict[str, Any]:
    """Figures that one family computes."""
    changes: dict[str, Any] = {}
    hidden = number(text, "hidden_size")
    if text.get("multi_query") is True and text.get("new_decoder_architecture") is not True:
        changes["num_key_value_heads"] = 1
    if text.get("multi_query_attention") is False:
        changes["num_key_value_heads"] = number(text, "num_attention_heads")
    if text.get("model_type") in FOUR_TIMES and hidden and number(text, "intermediate_size") is None:
        changes["intermediate_size"] = 4 * hidden
    if text.get("model_type") in SHARED and not number(text, "num_local_experts"):
        changes["intermediate_size"] = number(text, "shared_intermediate_size") or text.get(
            "intermediate_size"
        )
    blocks = number(text, "num_layers")
    if text.get("model_type") in SHORTCUT and blocks:
        changes["num_hidden_layers"] = 2 * blocks
    width = number(text, "intermediate_size")
    if text.get("model_type") in ADJUSTED and width and text.get("block_auto_adjust_ff_dim") is True:
        changes["intermediate_size"] = 2 * width // 3
    return changes


FOUR_TIMES = (
    *("gpt2", "gptj", "falcon", "RefinedWeb", "RefinedWebModel", "bloom", "gpt_bigcode", "mpt", "phi"),
    "phi-msft",
)
"""Models whose feed-forward layers are four times as wide as the hidden state unless stated."""
SHARED = ("granitemoehybrid",)
"""Models that have their shared feed-forward layer alone where they have no experts."""
SHORTCUT = ("longcat_flash", "longcat_flash_ngram")
"""Models of which each block attends twice and has experts once."""
ADJUSTED = ("lfm2", "lfm2_moe")
"""Models whose feed-forward layers are two thirds of the stated width (`block_auto_adjust_ff_dim`)."""
