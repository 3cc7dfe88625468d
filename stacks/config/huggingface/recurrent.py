"""Layers with a state of fixed size, as vLLM v0.30.0 shapes them.

vllm/model_executor/layers/mamba/mamba_utils.py has the shapes (`MambaStateShapeCalculator`) and the dtypes;
`get_mamba_state_shape_from_config` of each model in vllm/model_executor/models has the keys.
"""

from collections.abc import Callable, Mapping

from corral.stacks.config.huggingface.layers import Keeps, Layers, layer_count, layers
from corral.stacks.config.huggingface.values import Config, Figures, inner, number

ELEMENT, SINGLE = 2, 4
"""Bytes of an element in the dtype of the model, and in single precision."""
REPLICATED = 8
"""Groups of a state that each device has one of at least; no replica spans more devices."""
NAMES: Mapping[str, tuple[str, ...]] = {
    "heads": ("mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "num_heads"),
    "dimensions": ("mamba_head_dim", "mamba_d_head", "mamba_headdim", "head_dim"),
    "groups": ("n_groups", "mamba_n_groups", "mamba_ngroups", "mamba_num_groups"),
    "state": ("ssm_state_size", "mamba_d_state", "state_size", "mamba_state_dim"),
    "kernel": ("conv_kernel", "mamba_d_conv"),
    "expand": ("expand", "mamba_expand"),
}
"""Keys of a figure of Mamba, one for each family."""
State = Callable[[Config], Figures | None]
"""Heads and bytes of the state of one layer."""


def recurrent(text: Config, state: State, pattern: Layers | None = None) -> Figures | None:
    """Attention of a model whose layers are listed, or have `pattern`."""
    kinds, kept = pattern or layers(text), state(text)
    if kinds is None or kept is None:
        return None
    attending = kinds.count(Keeps.ALL, Keeps.BOTH)
    counts = {"full-layers": attending, "state-layers": kinds.count(Keeps.STATE, Keeps.BOTH)}
    heads = _attention(text) if attending else {"heads": kept["state-heads"], "kv-heads": 1, "head-dim": 1}
    if heads is None or kinds.count(Keeps.WINDOW):
        return None
    return {**heads, "kind": "recurrent", **counts, **kept}


def every_layer(text: Config, keeps: Keeps) -> Layers | None:
    """All layers of a kind."""
    count = layer_count(text)
    return Layers((keeps,) * count) if count and count > 0 else None


def mamba(text: Config) -> Figures | None:
    """The first Mamba; its channels are what devices share."""
    expand, hidden = _named(text, "expand"), number(text, "hidden_size")
    pure = number(text, "mamba_expand") is None
    channels = number(text, "intermediate_size") if pure else expand and hidden and expand * hidden
    state, kernel = _named(text, "state"), _named(text, "kernel")
    if not channels or not state or not kernel:
        return None
    size = channels * (kernel - 1) * ELEMENT + channels * state * ELEMENT
    return {"state-heads": channels, "state-bytes": size}


def mamba2(text: Config) -> Figures | None:
    """The second Mamba: heads, and groups that share a projection."""
    heads, dimensions, groups = (_named(text, name) for name in ("heads", "dimensions", "groups"))
    state, kernel = _named(text, "state"), _named(text, "kernel")
    if not heads or not dimensions or not groups or not state or not kernel:
        return None
    mixed = heads * dimensions + 2 * max(groups, REPLICATED) * state
    size = mixed * (kernel - 1) * ELEMENT + heads * dimensions * state * _precision(text)
    return {"state-heads": heads, "state-bytes": size}


def short_convolution(text: Config) -> Figures | None:
    """The last inputs of a convolution."""
    width, kernel = number(text, "conv_dim") or number(text, "hidden_size"), number(text, "conv_L_cache")
    if not width or not kernel or kernel < 2:
        return None
    return {"state-heads": width, "state-bytes": width * (kernel - 1) * ELEMENT}


def lightning(text: Config) -> Figures | None:
    """A square matrix for each head."""
    heads, hidden = number(text, "num_attention_heads"), number(text, "hidden_size")
    if not heads or not hidden:
        return None
    width = number(text, "head_dim") or hidden // heads
    return {"state-heads": heads, "state-bytes": heads * width**2 * SINGLE}


def delta_attention(text: Config) -> Figures | None:
    """Kimi's: a square matrix for each head and the last inputs of three convolutions."""
    stated = inner(text, "linear_attn_config")
    heads, width = number(stated, "num_heads"), number(stated, "head_dim")
    kernel = number(stated, "short_conv_kernel_size") or DELTA_KERNEL
    if not heads or not width:
        return None
    size = 3 * heads * width * (kernel - 1) * ELEMENT + heads * width**2 * SINGLE
    return {"state-heads": heads, "state-bytes": size}


def nothing(text: Config) -> Figures | None:
    """No layer keeps a state."""
    return {"state-heads": 1, "state-bytes": 0}


def lacking(text: Config, state: State, *, listed: bool) -> list[str]:
    """Keys that a state is read from and that are absent; `listed`: layers must be listed as well."""
    names = [NAMES.get(name, (name,)) for name in NEEDED.get(state, ())]
    absent = [" or ".join(keys) for keys in names if not any(text.get(key) for key in keys)]
    return [*absent, "layer_types"] if listed and layers(text) is None else absent


def _attention(text: Config) -> Figures | None:
    """Heads of the layers that attend."""
    heads, hidden = number(text, "num_attention_heads"), number(text, "hidden_size")
    latent, rope = number(text, "kv_lora_rank"), number(text, "qk_rope_head_dim")
    if not heads or not hidden:
        return None
    if latent and rope:
        return {"heads": heads, "kv-heads": heads, "head-dim": latent, "latent": latent, "rope": rope}
    pairs = text.get("num_key_value_heads")
    kv_heads = heads if pairs is None else number(text, "num_key_value_heads")
    width = number(text, "head_dim") or hidden // heads
    return {"heads": heads, "kv-heads": kv_heads, "head-dim": width} if kv_heads and width else None


def _named(text: Config, name: str) -> int | None:
    return next((value for key in NAMES[name] if (value := number(text, key))), None)


def _precision(text: Config) -> int:
    """Bytes of an element of the recurrent state; Nemotron's is in single precision unless stated."""
    if text.get("model_type") not in SINGLE_PRECISION:
        return ELEMENT
    return ELEMENT if text.get("mamba_ssm_cache_dtype") in ("bfloat16", "float16") else SINGLE


DELTA_KERNEL = 4
"""Steps of Kimi's convolutions unless stated."""
SINGLE_PRECISION = ("nemotron_h", "nemotron_h_puzzle")
"""Models whose recurrent state has a dtype of its own (`NemotronHForCausalLMConfig`)."""
DELTA = ("linear_attn_config",)
NEEDED: Mapping[State, tuple[str, ...]] = {
    mamba: ("state", "kernel"),
    mamba2: ("heads", "dimensions", "groups", "state", "kernel"),
    short_convolution: ("conv_L_cache",),
    lightning: ("num_attention_heads",),
    delta_attention: DELTA,
}
"""What a state is read from: names of figures, or keys."""
