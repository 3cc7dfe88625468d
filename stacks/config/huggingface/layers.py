"""What each layer of a model keeps, however its `config.json` lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import cast

from corral.stacks.config.huggingface.values import Config, inner, number


class Keeps(Enum):
    """What a layer keeps of a sequence."""

    ALL = "a key and a value of every token"
    WINDOW = "those of a window"
    STATE = "a state of fixed size"
    BOTH = "a state beside keys and values"
    NOTHING = "nothing"


WORDS: Mapping[str, Keeps] = {
    **dict.fromkeys(("full_attention", "attention", "global_attention", "full"), Keeps.ALL),
    **dict.fromkeys(("sliding_attention", "local_attention", "sliding", "window"), Keeps.WINDOW),
    **dict.fromkeys(("linear_attention", "mamba", "mamba2", "conv", "recurrent"), Keeps.STATE),
    "hybrid": Keeps.BOTH,
    **dict.fromkeys(("moe", "mlp", "-", "E"), Keeps.NOTHING),
    "M": Keeps.STATE,
    "*": Keeps.ALL,
}
"""What a word or letter of a list of layers stands for."""
LISTS = ("layer_types", "layers_block_type", "hybrid_override_pattern")
PERIODS: Mapping[str, int] = {
    "gemma2": 2,
    "gemma3_text": 6,
    "gemma3": 6,
    "gemma3n_text": 5,
    "cohere2": 4,
    "olmo3": 4,
    "exaone4": 4,
    "gpt_oss": 2,
}
"""Each how many layers one sees all, where transformers 5.12 decides for want of a list, by `model_type`."""


@dataclass(frozen=True)
class Layers:
    """How many layers keep what."""

    kinds: tuple[Keeps, ...]

    @property
    def total(self) -> int:
        return len(self.kinds)

    def count(self, *keeps: Keeps) -> int:
        return sum(one in keeps for one in self.kinds)

    def first(self, number: int) -> "Layers":
        """Without those behind the first `number`."""
        return Layers(self.kinds[:number])


def layers(text: Config) -> Layers | None:
    """Layers of `text` in their order; None where they are not listed, or a word is unknown."""
    count = number(text, "num_hidden_layers")
    for key in LISTS:
        if text.get(key) is not None:
            return _listed(text[key], count)
    if not count or count < 1:
        return None
    return _by_number(text, count) or _by_period(text, count)


def layer_count(text: Config) -> int | None:
    """The number of layers, as stated or as listed."""
    stated = number(text, "num_hidden_layers")
    if stated is not None:
        return stated
    listed = layers(text)
    return listed.total if listed else None


def _listed(words: object, count: int | None) -> Layers | None:
    """The list may go on with layers that predict further tokens, which are left out."""
    if not isinstance(words, list | str):
        return None
    named = [WORDS.get(one) if isinstance(one, str) else None for one in list(cast("list[object]", words))]
    if not named or None in named[:count] or (count is not None and not 0 < count <= len(named)):
        return None
    return Layers(tuple(one for one in named[:count] if one is not None))


def _by_number(text: Config, count: int) -> Layers | None:
    """Layers that are told apart by their number."""
    pattern = text.get("hybrid_layer_pattern")
    if isinstance(pattern, list):
        kinds = cast("list[object]", pattern)[:count]
        if len(kinds) < count:
            return None
        return Layers(tuple(Keeps.WINDOW if one == 1 else Keeps.ALL for one in kinds))
    attending = text.get("full_attn_idxs")
    if isinstance(attending, list):
        return _states(set(cast("list[object]", attending)), count)
    delta = inner(text, "linear_attn_config").get("full_attn_layers")
    if isinstance(delta, list):
        # Numbered from one.
        numbers = (one for one in cast("list[object]", delta) if isinstance(one, int))
        return _states({one - 1 for one in numbers}, count)
    period, offset = number(text, "attn_layer_period"), number(text, "attn_layer_offset")
    if period and period > 0 and offset is not None:
        return _states({one for one in range(count) if one % period == offset}, count)
    every = number(text, "full_attention_interval") or number(text, "layer_group_size")
    if every and every > 0:
        return _states({one for one in range(count) if (one + 1) % every == 0}, count)
    return None


def _states(attending: set[object] | set[int], count: int) -> Layers:
    return Layers(tuple(Keeps.ALL if one in attending else Keeps.STATE for one in range(count)))


def _by_period(text: Config, count: int) -> Layers | None:
    pattern = text.get("sliding_window_pattern") or text.get("_sliding_window_pattern")
    if isinstance(pattern, str) and pattern:
        letters = (pattern * count)[:count]
        return Layers(tuple(Keeps.ALL if one == "G" else Keeps.WINDOW for one in letters))
    every = pattern or PERIODS.get(str(text.get("model_type")))
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        return None
    return Layers(tuple(Keeps.WINDOW if (one + 1) % every else Keeps.ALL for one in range(count)))
