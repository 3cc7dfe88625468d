"""`adapter_config.json` of PEFT: what a plan needs of it, and what vLLM v0.30.0 does not serve.

Refusals: vllm/lora/peft_helper.py; what that file does not read and an adapter depends on is refused here.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import Field

from corral.catalogue.adapters import CONFIG, MOST_RANK
from corral.stacks.config.sections.section import Section


class LockedLora(Section):
    """What the configuration of an adapter says."""

    rank: Annotated[int, Field(strict=True, ge=1, le=MOST_RANK)]
    """The largest of its ranks."""
    target_modules: tuple[str, ...] | None = None
    """Modules that it changes; absent where they are stated by a pattern, or as parameters."""


def lora_of(text: str) -> LockedLora:
    """What `text` says, the content of an `adapter_config.json`.

    Raises:
        ValueError: it is none, or of an adapter that vLLM does not serve; a line says why.
    """
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError(f"{CONFIG} is no JSON") from None
    if not isinstance(content, dict):
        raise ValueError(f"{CONFIG} is no JSON object")
    stated = cast("dict[str, Any]", content)
    kind = stated.get("peft_type", "LORA")
    if kind != "LORA":
        raise ValueError(f"peft_type: {kind!r}: vLLM serves LORA alone")
    for key, harmless in UNSERVED.items():
        if stated.get(key) not in (None, False, [], {}, harmless):
            raise ValueError(f"{key}: {stated[key]!r}: vLLM does not serve adapters with it; train without")
    rank = max([_rank("r", stated.get("r")), *_pattern(stated.get("rank_pattern") or {})])
    if rank > MOST_RANK:
        raise ValueError(f"r: {rank}: vLLM serves ranks up to {MOST_RANK}")
    modules = stated.get("target_modules")
    listed = isinstance(modules, list) and all(isinstance(one, str) for one in cast("list[Any]", modules))
    if not listed or not modules or stated.get("target_parameters"):
        return LockedLora(rank=rank)
    names = sorted(cast("list[str]", modules))
    return LockedLora.model_validate({"rank": rank, "target-modules": names})


UNSERVED: Mapping[str, object] = {
    "use_dora": False,
    "modules_to_save": None,
    "bias": "none",
    "lora_bias": False,
    "alora_invocation_tokens": None,
    "trainable_token_indices": None,
    "layer_replication": None,
}
"""Keys of what vLLM refuses or passes over, with the value that asks for nothing."""


def _rank(key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{key}: {value!r}: a whole number of 1 or more is needed")
    return value


def _pattern(ranks: object) -> list[int]:
    """Ranks of single modules, by patterns of their names."""
    if not isinstance(ranks, dict):
        raise ValueError(f"rank_pattern: {ranks!r}: a mapping of names to ranks is needed")
    return [_rank(f"rank_pattern.{name}", one) for name, one in cast("dict[str, object]", ranks).items()]
