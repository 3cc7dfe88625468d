"""Figures of a model in the content of its `config.json`. Pure."""

from collections.abc import Iterator
from typing import cast

from corral.stacks.config.huggingface import quantisation
from corral.stacks.config.huggingface.architectures import MULTIMODAL, UNGATED, WRAPPERS, within
from corral.stacks.config.huggingface.attention import attention_reader, served_class
from corral.stacks.config.huggingface.language import SHORTCUT, language, positions, wrapped, wrappers
from corral.stacks.config.huggingface.layers import layer_count
from corral.stacks.config.huggingface.rope import rotary
from corral.stacks.config.huggingface.values import (
    CONFIG,
    Config,
    Figures,
    Unreadable,
    architecture,
    number,
    shown,
)


def facts(config: Config) -> Figures:
    """Figures in the content of a `config.json`; what it lacks is absent. Pure.

    Raises:
        Unreadable: a key has a value of another type.
    """
    text, outer = language(config), architecture(config)
    reader = attention_reader(config)
    return known_only(
        {
            "dtype": quantisation.dtype(text),
            "layers": layer_count(text),
            "hidden": number(text, "hidden_size"),
            "intermediate": _intermediate(text),
            "vocabulary": number(text, "vocab_size"),
            **_length(config, text, outer),
            "tied": text.get("tie_word_embeddings") is True,
            "multimodal": any(key in config for key in TOWERS)
            or within(outer, MULTIMODAL)
            or _wraps(config, outer),
            "attention": reader(text, served_class(config)) if reader else None,
            "experts": _experts(text),
        }
    )


def sparse_layers(config: Config) -> int:
    """Layers with routed experts, at least."""
    text = language(config)
    count = layer_count(text) or 0
    words = text.get("layers_block_type") or text.get("hybrid_override_pattern")
    if isinstance(words, list | str):
        return sum(one in ("moe", "E") for one in cast("list[object]", words)[:count])
    listed = text.get("moe_layer_freq")
    if isinstance(listed, list):
        return sum(one == 1 for one in cast("list[object]", listed)[:count])
    steps = (number(text, key) or 1 for key in SPARSE_STEPS)
    first = max(number(text, key) or 0 for key in FIRST_SPARSE)
    dense = text.get("mlp_only_layers")
    beside = len(cast("list[object]", dense)) if isinstance(dense, list) else 0
    twice = 2 if text.get("model_type") in SHORTCUT else 1
    return max(0, max(0, count // twice - first) // max(1, *steps) - beside)


def dense_layers(config: Config) -> int | None:
    """Layers with a feed-forward layer of the stated width, at least; None: each of them."""
    text = language(config)
    widths = list(_block_widths(text))
    if widths:
        return sum(widths) // max(widths)
    if text.get("model_type") in SHARED_BLOCKS:
        return 0
    words = text.get("hybrid_override_pattern") or text.get("layers_block_type")
    if not isinstance(words, list | str):
        return None
    listed = list(cast("list[object]", words))[: layer_count(text)]
    apart = any(one in ("E", "M", "-", "mlp", "moe") for one in listed)
    return sum(one in ("-", "mlp") for one in listed) if apart else None


def attending_layers(config: Config, attention: Figures) -> int | None:
    """Layers with projections of their own; None: each of them."""
    if language(config).get("model_type") in SHARED_BLOCKS:
        return 0
    if attention.get("kind") == "recurrent":
        return attention["full-layers"]
    return None


def matrices(config: Config) -> int:
    """Matrices of a feed-forward layer."""
    return 2 if within(served_class(config), UNGATED) else 3


def untied(config: Config) -> bool:
    """Whether the configuration says that input and output have a table each."""
    return language(config).get("tie_word_embeddings") is False


def known_only(figures: Figures) -> Figures:
    return {key: value for key, value in figures.items() if value is not None}


def _wraps(config: Config, outer: str) -> bool:
    """Whether the class has a tower whatever its configuration says of it."""
    return within(outer, WRAPPERS) and (outer.endswith("ForConditionalGeneration") or bool(wrapped(config)))


def _intermediate(text: Config) -> int | None:
    """Width of a dense layer, or of what every token passes beside the routed experts."""
    blocks = list(_block_widths(text))
    if blocks:
        return max(blocks)
    dense_first = any(key in text for key in FIRST_SPARSE) or isinstance(text.get("moe_layer_freq"), list)
    dense_beside = any(text.get(key) is True for key in DENSE_BESIDE)
    if _count_of_experts(text) is None or dense_first or dense_beside:
        widths = ("dense_intermediate_size", "intermediate_size", "shared_intermediate_size")
        return next((width for key in widths if (width := number(text, key))), _expanded(text))
    shared = next((width for key in SHARED_WIDTHS if (width := number(text, key))), None)
    number_shared = number(text, "n_shared_experts") or number(text, "num_shared_experts") or 0
    return shared or number_shared * (number(text, "moe_intermediate_size") or 0)


def _expanded(text: Config) -> int | None:
    """Channels of a model that is all Mamba."""
    hidden, expand = number(text, "hidden_size"), number(text, "expand")
    return expand * hidden if hidden and expand else None


def _block_widths(text: Config) -> Iterator[int]:
    """Widths of each layer, as listed, or as a multiple (`_ffn_mult_to_intermediate_size` of Nemotron)."""
    listed = text.get("intermediate_size")
    for one in cast("list[object]", listed) if isinstance(listed, list) else ():
        if isinstance(one, int) and not isinstance(one, bool) and one > 0:
            yield number({"intermediate_size": one}, "intermediate_size") or 0
    blocks, hidden = text.get("block_configs"), number(text, "hidden_size")
    for block in cast("list[object]", blocks) if isinstance(blocks, list) else ():
        stated = cast("Config", block).get("ffn") if isinstance(block, dict) else None
        multiple = cast("Config", stated).get("ffn_mult") if isinstance(stated, dict) else None
        if hidden and isinstance(multiple, int | float) and 0 < multiple <= MOST_TIMES:
            yield -(-int(2 * multiple * hidden / 3) // ROUNDED) * ROUNDED


def _experts(text: Config) -> Figures | None:
    count = _count_of_experts(text)
    if count is None:
        return None
    active = number(text, "num_experts_per_tok")
    if active and active > count:
        raise Unreadable(f"{CONFIG}: num_experts_per_tok: {active}: at most the {count} experts of a layer")
    width = _first_number(text, "moe_intermediate_size") or number(text, "intermediate_size")
    for key, value in (("num_experts_per_tok", active), ("moe_intermediate_size", width)):
        if not value:
            raise Unreadable(
                f"{CONFIG}: {key}: {shown(text.get(key))}: a model of {count} experts needs a number"
            )
    narrowed = number(text, "moe_latent_size") or number(text, "routed_expert_hidden_size")
    return known_only({"count": count, "active": active, "intermediate": width, "hidden": narrowed})


def _count_of_experts(text: Config) -> int | None:
    for key in EXPERTS:
        if text.get(key) not in (None, False, []) and _first_number(text, key) is None:
            raise Unreadable(f"{CONFIG}: {key}: {shown(text[key])}: a whole number of experts is needed")
    experts = next((count for key in EXPERTS if (count := _first_number(text, key))), None)
    return experts if experts and experts > 1 else None


def _first_number(text: Config, key: str) -> int | None:
    """The number under `key`, or the largest of a list of them, one for each layer or modality."""
    value = text.get(key)
    if not isinstance(value, list):
        return number(text, key)
    numbers = [number({key: one}, key) for one in cast("list[object]", value)]
    return None if None in numbers else max((one for one in numbers if one is not None), default=None)


def _length(config: Config, text: Config, name: str) -> Figures:
    """Tokens of the longest sequence as vLLM derives them (`_get_and_verify_max_len`), or can be told."""
    longest = positions(text)
    if longest is None:
        return {"context": UNLIMITED} if text.get("model_type") in WITHOUT_POSITIONS else {}
    if within(name, PADDED_POSITIONS):
        padding = number(text, "pad_token_id")
        return {"context": longest - (1 if padding is None else padding) - 1}
    if name.startswith("Gemma3"):
        return {"context": longest}
    return rotary(text, longest, wrappers(config))


TOWERS = (
    *("vision_config", "audio_config", "visual", "vision_tower", "mm_vision_tower", "vit_config"),
    *("audio_encoder_config", "vision_encoder", "img_processor", "embd_layer", "thinker_config"),
)
"""Keys of an encoder beside the language model."""
EXPERTS = (
    "num_experts",
    "num_local_experts",
    "n_routed_experts",
    "moe_num_experts",
    "moe_num_routed_experts",
)
"""Names of the number of routed experts of a layer."""
SPARSE_STEPS = (
    *("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_freq"),
    *("expert_layer_period", "moe_layer_interval"),
)
"""Each how many layers one has experts."""
FIRST_SPARSE = ("first_k_dense_replace", "moe_layer_start_index", "num_dense_layers")
"""Layers before the first one with experts."""
DENSE_BESIDE = ("enable_moe_block",)
"""Keys of models whose layers have a dense part beside their experts."""
SHARED_WIDTHS = (
    *("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size"),
    *("intermediate_size_mlp", "shared_intermediate_size", "share_expert_dim"),
)
"""Width of what every token passes beside the routed experts."""
SHARED_BLOCKS = ("zamba2",)
"""Models whose layers share their feed-forward weights."""
ROUNDED, MOST_TIMES = 256, 1000
"""What the width of a block is rounded up to; no block is wider by so much."""
PADDED_POSITIONS = frozenset({"Roberta", "XLMRoberta", "RobertaForMaskedLM", "BgeM3Embedding", "JinaRoberta"})
"""Models whose positions begin after the padding token."""
WITHOUT_POSITIONS = ("mamba", "mamba2", "falcon_mamba")
"""Models without positions: vLLM takes this many tokens unless told more."""
UNLIMITED = 2048
