"""What the plan of a model's memory does not know, in a line each."""

from collections.abc import Iterator

from corral.catalogue.models import ModelSpec
from corral.catalogue.quantities import gib
from corral.catalogue.vocabulary import CacheDtype, Dtype, Engine
from corral.stacks.planning.memory.settings import EngineSettings
from corral.stacks.planning.memory.sizing import utilisation
from corral.stacks.planning.results.models import MemoryPlan
from corral.stacks.planning.serving import ALLOW_LONG, beyond

UNCALIBRATED = (
    "text-embeddings is sized by weights and one batch, without calibration; whether it has this model's "
    "architecture stands on its page of supported models, and its image is for x86-64 alone"
)


def notes(
    spec: ModelSpec,
    engine: Engine,
    settings: EngineSettings,
    *,
    usable: int,
    capability: str | None,
    context: int,
) -> Iterator[str]:
    """What is lowered, bounded, unchecked or told to the engine of `spec` on a device of `usable` bytes."""
    if engine is Engine.TEXT_EMBEDDINGS:
        yield UNCALIBRATED
    if engine is not Engine.VLLM:
        return
    yield from long_context(spec, engine, context)
    share = utilisation(engine, usable, settings.utilisation)
    if settings.utilisation is not None and share < settings.utilisation:
        left = f"is lowered to {share:g}, what the driver leaves of {gib(usable)}"
        yield f"gpu-memory-utilization: {settings.utilisation:g} {left}"
    if settings.cache_dtype is not CacheDtype.AUTO:
        unknown = "whether the kernels of this GPU take it, and what answers lose by it, is not known"
        yield f"kv-cache-dtype: {settings.cache_dtype.value}: {unknown}"
    if spec.dtype is Dtype.MXFP4 and capability is None:
        yield "weights: the compute capability of this GPU is not known, so that the largest kernel counts"


def long_context(spec: ModelSpec, engine: Engine, context: int) -> Iterator[str]:
    """What the engine of `spec` must be told to take `context` tokens."""
    told = beyond(spec, engine, context)
    if told is None:
        return
    untold = f"takes {told.above} tokens of its files" if told.above else "does not start with its files"
    how = f"{ALLOW_LONG}=1" if told.overrides is None else f"--hf-overrides {told.overrides}"
    yield f"context: {context}: vLLM {untold} untold, and is told {how}"


def transfer_notes(prefill: MemoryPlan, devices: int, *, context: int, full_sequences: int) -> Iterator[str]:
    """What handing prompts over takes, and what is not known of it; `prefill`: of each of its `devices`.

    vLLM registers its cache itself with NIXL, whose `kv_buffer_device` is the GPU unless stated, and
    `kv_buffer_size` is of another connector (`KVTransferConfig`, vllm/config/kv_transfer.py): no buffer.
    """
    most = gib(prefill.kv_cache * devices // full_sequences)
    yield (
        f"prefill: a prompt of {context} tokens hands over {most} at most, from cache to cache: no buffer is "
        "planned beside them, and what NIXL and UCX take of a GPU has not been measured"
    )
    yield (
        "prefill: nothing here gives pods a device for RDMA: without one in the cluster's own way prompts "
        "are handed over by TCP"
    )
