"""Attention of a model by the class that its `config.json` names."""

from collections.abc import Callable, Mapping

from corral.stacks.config.huggingface.values import Config, Figures, architecture, full_layers, inner, number

Reader = Callable[[Config, str], Figures | None]


def attention_reader(config: Config) -> Reader | None:
    """How attention is read: by the model inside where it differs from what its wrapper is known for."""
    if inner(config, "text_config").get("model_type") in LATENT_MODELS:
        return _latent
    return ARCHITECTURES.get(architecture(config))


def lacking_keys(text: Config, reader: Reader, name: str) -> list[str]:
    """Keys that `reader` needs and that are absent or of another type."""
    heads = () if reader in (_latent, _encoder) or name not in STATE_HEAD_DIM else ("head_dim",)
    lacking = [key for key in ("num_attention_heads", *heads, *KEYS[reader]) if number(text, key) is None]
    if reader == _grouped and text.get("num_key_value_heads") is None:
        lacking = [key for key in lacking if key != "num_key_value_heads"]
    typed = OTHER_LAYERS.get(reader)
    if typed and full_layers(text, typed) is None:
        lacking.append(f"layer_types (full_attention or {typed}, one for each layer)")
    return lacking or ["hidden_size"]


def _whole(found: Figures) -> Figures | None:
    """`found`, or None where something in it is missing."""
    return None if None in found.values() else found


def _grouped(text: Config, name: str) -> Figures | None:
    heads, hidden = number(text, "num_attention_heads"), number(text, "hidden_size")
    derived = hidden // heads if heads and hidden and name not in STATE_HEAD_DIM else None
    return _whole(
        {
            "kind": "gqa",
            "heads": heads,
            "kv-heads": heads
            if text.get("num_key_value_heads") is None
            else number(text, "num_key_value_heads"),
            "head-dim": number(text, "head_dim") or derived,
        }
    )


def _sliding(text: Config, name: str) -> Figures | None:
    base = _grouped(text, name)
    layers = {
        "full-layers": full_layers(text, "sliding_attention"),
        "window": number(text, "sliding_window"),
    }
    wider = _wider_heads(text) if name in WIDER_HEADS else {}
    return base and _whole({**base, "kind": "sliding", **layers, **wider})


def _wider_heads(text: Config) -> Figures:
    """Heads of the layers that see all, as vllm/transformers_utils/configs/gemma4.py at v0.30.0 has them."""
    found = {"full-head-dim": number(text, "global_head_dim")}
    if text.get("attention_k_eq_v") is True:
        found["full-kv-heads"] = number(text, "num_global_key_value_heads")
    return {key: value for key, value in found.items() if value}


def _hybrid(text: Config, name: str) -> Figures | None:
    base = _grouped(text, name)
    states = {
        "full-layers": full_layers(text, "linear_attention"),
        "state-heads": number(text, "linear_num_value_heads"),
        "state-key-heads": number(text, "linear_num_key_heads"),
        "state-dim": number(text, "linear_value_head_dim"),
        "kernel": number(text, "linear_conv_kernel_dim"),
    }
    return base and _whole({**base, "kind": "hybrid", **states})


def _latent(text: Config, name: str) -> Figures | None:
    return _whole(
        {
            "kind": "mla",
            "heads": number(text, "num_attention_heads"),
            "latent": number(text, "kv_lora_rank"),
            "rope": number(text, "qk_rope_head_dim"),
            "index": number(text, "index_head_dim") or 0,
        }
    )


def _encoder(text: Config, name: str) -> Figures | None:
    return _whole({"kind": "encoder", "heads": number(text, "num_attention_heads")})


KEYS: Mapping[Reader, tuple[str, ...]] = {
    _grouped: ("num_key_value_heads",),
    _sliding: ("sliding_window",),
    _hybrid: (
        "linear_num_value_heads",
        "linear_num_key_heads",
        "linear_value_head_dim",
        "linear_conv_kernel_dim",
    ),
    _latent: ("kv_lora_rank", "qk_rope_head_dim"),
    _encoder: (),
}
"""Numbers that attention is read from beside its heads."""
OTHER_LAYERS: Mapping[Reader, str] = {_sliding: "sliding_attention", _hybrid: "linear_attention"}
"""Types of layers beside full attention."""
LATENT_MODELS = ("mistral4",)
"""Types of inner models with latent attention inside a wrapper that is known for another."""
STATE_HEAD_DIM = frozenset(
    {
        *("Qwen3ForCausalLM", "Qwen3MoeForCausalLM", "Qwen3_5ForConditionalGeneration"),
        *("Qwen3_5MoeForConditionalGeneration", "GemmaForCausalLM", "Gemma2ForCausalLM", "Gemma3ForCausalLM"),
        *("Gemma3ForConditionalGeneration", "Gemma4ForConditionalGeneration", "GptOssForCausalLM"),
        *("Gemma4ForCausalLM", "Mistral3ForConditionalGeneration", "Qwen3VLForConditionalGeneration"),
        *("Qwen3VLMoeForConditionalGeneration", "Qwen3NextForCausalLM", "MiniMaxM2ForCausalLM"),
        *("Glm4ForCausalLM", "Glm4MoeForCausalLM", "SeedOssForCausalLM", "Ernie4_5ForCausalLM"),
    }
)
"""Architectures whose heads are not hidden / heads wide: the file must state `head_dim`."""
WIDER_HEADS = frozenset({"Gemma4ForCausalLM", "Gemma4ForConditionalGeneration"})
"""Architectures whose layers with whole sequences have heads of their own."""
ARCHITECTURES: Mapping[str, Reader] = {
    "LlamaForCausalLM": _grouped,
    "MistralForCausalLM": _grouped,
    "Mistral3ForConditionalGeneration": _grouped,
    "MixtralForCausalLM": _grouped,
    "Llama4ForConditionalGeneration": _grouped,
    "Qwen2ForCausalLM": _grouped,
    "Qwen3ForCausalLM": _grouped,
    "Qwen2MoeForCausalLM": _grouped,
    "Qwen2VLForConditionalGeneration": _grouped,
    "Qwen2_5_VLForConditionalGeneration": _grouped,
    "Qwen3MoeForCausalLM": _grouped,
    "Qwen3VLForConditionalGeneration": _grouped,
    "Qwen3VLMoeForConditionalGeneration": _grouped,
    "MiMoForCausalLM": _grouped,
    "MiniMaxM2ForCausalLM": _grouped,
    "Glm4ForCausalLM": _grouped,
    "Glm4MoeForCausalLM": _grouped,
    "Ernie4_5ForCausalLM": _grouped,
    "Olmo2ForCausalLM": _grouped,
    "SeedOssForCausalLM": _grouped,
    "Phi3ForCausalLM": _grouped,
    "GraniteForCausalLM": _grouped,
    "GemmaForCausalLM": _grouped,
    "Gemma2ForCausalLM": _grouped,
    "Gemma3ForCausalLM": _sliding,
    "Gemma3ForConditionalGeneration": _sliding,
    "Gemma4ForCausalLM": _sliding,
    "Gemma4ForConditionalGeneration": _sliding,
    "GptOssForCausalLM": _sliding,
    "Qwen3NextForCausalLM": _hybrid,
    "Qwen3_5ForConditionalGeneration": _hybrid,
    "Qwen3_5MoeForConditionalGeneration": _hybrid,
    "DeepseekV2ForCausalLM": _latent,
    "DeepseekV3ForCausalLM": _latent,
    "DeepseekV32ForCausalLM": _latent,
    "GlmMoeDsaForCausalLM": _latent,
    "KimiK25ForConditionalGeneration": _latent,
    "BertModel": _encoder,
    "BertForSequenceClassification": _encoder,
    "RobertaForSequenceClassification": _encoder,
    "XLMRobertaForSequenceClassification": _encoder,
    "RobertaModel": _encoder,
    "XLMRobertaModel": _encoder,
}
"""How attention is read, by the class that `config.json` names; whatever is not here is refused."""
