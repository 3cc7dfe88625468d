"""What a stack file tells the engine about memory, as sizing and the engine's arguments read it."""

from dataclasses import dataclass

from corral.catalogue.attention import BLOCK, Cache
from corral.catalogue.vocabulary import CacheDtype, Load
from corral.stacks.config.stack_config import ModelSection
from corral.stacks.planning.memory.lora import Lora, lora_of

NARROW = (CacheDtype.FP8, CacheDtype.FP8_E4M3, CacheDtype.FP8_E5M2)
"""Types of a cache with one byte per element; the others have two."""


@dataclass(frozen=True)
class EngineSettings:
    """Settings of vLLM that memory depends on; None: the planner decides."""

    utilisation: float | None = None
    """Share of a device that the engine may fill at most."""
    step: int | None = None
    """Tokens of one step."""
    cache_dtype: CacheDtype = CacheDtype.AUTO
    eager: bool = False
    """Whether it runs without CUDA graphs."""
    prefixes: bool | None = None
    """Whether a finished prefix may be used again; the engine's default, yes, when None."""
    block: int | None = None
    """Tokens of one block of the cache."""

    load: Load = Load.AUTO
    """How weights are read from disk."""

    lora: Lora | None = None
    """Adapters; None: it has none."""

    @property
    def cache(self) -> Cache:
        """How the engine keeps its cache."""
        return Cache(
            element=1 if self.cache_dtype in NARROW else 2,
            block=self.block or BLOCK,
            prefixes=self.prefixes is not False,
        )


DEFAULTS = EngineSettings()


def engine_settings(model: ModelSection) -> EngineSettings:
    """The settings that `model` states."""
    return EngineSettings(
        utilisation=model.gpu_memory_utilization,
        step=model.max_num_batched_tokens,
        cache_dtype=model.kv_cache_dtype,
        eager=model.enforce_eager,
        prefixes=model.prefix_caching,
        block=model.block_size,
        load=model.load,
        lora=lora_of(model),
    )
