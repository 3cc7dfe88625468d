"""What the plan of a model's memory does not know, in a line each."""

from collections.abc import Iterator

from corral.catalogue.models import ModelSpec
from corral.catalogue.quantities import gib
from corral.catalogue.vocabulary import CacheDtype, Dtype, Engine
from corral.stacks.planning.memory.settings import EngineSettings
from corral.stacks.planning.memory.sizing import utilisation


def notes(
    spec: ModelSpec, engine: Engine, settings: EngineSettings, *, usable: int, capability: str | None
) -> Iterator[str]:
    """What is lowered, bounded or left unchecked for `spec` on a device of `usable` bytes."""
    if engine is not Engine.VLLM:
        return
    share = utilisation(engine, usable, settings.utilisation)
    if settings.utilisation is not None and share < settings.utilisation:
        left = f"is lowered to {share:g}, what the driver leaves of {gib(usable)}"
        yield f"gpu-memory-utilization: {settings.utilisation:g} {left}"
    if settings.cache_dtype is not CacheDtype.AUTO:
        unknown = "whether the kernels of this GPU take it, and what answers lose by it, is not known"
        yield f"kv-cache-dtype: {settings.cache_dtype.value}: {unknown}"
    if spec.dtype is Dtype.MXFP4 and capability is None:
        yield "weights: the compute capability of this GPU is not known, so that the largest kernel counts"
