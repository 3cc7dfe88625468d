"""How long a sequence rotary positions allow, and what vLLM must be told to take it.

vLLM v0.30.0: `_get_and_verify_max_len` in vllm/config/model.py refuses `--max-model-len` above the length
that it derives: `max_position_embeddings` times the factor, and without it for yarn, llama3 and longrope. How
many positions the rotary cache holds is in vllm/model_executor/layers/rotary_embedding: of linear and yarn as
many as the factor makes of them; of dynamic and ntk `max_position_embeddings`, so that these need it raised
(`_apply_dict_overrides` in vllm/config/model.py puts a whole object in the place of another).
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from corral.stacks.config.huggingface.values import CONFIG, Config, Figures, Unreadable, inner, number, shown


class Reach(NamedTuple):
    """Positions of one scaling."""

    tokens: int
    """That can be had."""
    derived: int
    """That vLLM derives by itself."""
    rewritten: Config | None = None
    """The scaling as vLLM must be told it; None: as it is."""
    always: bool = False
    """Whether vLLM does not start with it as it is."""


def rotary(text: Config, longest: int, wrappers: tuple[str, ...] = ()) -> Figures:
    """`context` of a model with `longest` positions, and `long-context` where vLLM must be told of it.

    `wrappers`: keys of the objects that `text` is in, outermost first.

    Raises:
        Unreadable: vLLM does not know the scaling, or lacks a part of it.
    """
    stated = inner(text, "rope_scaling") or inner(text, "rope_parameters")
    if inner(text, "dual_chunk_attention_config"):
        return {"context": longest}
    layers = {key: inner(stated, key) for key in stated if isinstance(stated[key], dict)}
    each = {key: _reach(text, longest, one) for key, one in (layers or {"": stated}).items()}
    tokens = min(one.tokens for one in each.values())
    derived = min(tokens, *(one.derived for one in each.values()))
    always = any(one.always for one in each.values())
    if tokens <= derived and not always:
        return {"context": tokens}
    known: Figures = {"above": 0 if always else derived}
    if any(one.rewritten is not None for one in each.values()):
        told = {key: one.rewritten or layers.get(key, stated) for key, one in each.items()}
        scaling = {key: _complete(text, one) for key, one in told.items()}
        changes: dict[str, Any] = {"rope_parameters": scaling if layers else scaling[""]}
        if any(one.rewritten and _kind(one.rewritten) in CAPPED for one in each.values()):
            changes = {"max_position_embeddings": tokens, **changes}
        for key in reversed(wrappers):
            changes = {key: changes}
        known["overrides"] = json.dumps(changes)
    return {"context": tokens, "long-context": known}


def _reach(text: Config, longest: int, scaling: Config) -> Reach:
    kind = _kind(scaling)
    if kind in UNSCALED:
        return Reach(longest, longest)
    if kind not in (*YARN, *CAPPED, "linear"):
        known = ", ".join((*UNSCALED, *YARN, *CAPPED, "linear"))
        raise Unreadable(f"{CONFIG}: rope_scaling.rope_type: {shown(kind)}: vLLM knows {known}")
    if kind == "dynamic" and "factor" not in scaling and "alpha" in scaling:
        return Reach(longest, longest)
    factor = scaling.get("factor")
    if not isinstance(factor, int | float) or isinstance(factor, bool) or not 1 <= factor <= MOST_SCALED:
        raise Unreadable(f"{CONFIG}: rope_scaling.factor: {shown(factor)}: a number of 1 to {MOST_SCALED}")
    if kind in YARN:
        tokens = int(_trained(text, scaling, longest) * factor)
        return Reach(tokens, min(longest, tokens))
    scaled = int(longest * factor)
    if kind in CAPPED:
        if scaled == longest:
            return Reach(longest, longest)
        told = {**scaling, "rope_type": kind, "factor": float(factor)}
        trained = {"max_trained_positions": longest} if kind == "dynamic" else {}
        return Reach(scaled, longest, {**told, **trained})
    if isinstance(factor, int):
        # LinearScalingRotaryEmbedding takes anything but a float for a list of factors.
        return Reach(scaled, scaled, {**scaling, "rope_type": kind, "factor": float(factor)}, always=True)
    return Reach(scaled, scaled)


def _kind(scaling: Config) -> str:
    """Type of a scaling, by its older name too."""
    modern, legacy = scaling.get("rope_type"), scaling.get("type")
    if modern and legacy and modern != legacy and (legacy, modern) not in RENAMED:
        both = f"{shown(modern)} beside type {shown(legacy)}"
        raise Unreadable(f"{CONFIG}: rope_scaling.rope_type: {both}: vLLM needs one of them")
    kind = modern or legacy or "default"
    return kind if isinstance(kind, str) else shown(kind)


def _trained(text: Config, scaling: Config, longest: int) -> int:
    """Positions that yarn multiplies, as transformers fills them in (`standardize_rope_params`)."""
    key = "original_max_position_embeddings"
    return number(text, key) or number(scaling, key) or longest


def _complete(text: Config, scaling: Config) -> dict[str, Any]:
    """`scaling` with what transformers moves into it."""
    completed = {key: value for key, value in scaling.items() if key != "type"}
    completed.setdefault("rope_type", _kind(scaling))
    for key, names in MOVED.items():
        stated = next((text[name] for name in names if isinstance(text.get(name), int | float)), None)
        if stated is not None:
            completed.setdefault(key, stated)
    return completed


UNSCALED = (
    *("default", "llama3", "longrope", "su", "mrope", "proportional", "mllama4", "openpangu"),
    "bailing_mrope",
)
"""Types of rope scaling that `max_position_embeddings` already counts."""
YARN = ("yarn", "deepseek_yarn", "deepseek_llama_scaling", "telechat3-yarn")
"""Types that multiply the length the model was trained for."""
CAPPED = ("dynamic", "ntk")
"""Types whose rotary cache holds `max_position_embeddings`."""
RENAMED = (("su", "longrope"), ("mrope", "default"))
"""Pairs of an older and a newer name for one type."""
MOVED: Mapping[str, tuple[str, ...]] = {
    "rope_theta": ("rope_theta", "rotary_emb_base"),
    "partial_rotary_factor": ("partial_rotary_factor", "rotary_pct", "rotary_emb_fraction"),
}
"""Keys beside a scaling that belong to it."""
MOST_SCALED = 1024
"""Factor of rope scaling above which a file is refused."""
