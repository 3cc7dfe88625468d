"""LoRA adapters: files, places in a pod, and what vLLM v0.30.0 takes (vllm/config/lora.py)."""

from collections.abc import Sequence

from corral.catalogue.runtimes import ServerOption

ADAPTER_FOLDER = "/mnt/adapters"
"""Folder in a pod with a folder for each adapter."""
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
"""The files of an adapter, as PEFT writes them; vLLM reads no others."""
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What `--max-lora-rank` may be."""
MOST_RANK = RANKS[-1]
MOST_VOCABULARY = 258048
"""Entries of the largest output layer that takes an adapter (vllm/lora/layers/logits_processor.py)."""
ATTENTION = {"q_proj", "k_proj", "v_proj", "qkv_proj"}
OUTPUT = {"o_proj"}
GATES = {"gate_proj", "up_proj", "gate_up_proj"}
DOWN = {"down_proj"}
EMBEDDING, HEAD = "embed_tokens", "lm_head"
MODULES = frozenset({*ATTENTION, *OUTPUT, *GATES, *DOWN, EMBEDDING, HEAD})
"""Modules whose sizes are known by their names."""


def slot_rank(rank: int) -> int:
    """The least `--max-lora-rank` for adapters of `rank`, which is at most `MOST_RANK`.

    >>> slot_rank(24)
    32
    """
    return next(one for one in RANKS if one >= rank)


def folder(name: str) -> str:
    """Where in a pod the files of an adapter are."""
    return f"{ADAPTER_FOLDER}/{name}"


def adapter_options(names: Sequence[str]) -> tuple[ServerOption, ...]:
    """What vLLM must be told to serve adapters, each by its name."""
    if not names:
        return ()
    modules = tuple(f"{name}={folder(name)}" for name in names)
    return (
        ServerOption(("--enable-lora",), ("--enable-lora",)),
        ServerOption(("--lora-modules", *modules), ("--lora-modules",)),
    )
