"""Image and arguments of each engine: every sizing flag, passed explicitly."""

import json
from collections.abc import Mapping, Sequence

from corral.catalogue.adapters import adapter_options
from corral.catalogue.models import LongContext, ModelSpec
from corral.catalogue.quantities import GIB
from corral.catalogue.runtimes import PORT, gguf, server_options
from corral.catalogue.vocabulary import Dtype, Engine, Load
from corral.stacks.planning.memory import text_embeddings
from corral.stacks.planning.memory.lora import Lora, targets
from corral.stacks.planning.memory.settings import DEFAULTS, EngineSettings
from corral.stacks.planning.memory.sizing import utilisation
from corral.stacks.planning.memory.vllm import largest_graph, pools, step_tokens
from corral.stacks.planning.results.models import MemoryPlan

SERVER_GIB = 2
"""Memory of a model server on the host beside its weights."""
STREAM_BUFFER_GIB = 4
"""Memory on the host through which the process of one device streams weights."""
STREAM_THREADS = 16
"""Parts of the files that it reads at a time: what the figure of `stream-mbps` was measured with."""
DTYPES = {Dtype.BF16: "bfloat16", Dtype.FP16: "float16"}
"""vLLM's `--dtype` by that of the weights; `auto` for the others, whose files say what they compute in."""

ALLOW_LONG = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
"""Variable without which vLLM refuses a context above the one that it derives (vllm/envs.py at v0.30.0)."""


def arguments(
    name: str,
    facts: ModelSpec,
    engine: Engine,
    *,
    context: int,
    max_num_seqs: int,
    parallel: int,
    usable: int,
    files: Sequence[str],
    shares: int = 1,
    half: bool = False,
    port: int = PORT,
    stages: int = 1,
    settings: EngineSettings = DEFAULTS,
    max_tokens: int | None = None,
) -> tuple[str, ...]:
    """Arguments of the server of model `name` on devices of `usable` bytes.

    Its defaults, which move between versions, are left to nothing that matters for memory. `files`: names of
    the model's files, none where its weights are simulated. `shares`: equal shares that its GPU goes into by
    time, of which a device is one; the server sees the memory of all of it. `half`: of the types
    of 16 bits, the GPU computes in float16 alone. `port`: where it listens. `max_tokens`: most tokens of one
    answer. `stages`: nodes that it spans.
    """
    options = server_options(engine, name, gguf(files), port)
    stated = tuple(one for option in options for one in option.arguments)
    if engine is Engine.LLAMA_CPP:
        return (*stated, *_llama_cpp(context, max_num_seqs), *_most(engine, max_tokens))
    if engine is Engine.TEXT_EMBEDDINGS:
        return (*stated, *text_embeddings.arguments(facts, max_num_seqs=max_num_seqs, settings=settings))
    step = step_tokens(facts, usable, context=context, max_num_seqs=max_num_seqs, settings=settings)
    share = utilisation(Engine.VLLM, usable, settings.utilisation) / shares
    return (
        *stated,
        *("--max-model-len", str(context)),
        *("--max-num-seqs", str(max_num_seqs)),
        *("--max-num-batched-tokens", str(step)),
        *_graphs(max_num_seqs, settings),
        *("--gpu-memory-utilization", str(_rounded_down(share))),
        *("--tensor-parallel-size", str(parallel)),
        *(("--pipeline-parallel-size", str(stages)) if stages > 1 else ()),
        *("--dtype", "float16" if half else DTYPES.get(facts.dtype, "auto")),
        *("--kv-cache-dtype", settings.cache_dtype.value),
        *_cache(settings),
        *_overrides(facts, context),
        *_loading(settings),
        *_most(engine, max_tokens),
        *_adapters(facts, settings.lora),
        # A step may be shorter than a sequence, which is then taken in chunks.
        *(("--runner", "pooling") if pools(facts) else ("--enable-chunked-prefill",)),
    )


def environment(facts: ModelSpec, engine: Engine, context: int) -> Mapping[str, str]:
    """Variables of the server of a model with sequences of `context` tokens."""
    told = beyond(facts, engine, context)
    return {} if told is None or told.overrides is not None else {ALLOW_LONG: "1"}


def beyond(facts: ModelSpec, engine: Engine, context: int) -> LongContext | None:
    """What `engine` must be told to take `context` tokens; None: nothing."""
    told = facts.long_context if engine is Engine.VLLM else None
    return told if told is not None and context > told.above else None


def host_memory_gib(
    memory: MemoryPlan, load: Load = Load.AUTO, devices: int = 1, *, adapters: int = 0
) -> int:
    """Memory of a server on the host, through which the weights of a device pass.

    A server that streams has a buffer for each of its `devices` beside it; one with `adapters` keeps these
    bytes of them for each device.
    """
    buffers = devices * STREAM_BUFFER_GIB if load is Load.STREAM else 0
    return SERVER_GIB + -(-memory.weights // GIB) + buffers + -(-devices * adapters // GIB)


def _llama_cpp(context: int, max_num_seqs: int) -> tuple[str, ...]:
    return (
        # The engine divides its context evenly among its parallel sequences.
        *("--ctx-size", str(context * max_num_seqs)),
        *("--parallel", str(max_num_seqs)),
        "--metrics",
    )


def _graphs(max_num_seqs: int, settings: EngineSettings) -> tuple[str, ...]:
    if settings.eager:
        return ("--enforce-eager",)
    return ("--max-cudagraph-capture-size", str(largest_graph(max_num_seqs)))


def _cache(settings: EngineSettings) -> tuple[str, ...]:
    """Flags of what the stack file states and the engine else decides."""
    block = () if settings.block is None else ("--block-size", str(settings.block))
    match settings.prefixes:
        case None:
            return block
        case True:
            return (*block, "--enable-prefix-caching")
        case False:
            return (*block, "--no-enable-prefix-caching")


def _loading(settings: EngineSettings) -> tuple[str, ...]:
    """What makes vLLM stream; its image has the streamer (docker/Dockerfile), its documentation the keys."""
    if settings.load is not Load.STREAM:
        return ()
    extra = {"concurrency": STREAM_THREADS, "memory_limit": STREAM_BUFFER_GIB * GIB}
    return ("--load-format", "runai_streamer", "--model-loader-extra-config", json.dumps(extra))


def _adapters(facts: ModelSpec, lora: Lora | None) -> tuple[str, ...]:
    """Flags by which vLLM serves adapters; the host keeps all of them, the GPU as many as it is told."""
    if lora is None:
        return ()
    wanted = targets(facts, lora)
    return (
        *(one for option in adapter_options(lora.names) for one in option.arguments),
        *("--max-lora-rank", str(lora.rank)),
        *("--max-loras", str(lora.slots)),
        *("--max-cpu-loras", str(len(lora.names))),
        *(() if wanted is None else ("--lora-target-modules", *sorted(wanted))),
    )


def _overrides(facts: ModelSpec, context: int) -> tuple[str, ...]:
    told = beyond(facts, Engine.VLLM, context)
    return () if told is None or told.overrides is None else ("--hf-overrides", told.overrides)


def _most(engine: Engine, max_tokens: int | None) -> tuple[str, ...]:
    """vLLM holds every request to it; llama.cpp those that state no number (seen running)."""
    if max_tokens is None:
        return ()
    if engine is Engine.LLAMA_CPP:
        return ("--predict", str(max_tokens))
    return ("--override-generation-config", json.dumps({"max_new_tokens": max_tokens}))


def _rounded_down(share: float) -> float:
    """To four decimals."""
    return int(share * 10_000 + 1e-6) / 10_000
