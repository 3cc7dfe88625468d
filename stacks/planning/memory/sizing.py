"""How much GPU memory a model takes, in bytes; errors are on the safe side.

vLLM: what it holds before any cache (`vllm.py`, adapters `lora.py`), the cache of full sequences, the state
of all.
llama.cpp: the file, the whole cache that it reserves at start, its output buffer, a margin; not calibrated.
Text Embeddings Inference: the weights and one batch (`text_embeddings.py`), a margin; not calibrated.
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import TypedDict, Unpack

from corral.catalogue.attention import BLOCK
from corral.catalogue.engines import reserve
from corral.catalogue.models import ModelSpec
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Dtype, Engine
from corral.stacks.planning.memory import text_embeddings
from corral.stacks.planning.memory.lora import reserved
from corral.stacks.planning.memory.settings import DEFAULTS, EngineSettings
from corral.stacks.planning.memory.vllm import LARGE, fixed, pinned_version, pools, step_tokens
from corral.stacks.planning.results.models import MemoryPlan

UTILISATION = {Engine.VLLM: 0.92, Engine.LLAMA_CPP: 0.95, Engine.TEXT_EMBEDDINGS: 0.95}
"""Share of a device that the engine may fill at most."""
CONTEXT = int(0.6 * GIB)
"""Taken by the driver before vLLM starts, which refuses where it may fill more than is free.

0.51 GiB of an H100 in a log of vLLM 0.19 (llm-d-planner, accuracy/results/v0.19.0/logs, 2026-04).
"""
MICRO_BATCH = 512
"""llama.cpp's default physical batch, whose logits it holds in 4 bytes each."""
NON_TORCH = int(0.15 * GIB)
"""llama.cpp's memory outside its buffers."""
SCALED, GROUP = (Dtype.FP8_BLOCK, Dtype.INT4), 128
"""Dtypes whose rows share a scale by so many, which no device may divide."""


class Spread(TypedDict, total=False):
    """How one replica lies on devices; what is absent is as `memory` has it."""

    parallel: int
    version: str | None
    capability: str | None
    settings: EngineSettings


def utilisation(engine: Engine, usable: int, stated: float | None = None) -> float:
    """Share of a device of `usable` bytes that the engine may fill: `stated`, or what the driver leaves."""
    if engine is not Engine.VLLM:
        return UTILISATION[engine]
    left = 100 * max(0, usable - CONTEXT) // max(1, usable) / 100
    return min(UTILISATION[engine] if stated is None else stated, left)


def splits(facts: ModelSpec, engine: Engine, parallel: int) -> bool:
    """Whether one replica can be spread over `parallel` devices."""
    if engine is Engine.TEXT_EMBEDDINGS:
        return parallel == 1
    if parallel == 1 or engine is Engine.LLAMA_CPP:
        return facts.attention.heads % parallel == 0
    widths = [facts.intermediate, facts.experts.intermediate if facts.experts else 0]
    shares = all(width % parallel == 0 for width in widths)
    whole_blocks = facts.dtype not in SCALED or all(width // parallel % GROUP == 0 for width in widths)
    return facts.attention.divides(parallel) and shares and whole_blocks


def cache_per_token(facts: ModelSpec, parallel: int = 1) -> int:
    """Bytes of key-value cache that one more token takes on each of `parallel` devices."""
    return facts.attention.token(facts.layers, parallel)


def state_per_sequence(facts: ModelSpec, parallel: int = 1, settings: EngineSettings = DEFAULTS) -> int:
    """Bytes that each running sequence takes whatever its length."""
    return facts.attention.state(facts.layers, parallel, settings.cache)


def reserved_tokens(engine: Engine, context: int, max_num_seqs: int, full_sequences: int) -> int:
    """Tokens of cache that must fit: llama.cpp reserves every sequence whole, vLLM pages in blocks."""
    if engine is Engine.LLAMA_CPP:
        return context * max_num_seqs
    return -(-context // BLOCK) * BLOCK * full_sequences


def memory(
    model: ModelSpec,
    engine: Engine,
    *,
    context: int,
    max_num_seqs: int,
    full_sequences: int,
    usable: int,
    parallel: int = 1,
    version: str | None = None,
    capability: str | None = None,
    settings: EngineSettings = DEFAULTS,
) -> MemoryPlan:
    """Memory of one device of `usable` bytes under one replica spread over `parallel` devices.

    `version`: of vLLM; the catalogue's when None. `capability`: compute capability of the device; the largest
    kernel counts when None.

    Raises:
        ValueError: this version of vLLM is not sized.
    """
    margin = usable - int(usable * utilisation(engine, usable, settings.utilisation))
    if engine is Engine.LLAMA_CPP:
        tokens = reserved_tokens(engine, context, max_num_seqs, full_sequences)
        cache = tokens * cache_per_token(model, parallel)
        output = 4 * MICRO_BATCH * model.vocabulary
        return MemoryPlan(usable, model.weights // parallel, cache, output, NON_TORCH + margin)
    if engine is Engine.TEXT_EMBEDDINGS:
        batch = text_embeddings.activation(model, capability, settings)
        return MemoryPlan(usable, text_embeddings.weights(model), 0, batch, text_embeddings.OUTSIDE + margin)
    counts = reserve(version or pinned_version())
    step = step_tokens(model, usable, context=context, max_num_seqs=max_num_seqs, settings=settings)
    held = fixed(
        model,
        counts,
        max_num_seqs=max_num_seqs,
        step=step,
        parallel=parallel,
        capability=capability,
        eager=settings.eager,
        adapters=settings.lora is not None,
    )
    in_flight = step * (1 if pools(model) else counts.steps_in_flight)
    cache = full_sequences * model.attention.sequence(
        model.layers, parallel, tokens=context, step=in_flight, cache=settings.cache
    )
    # vLLM starts only where every sequence that may run has its state.
    cache += max_num_seqs * state_per_sequence(model, parallel, settings)
    lora = settings.lora
    adapters = 0 if lora is None else reserved(model, lora, parallel=parallel, step=step)
    return MemoryPlan(usable, held.weights, cache, held.activation, held.outside + margin, adapters)


def smallest_device(
    model: ModelSpec,
    engine: Engine,
    *,
    context: int,
    max_num_seqs: int,
    full_sequences: int,
    **spread: Unpack[Spread],
) -> int:
    """Bytes of the smallest device that one replica fits on, if there were one of every size."""
    demand = {"context": context, "max_num_seqs": max_num_seqs, "full_sequences": full_sequences}

    def fits(usable: int) -> bool:
        return memory(model, engine, **demand, usable=usable, **spread).free >= 0

    # A step grows at LARGE, so that what fits just below may not fit just above.
    small = _first(1, LARGE - 1, fits)
    return small if fits(small) else _first(LARGE, 1 << 50, fits)


def largest_context(
    model: ModelSpec,
    engine: Engine,
    *,
    max_num_seqs: int,
    full_sequences: int,
    usable: int,
    **spread: Unpack[Spread],
) -> int:
    """Tokens of the longest sequence that fits, at most the model's own limit; 0: not even one token fits."""
    step = spread.get("settings", DEFAULTS).step
    limit = min(model.context, step) if pools(model) and step else model.context
    demand = {"max_num_seqs": max_num_seqs, "full_sequences": full_sequences, "usable": usable}

    def overflows(context: int) -> bool:
        return memory(model, engine, context=context, **demand, **spread).free < 0

    return bisect_left(range(1, limit + 1), True, key=overflows)


def full_sequences_that_fit(
    model: ModelSpec,
    engine: Engine,
    *,
    context: int,
    max_num_seqs: int,
    usable: int,
    **spread: Unpack[Spread],
) -> int:
    """Sequences at full `context` that fit at the same time, at most `max_num_seqs`."""

    def overflows(sequences: int) -> bool:
        slots = sequences if engine is Engine.LLAMA_CPP else max_num_seqs
        demand = {"context": context, "max_num_seqs": slots, "full_sequences": sequences}
        return memory(model, engine, **demand, usable=usable, **spread).free < 0

    return bisect_left(range(1, max_num_seqs + 1), True, key=overflows)


def _first(low: int, high: int, fits: Callable[[int], bool]) -> int:
    """The smallest of `low` to `high` that fits; `high` where none does."""
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low
