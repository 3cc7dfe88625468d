"""Attention of a model by the class that its `config.json` names."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from corral.stacks.config.huggingface import recurrent as states
from corral.stacks.config.huggingface.architectures import (
    ENCODERS,
    GATED_DELTA,
    GROUPED,
    INSIDE,
    LATENT,
    MODEL_TYPES,
    SLIDING,
    UNCOUNTED,
    WRAPPERS,
    families,
    within,
    words,
)
from corral.stacks.config.huggingface.language import positions, wrapped
from corral.stacks.config.huggingface.layers import Keeps, Layers, layer_count, layers
from corral.stacks.config.huggingface.values import CONFIG, Config, Figures, architecture, number

Reader = Callable[[Config, str], Figures | None]


def attention_reader(config: Config) -> Reader | None:
    """How attention is read: of a wrapper as of the model inside it."""
    return _of_class(served_class(config))


def served_class(config: Config) -> str:
    """The class of the language model: of a wrapper, that of the model inside it where that is known."""
    name = architecture(config)
    if not within(name, WRAPPERS):
        return name
    inside = wrapped(config)
    known = MODEL_TYPES.get(str(inside.get("model_type"))) or (architecture(inside) if inside else "")
    if known and _of_class(known) is not None:
        return known
    return next((INSIDE[one] for one in families(name) if one in INSIDE), name)


def why_unknown(config: Config) -> str:
    """Why no attention is read of the class that `config` names."""
    name = architecture(config)
    inside = wrapped(config)
    reason = next((UNCOUNTED[one] for one in families(name) if one in UNCOUNTED), "")
    within_it = str(inside.get("model_type") or "") if within(name, WRAPPERS) else ""
    model = f" around {within_it}" if within_it else ""
    if within(name, WRAPPERS) and not inside:
        reason = f"{CONFIG} has no text_config, the language model inside it"
    if not name:
        reason = f"{CONFIG} has no architectures"
    return f"architecture {name or 'none'}{model} is unknown" + (f": {reason}" if reason else "")


def lacking_keys(text: Config, reader: Reader, name: str) -> list[str]:
    """Keys that `reader` needs and that are absent or of another type."""
    if reader in STATES or isinstance(reader, partial):
        state: states.State = STATES[reader] if reader in STATES else cast("partial[Figures]", reader).args[0]
        listed = isinstance(reader, partial)
        return states.lacking(text, state, listed=listed) or ["num_attention_heads", "hidden_size"]
    heads = ("head_dim",) if reader in HEADED and within(name, STATE_HEAD_DIM) else ()
    lacking = [
        key for key in ("num_attention_heads", *heads, *KEYS.get(reader, ())) if number(text, key) is None
    ]
    if reader in HEADED and text.get("num_key_value_heads") is None:
        lacking = [key for key in lacking if key != "num_key_value_heads"]
    typed = OTHER_LAYERS.get(reader)
    if typed and _typed_layers(text, reader) is None:
        lacking.append(f"layer_types (full_attention or {typed}, one for each layer)")
    return lacking or ["hidden_size"]


def _of_class(name: str) -> Reader | None:
    """By the class itself, or by the model that it serves."""
    if name in CLASSES:
        return CLASSES[name]
    for family in families(name):
        for group, reader in FAMILIES:
            if family in group:
                return reader
    return None


def _whole(figures: Figures) -> Figures | None:
    """`figures`, or None where something in it is missing."""
    return None if None in figures.values() else figures


def _grouped(text: Config, name: str) -> Figures | None:
    heads, hidden = number(text, "num_attention_heads"), number(text, "hidden_size")
    derived = hidden // heads if heads and hidden and not within(name, STATE_HEAD_DIM) else None
    base = {
        "kind": "gqa",
        "heads": heads,
        "kv-heads": heads if text.get("num_key_value_heads") is None else number(text, "num_key_value_heads"),
        "head-dim": number(text, "head_dim") or derived,
    }
    window, longest = number(text, "sliding_window") or 0, positions(text) or 0
    if 0 < window < longest and text.get("layer_types") is None and text.get("model_type") in WINDOWED:
        return _whole({**base, "kind": "sliding", "full-layers": 0, "window": window})
    return _whole(base)


def _sliding(text: Config, name: str) -> Figures | None:
    base = _grouped({**text, "sliding_window": None}, name)
    typed = _typed_layers(text, _sliding)
    if base is None or typed is None:
        return None
    window = number(text, "sliding_window")
    own = typed.first(typed.total - (number(text, "num_kv_shared_layers") or 0))
    if not own.count(Keeps.WINDOW):
        return base
    kept = {
        "full-layers": own.count(Keeps.ALL),
        # Cohere's windows have the current token beside those that are stated.
        "window": window and window + (1 if within(name, COHERE) else 0),
        "shared-layers": typed.total - own.total,
    }
    return _whole({**base, "kind": "sliding", **kept, **_other_heads(text, name)})


def _typed_layers(text: Config, reader: Reader) -> Layers | None:
    """Layers that see all or a window, or that see all or keep a state."""
    typed = layers(text)
    other = Keeps.WINDOW if reader == _sliding else Keeps.STATE
    if typed is None or typed.count(Keeps.ALL, other) != typed.total:
        return None
    return typed if typed.count(Keeps.ALL) or reader == _sliding else None


def _other_heads(text: Config, name: str) -> Figures:
    """Heads in which layers that see all and layers with a window differ.

    vllm/transformers_utils/configs/gemma4.py and vllm/model_executor/models/mimo_v2.py at v0.30.0 have them.
    """
    if within(name, WIDER_HEADS):
        figures: Figures = {"full-head-dim": number(text, "global_head_dim")}
        if text.get("attention_k_eq_v") is True:
            figures["full-kv-heads"] = number(text, "num_global_key_value_heads")
    elif number(text, "swa_num_key_value_heads"):
        figures = {
            "kv-heads": number(text, "swa_num_key_value_heads"),
            "head-dim": number(text, "swa_head_dim") or number(text, "head_dim"),
            "full-kv-heads": number(text, "num_key_value_heads"),
            "full-head-dim": number(text, "head_dim"),
        }
    else:
        figures = {}
    return {key: value for key, value in figures.items() if value}


def _hybrid(text: Config, name: str) -> Figures | None:
    base = _grouped(text, name)
    typed = _typed_layers(text, _hybrid)
    if base is None or typed is None:
        return None
    kept = {
        "full-layers": typed.count(Keeps.ALL),
        "state-heads": number(text, "linear_num_value_heads"),
        "state-key-heads": number(text, "linear_num_key_heads"),
        "state-dim": number(text, "linear_value_head_dim"),
        "kernel": number(text, "linear_conv_kernel_dim"),
    }
    return _whole({**base, "kind": "hybrid", **kept})


def _latent(text: Config, name: str) -> Figures | None:
    if "kv_lora_rank" in text and number(text, "kv_lora_rank") is None:
        return None
    if within(name, DENSE_TOO) and "kv_lora_rank" not in text:
        return _grouped(text, name)
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


def _mamba(text: Config, name: str) -> Figures | None:
    return states.recurrent(text, states.mamba, states.every_layer(text, Keeps.STATE))


def _mamba2(text: Config, name: str) -> Figures | None:
    return states.recurrent(text, states.mamba2, states.every_layer(text, Keeps.STATE))


def _parallel_mamba2(text: Config, name: str) -> Figures | None:
    return states.recurrent(text, states.mamba2, states.every_layer(text, Keeps.BOTH))


def _listed(state: states.State, text: Config, name: str) -> Figures | None:
    return states.recurrent(text, state)


def _blocks(text: Config, name: str) -> Figures | None:
    """Blocks of which some do not attend, each with a number of queries for one key (`block_configs`)."""
    blocks = text.get("block_configs")
    heads, count = number(text, "num_attention_heads"), layer_count(text)
    if not isinstance(blocks, list) or not heads or len(cast("list[object]", blocks)) != count:
        return None
    shared: list[int | None] = []
    for block in cast("list[object]", blocks):
        stated = cast("Config", block).get("attention") if isinstance(block, dict) else None
        if not isinstance(stated, dict):
            return None
        attention = cast("Config", stated)
        skips = attention.get("no_op") is True or attention.get("replace_with_linear") is True
        shared.append(None if skips else number(attention, "n_heads_in_group"))
    attending = [one for one in shared if one]
    if not attending:
        return None
    kept = (Keeps.ALL if one else Keeps.NOTHING for one in shared)
    changed = {**text, "num_key_value_heads": heads // min(attending)}
    return states.recurrent(changed, states.nothing, Layers(tuple(kept)))


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
}
"""Numbers that attention is read from beside its heads."""
STATES: Mapping[Reader, states.State] = {
    _mamba: states.mamba,
    _mamba2: states.mamba2,
    _parallel_mamba2: states.mamba2,
}
"""States of models of which every layer has one."""
HEADED = (_grouped, _sliding, _hybrid)
"""Readers of heads with a key and a value each."""
OTHER_LAYERS: Mapping[Reader, str] = {_sliding: "sliding_attention", _hybrid: "linear_attention"}
"""Types of layers beside full attention."""
STATE_HEAD_DIM = words(
    """
    Ernie4_5 Gemma Gemma2 Gemma3 Gemma3Text Gemma3n Gemma4 Glm4 Glm4Moe GptOss MiniMaxM2 Mistral3 Qwen3
    Qwen3Moe Qwen3Next Qwen3VL Qwen3VLMoe Qwen3_5 Qwen3_5Moe SeedOss
    """
)
"""Architectures whose heads are not hidden / heads wide: the file must state `head_dim`."""
WIDER_HEADS = frozenset({"Gemma4", "Gemma4Unified"})
"""Architectures whose layers with whole sequences have heads of their own."""
COHERE = frozenset({"Cohere2", "Cohere2Moe", "Cohere2Vision"})
DENSE_TOO = frozenset({"DeepseekV2", "DeepseekVLV2", "DeepseekOCR", "DeepseekOCR2"})
"""Architectures with latent attention in some models and heads in others."""
WINDOWED = ("mistral", "mixtral", "phi3", "starcoder2")
"""Models of which every layer has the window that the file states (`EngineArgs.create_engine_config`)."""
CLASSES: Mapping[str, Reader] = {
    "BailingMoeV2_5ForCausalLM": partial(_listed, states.lightning),
    "DeciLMForCausalLM": _blocks,
    "FalconH1ForCausalLM": _parallel_mamba2,
    "FalconMambaForCausalLM": _mamba,
    "GraniteMoeHybridForCausalLM": partial(_listed, states.mamba2),
    "JambaForCausalLM": partial(_listed, states.mamba),
    "JambaForSequenceClassification": partial(_listed, states.mamba),
    "KimiLinearForCausalLM": partial(_listed, states.delta_attention),
    "Lfm2ForCausalLM": partial(_listed, states.short_convolution),
    "Lfm2MoeForCausalLM": partial(_listed, states.short_convolution),
    "Mamba2ForCausalLM": _mamba2,
    "MambaForCausalLM": _mamba,
    "NemotronHForCausalLM": partial(_listed, states.mamba2),
    "Zamba2ForCausalLM": partial(_listed, states.mamba2),
}
"""Architectures with recurrent or irregular layers, by class."""
FAMILIES: tuple[tuple[frozenset[str], Reader], ...] = (
    (frozenset({"KimiLinear"}), CLASSES["KimiLinearForCausalLM"]),
    (frozenset({"NemotronH"}), CLASSES["NemotronHForCausalLM"]),
    (frozenset({"GraniteMoeHybrid"}), CLASSES["GraniteMoeHybridForCausalLM"]),
    (frozenset({"Lfm2", "Lfm2Moe"}), CLASSES["Lfm2ForCausalLM"]),
    (ENCODERS, _encoder),
    (LATENT, _latent),
    (GATED_DELTA, _hybrid),
    (SLIDING, _sliding),
    (GROUPED, _grouped),
)
"""How attention is read, by the model that a class serves; whatever is not here is refused."""
