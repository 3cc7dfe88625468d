"""Settings of the engine in `models[]`: what the model, the pools and the engine allow."""

from collections.abc import Iterator, Sequence

from corral.catalogue.attention import Latent
from corral.catalogue.engine_metrics import FIRST_TOKEN_LIMITS
from corral.catalogue.images import image
from corral.catalogue.models import ModelSpec
from corral.catalogue.runtimes import RUNTIMES
from corral.catalogue.vocabulary import CacheDtype, Engine, SharingKind, Task
from corral.stacks.config.errors import Problem, shown
from corral.stacks.config.served import ServedModel
from corral.stacks.config.stack_config import GpuPool, ModelSection, StackConfig
from corral.stacks.config.values import MOST_GPUS, kebab
from corral.stacks.planning.defaults import context_of, engine_of
from corral.stacks.planning.memory.sizing import splits
from corral.stacks.planning.memory.vllm import pools

SETTINGS = (
    "tensor_parallel",
    "gpu_memory_utilization",
    "kv_cache_dtype",
    "max_num_batched_tokens",
    "enforce_eager",
    "prefix_caching",
    "block_size",
    "load",
    "time_to_first_token",
)
"""Keys that vLLM has, and other engines, but for one, have not."""


def check_engine_settings(config: StackConfig) -> Iterator[Problem]:
    """Settings that the engine would refuse, or that no pool can hold."""
    for served in config.served_models:
        model, path = served.section, served.path
        spec = config.known_models.get(model.model)
        if spec is None:
            continue
        yield from _version(model, spec, path)
        yield from _answer(served, spec)
        engine = engine_of(model, spec)
        if engine is Engine.VLLM:
            yield from _spread(model, spec, config.gpu_pools, path)
            yield from _step(model, spec, path)
            yield from _cache(model, spec, path)
            yield from _first_token(model, spec, path)
            continue
        if engine is Engine.TEXT_EMBEDDINGS:
            yield from _step(model, spec, path)
        for key in (one for one in _foreign(engine) if one in model.model_fields_set):
            reason = f"a setting of vLLM, and {engine.value} serves {model.model}: leave it out"
            yield Problem(f"{path}.{kebab(key)}", str(getattr(model, key)), reason)


def _foreign(engine: Engine) -> Iterator[str]:
    """Keys that mean nothing to an engine that is not vLLM."""
    return (key for key in SETTINGS if (engine, key) != (Engine.TEXT_EMBEDDINGS, "max_num_batched_tokens"))


def _first_token(model: ModelSection, spec: ModelSpec, path: str) -> Iterator[Problem]:
    seconds, field = model.time_to_first_token, f"{path}.time-to-first-token"
    if seconds is None:
        return
    if spec.task not in (Task.CHAT, Task.CODE):
        yield Problem(field, str(seconds), f"{model.model} answers at once: leave it out")
    elif seconds not in FIRST_TOKEN_LIMITS:
        allowed = ", ".join(f"{one:g}" for one in FIRST_TOKEN_LIMITS)
        yield Problem(field, str(seconds), f"use one of {allowed}")


def _answer(served: ServedModel, spec: ModelSpec) -> Iterator[Problem]:
    model, path = served.section, served.path
    most, context = model.max_tokens, context_of(model, spec)
    if most is None:
        return
    if spec.task not in (Task.CHAT, Task.CODE):
        yield Problem(f"{path}.max-tokens", str(most), f"{model.model} answers without tokens: leave it out")
    elif most >= context and served.canary_of is not None:
        reason = f"more than {served.canary_of}'s max-tokens, {most}: prompt and answer share it"
        yield Problem(f"{path}.context", str(context), reason)
    elif most >= context:
        reason = f"less than context, {context}: prompt and answer share it"
        yield Problem(f"{path}.max-tokens", str(most), reason)


def _version(model: ModelSection, spec: ModelSpec, path: str) -> Iterator[Problem]:
    version = model.engine_version
    engine = engine_of(model, spec)
    known = image(RUNTIMES[engine].image).tag.rpartition("-")[2].removeprefix("v")
    if version is not None and version.removeprefix("v") != known:
        reason = f"use {known}, the one version of {engine.value} that this Corral runs and sizes"
        yield Problem(f"{path}.engine-version", shown(version), reason)


def _spread(
    model: ModelSection, spec: ModelSpec, gpu_pools: Sequence[GpuPool], path: str
) -> Iterator[Problem]:
    number = model.tensor_parallel
    if number is None:
        return
    if not splits(spec, Engine.VLLM, number):
        counts = [str(one) for one in range(1, MOST_GPUS + 1) if splits(spec, Engine.VLLM, one)]
        reason = f"heads, widths and blocks of {model.model} divide by {', '.join(counts)}"
        yield Problem(f"{path}.tensor-parallel", str(number), reason)
        return
    offered = [pool for pool in gpu_pools if model.pool in (None, pool.name)]
    whole = [pool for pool in offered if pool.sharing.kind is SharingKind.WHOLE]
    most = max((pool.gpus_per_node for pool in whole), default=1)
    if offered and number > most:
        where = "its pool" if model.pool else "any pool"
        reason = f"a node of {where} has at most {most} whole GPU{'s' if most > 1 else ''} for one replica"
        yield Problem(f"{path}.tensor-parallel", str(number), f"{reason}; slices and shares have no path")


def _step(model: ModelSection, spec: ModelSpec, path: str) -> Iterator[Problem]:
    tokens, where = model.max_num_batched_tokens, f"{path}.max-num-batched-tokens"
    if tokens is None:
        return
    if tokens < model.max_num_seqs:
        reason = f"at least max-num-seqs, {model.max_num_seqs}: a step computes a token of each sequence"
        yield Problem(where, str(tokens), reason)
    elif pools(spec) and tokens < context_of(model, spec):
        reason = f"at least context, {context_of(model, spec)}: {spec.task.value} takes its input in one step"
        yield Problem(where, str(tokens), reason)


def _cache(model: ModelSection, spec: ModelSpec, path: str) -> Iterator[Problem]:
    if spec.encoder and model.kv_cache_dtype is not CacheDtype.AUTO:
        yield Problem(f"{path}.kv-cache-dtype", model.kv_cache_dtype.value, f"{model.model} keeps no cache")
    if isinstance(spec.attention, Latent) and model.block_size is not None:
        reason = f"the kernels for latent attention of {model.model} choose it: leave it out"
        yield Problem(f"{path}.block-size", str(model.block_size), reason)
