"""Figures of a model in the content of its `config.json`. Pure."""

from corral.stacks.config.huggingface.attention import attention_reader
from corral.stacks.config.huggingface.values import (
    CONFIG,
    Config,
    Figures,
    Unreadable,
    architecture,
    inner,
    number,
    shown,
)


def facts(config: Config) -> Figures:
    """Figures in the content of a `config.json`; what it lacks is absent. Pure.

    Raises:
        Unreadable: a key has a value of another type.
    """
    text = {**config, **inner(config, "text_config")}
    name = architecture(config)
    reader = attention_reader(config)
    return known_only(
        {
            "dtype": _dtype(text),
            "layers": number(text, "num_hidden_layers"),
            "hidden": number(text, "hidden_size"),
            "intermediate": _intermediate(text),
            "vocabulary": number(text, "vocab_size"),
            "context": _context(text, name),
            "tied": text.get("tie_word_embeddings") is True,
            "multimodal": any(key in config for key in ("vision_config", "audio_config")),
            "attention": reader(text, name) if reader else None,
            "experts": _experts(text),
        }
    )


def sparse_layers(config: Config) -> int:
    """Layers with routed experts, at least."""
    text = {**config, **inner(config, "text_config")}
    layers = number(text, "num_hidden_layers") or 0
    steps = (
        number(text, key) for key in ("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_freq")
    )
    step = max(1, *(one or 1 for one in steps))
    return max(0, layers - (number(text, "first_k_dense_replace") or 0)) // step


def untied(config: Config) -> bool:
    """Whether the configuration says that input and output have a table each."""
    text = {**config, **inner(config, "text_config")}
    return text.get("tie_word_embeddings") is False


def known_only(found: Figures) -> Figures:
    return {key: value for key, value in found.items() if value is not None}


def _intermediate(text: Config) -> int | None:
    """Width of a dense layer, or of what every token passes beside the routed experts."""
    if _count_of_experts(text) is None or "first_k_dense_replace" in text:
        return number(text, "intermediate_size")
    return number(text, "shared_expert_intermediate_size") or number(text, "intermediate_size_mlp") or 0


def _experts(text: Config) -> Figures | None:
    count = _count_of_experts(text)
    if count is None:
        return None
    active = number(text, "num_experts_per_tok") or number(text, "top_k_experts")
    width = number(text, "moe_intermediate_size") or number(text, "intermediate_size")
    for key, value in (("num_experts_per_tok", active), ("moe_intermediate_size", width)):
        if not value:
            raise Unreadable(
                f"{CONFIG}: {key}: {shown(text.get(key))}: a model of {count} experts needs a number"
            )
    return {"count": count, "active": active, "intermediate": width}


def _count_of_experts(text: Config) -> int | None:
    keys = ("num_experts", "num_local_experts", "n_routed_experts")
    return next((count for key in keys if (count := number(text, key))), None)


def _context(text: Config, name: str) -> int | None:
    """Tokens of the longest sequence as vLLM derives them (`_get_and_verify_max_len`)."""
    positions = number(text, "max_position_embeddings")
    if positions is None:
        return None
    if name in PADDED_POSITIONS:
        padding = number(text, "pad_token_id")
        return positions - (1 if padding is None else padding) - 1
    scaling = inner(text, "rope_scaling") or inner(text, "rope_parameters")
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    if kind in UNSCALED or name.startswith("Gemma3"):
        return positions
    factor = scaling.get("factor")
    if not isinstance(factor, int | float) or isinstance(factor, bool) or not 1 <= factor <= MOST_SCALED:
        raise Unreadable(f"{CONFIG}: rope_scaling.factor: {shown(factor)}: a number of 1 to {MOST_SCALED}")
    original = number(scaling, "original_max_position_embeddings") if kind == "yarn" else None
    return int((original or positions) * factor)


def _dtype(text: Config) -> str | None:
    """How vLLM holds the weights; `--dtype auto` casts 32 bits to 16."""
    quantised = inner(text, "quantization_config")
    if quantised:
        return _quantised(quantised)
    plain = {"bfloat16": "bf16", "float16": "fp16", "float32": "bf16"}
    return plain.get(str(text.get("torch_dtype") or text.get("dtype")))


def _quantised(said: Config) -> str | None:
    # ModelOpt's own exports name themselves as producer and have no method.
    producer = inner(said, "producer").get("name")
    match said.get("quant_method") or producer:
        case "compressed-tensors":
            groups = inner(said, "config_groups")
            kinds = {_compressed(inner(groups, name)) for name in groups}
            return kinds.pop() if len(kinds) == 1 else None
        case "awq" | "gptq" | "auto-round":
            bits = number(said, "bits") or number(said, "w_bit")
            return {4: "int4", 8: "int8"}.get(bits or 0)
        case "fp8":
            return "fp8-block" if said.get("weight_block_size") else "fp8"
        case "fbgemm_fp8":
            return "fbgemm-fp8"
        case "modelopt" | "modelopt_fp4":
            algorithm = said.get("quant_algo") or inner(said, "quantization").get("quant_algo")
            return MODELOPT.get(str(algorithm))
        case "bitsandbytes":
            return _bitsandbytes(said)
        case "mxfp4":
            return "mxfp4"
        case _:
            return None


def _compressed(group: Config) -> str | None:
    weights = inner(group, "weights")
    kind = f"{weights.get('type')}{weights.get('num_bits')}"
    match kind:
        case "float8":
            return "fp8-block" if weights.get("strategy") == "block" else "fp8"
        case "float4":
            return {16: "nvfp4", 32: "mxfp4"}.get(number(weights, "group_size") or 0)
        case "int8" | "int4":
            return kind
        case _:
            return None


def _bitsandbytes(said: Config) -> str | None:
    """Four bits of either type weigh the same."""
    if said.get("load_in_4bit") is True or said.get("_load_in_4bit") is True:
        return "nf4"
    eight = said.get("load_in_8bit") is True or said.get("_load_in_8bit") is True
    return "int8" if eight else None


MODELOPT = {
    "FP8": "fp8",
    "FP8_PER_CHANNEL_PER_TOKEN": "fp8",
    "FP8_PB_WO": "fp8-block",
    "NVFP4": "nvfp4",
}
"""Dtype by the algorithm of ModelOpt."""
PADDED_POSITIONS = frozenset(
    {
        *("RobertaModel", "RobertaForSequenceClassification"),
        *("XLMRobertaModel", "XLMRobertaForSequenceClassification"),
    }
)
"""Architectures whose positions begin after the padding token."""
UNSCALED = ("default", "llama3", "longrope", "su", "mrope")
"""Types of rope scaling that `max_position_embeddings` already counts."""
MOST_SCALED = 1024
"""Factor of rope scaling above which a file is refused."""
