"""How much GPU memory a model takes, in bytes; errors are meant to be on the safe side.

vLLM: calibrated against start-up logs of 2026 (dense bf16 weights within 1 %, free cache within 0.75 GiB).
llama.cpp: the file, the whole cache that it reserves at start, its output buffer, a margin; not calibrated.
"""

from corral.catalogue.gpus import GIB
from corral.catalogue.models import Model
from corral.catalogue.vocabulary import Engine
from corral.stacks.plan import MemoryPlan

UTILISATION = {Engine.VLLM: 0.92, Engine.LLAMA_CPP: 0.95}
"""Share of a device that the engine may fill; vLLM's is passed as `--gpu-memory-utilization`."""
CACHE_BYTES = 2
"""Bytes per element of the key-value cache (16 bit in both engines)."""
PADDING = 1.01
"""Loaded weights over published ones, in vLLM."""
LOGIT_BYTES = 39
"""vLLM's warm-up of the sampler: bytes per sequence and entry of the vocabulary."""
MICRO_BATCH = 512
"""llama.cpp's default physical batch, whose logits it holds in 4 bytes each."""
NON_TORCH = int(0.15 * GIB)
NON_TORCH_PARALLEL = int(0.6 * GIB)
"""Memory outside the framework's allocator, on one device and with tensor parallelism."""


def cache_per_token(model: Model, parallel: int = 1) -> int:
    """Bytes of key-value cache per token on each of `parallel` devices, which hold at least one head."""
    if model.encoder:
        return 0
    heads = max(1, model.kv_heads // parallel)
    return 2 * model.layers * heads * model.head_dim * CACHE_BYTES


def reserved_tokens(engine: Engine, context: int, max_num_seqs: int, full_sequences: int) -> int:
    """Tokens of cache that must fit: llama.cpp reserves every sequence whole, vLLM pages."""
    return context * (max_num_seqs if engine is Engine.LLAMA_CPP else full_sequences)


def memory(
    model: Model,
    engine: Engine,
    *,
    context: int,
    max_num_seqs: int,
    full_sequences: int,
    usable: int,
    parallel: int = 1,
) -> MemoryPlan:
    """Memory of one device of `usable` bytes under one replica spread over `parallel` devices."""
    tokens = reserved_tokens(engine, context, max_num_seqs, full_sequences)
    margin = usable - int(usable * UTILISATION[engine])
    outside = NON_TORCH if parallel == 1 else NON_TORCH_PARALLEL
    if engine is Engine.LLAMA_CPP:
        weights, activation = model.weights // parallel, 4 * MICRO_BATCH * model.vocabulary
    else:
        weights = int(model.weights * PADDING / parallel)
        activation = LOGIT_BYTES * max_num_seqs * model.vocabulary
    return MemoryPlan(
        usable=usable,
        weights=weights,
        kv_cache=tokens * cache_per_token(model, parallel),
        activation=activation,
        overhead=outside + margin,
    )


def smallest_device(
    model: Model, engine: Engine, *, context: int, max_num_seqs: int, full_sequences: int, parallel: int = 1
) -> int:
    """Bytes of the smallest device that one replica fits on, if there were one of every size."""
    bare = memory(
        model,
        engine,
        context=context,
        max_num_seqs=max_num_seqs,
        full_sequences=full_sequences,
        usable=0,
        parallel=parallel,
    )
    return int(bare.used / UTILISATION[engine]) + 1
