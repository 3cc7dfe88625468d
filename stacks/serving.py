"""How an engine is told what the plan decided: image, runtime, and every sizing flag in words of its own."""

from corral.catalogue.models import Model
from corral.catalogue.vocabulary import Engine, Task
from corral.stacks.sizing import UTILISATION

IMAGES = {Engine.LLAMA_CPP: "llama-cpp", Engine.VLLM: "vllm"}
"""Image of the catalogue by engine."""
RUNTIMES = {Engine.LLAMA_CPP: "corral-llamacpp", Engine.VLLM: "corral-vllm"}
"""Name of the ClusterServingRuntime by engine."""
PORT = 8080
MODEL_FOLDER = "/mnt/models"
"""Where KServe's storage initializer puts the model's files."""
BATCHED_TOKENS = 8192
"""Tokens of one vLLM step, at least; a pooling model must take its longest input in one."""


def arguments(
    name: str,
    facts: Model,
    engine: Engine,
    *,
    context: int,
    max_num_seqs: int,
    parallel: int,
    shares: int = 1,
) -> tuple[str, ...]:
    """Arguments of the server of model `name`, its defaults left to nothing that matters for memory.

    `shares`: equal shares that its GPU goes into by time; the server sees the memory of all of it.
    """
    if engine is Engine.LLAMA_CPP:
        return _llama_cpp(name, facts, context, max_num_seqs)
    return _vllm(name, facts, context, max_num_seqs, parallel, shares)


def _llama_cpp(name: str, facts: Model, context: int, max_num_seqs: int) -> tuple[str, ...]:
    return (
        *("--model", f"{MODEL_FOLDER}/{facts.files[0].name}"),
        *("--alias", name),
        *("--host", "0.0.0.0"),
        *("--port", str(PORT)),
        # The engine divides its context evenly among its parallel sequences.
        *("--ctx-size", str(context * max_num_seqs)),
        *("--parallel", str(max_num_seqs)),
        "--metrics",
    )


def _vllm(
    name: str, facts: Model, context: int, max_num_seqs: int, parallel: int, shares: int
) -> tuple[str, ...]:
    pooling = ("--runner", "pooling") if facts.task in (Task.EMBEDDING, Task.RERANK) else ()
    return (
        MODEL_FOLDER,
        *("--served-model-name", name),
        *("--host", "0.0.0.0"),
        *("--port", str(PORT)),
        *("--max-model-len", str(context)),
        *("--max-num-seqs", str(max_num_seqs)),
        *("--max-num-batched-tokens", str(max(BATCHED_TOKENS, context))),
        *("--gpu-memory-utilization", str(_rounded_down(UTILISATION[Engine.VLLM] / shares))),
        *("--tensor-parallel-size", str(parallel)),
        *pooling,
    )


def _rounded_down(share: float) -> float:
    """To four decimals."""
    return int(share * 10_000 + 1e-6) / 10_000
