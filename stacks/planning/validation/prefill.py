"""Key `prefill` of `models[]`: what cannot read its prompts in replicas of their own."""

from collections.abc import Iterator

from corral.catalogue.disaggregation import prefill_name
from corral.catalogue.vocabulary import Engine, ServingKind, SharingKind
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.stack_config import ModelSection, StackConfig
from corral.stacks.planning.defaults import engine_of
from corral.stacks.planning.memory.vllm import pools

LLM = ServingKind.LLM_INFERENCE_SERVICE


def check_prefill(config: StackConfig) -> Iterator[Problem]:
    """Models with prefill whose other keys, pool or gateway contradict it."""
    names = {model.name: index for index, model in enumerate(config.models)}
    for index, model in enumerate(config.models):
        if model.prefill is None:
            continue
        path = f"models[{index}]"
        yield from _model(config, model, path)
        yield from _beside(model, path)
        yield from _pools(config, model, path)
        if config.gateway is None:
            reason = "the gateway names the replicas that read a prompt: add the section gateway"
            yield Problem(f"{path}.prefill", "without gateway", f"{reason}, or leave prefill out")
        if prefill_name(model.name) in names:
            other = prefill_name(model.name)
            yield Problem(f"models[{names[other]}].name", other, f"the name of {path}.prefill: use another")


def _model(config: StackConfig, model: ModelSection, path: str) -> Iterator[Problem]:
    """A kind that has none, and models whose cache vLLM is not known to move.

    docs/features/nixl_connector_compatibility.md of vLLM has no word of pipelines and adapters, and none of
    multimodal models but that it is not known.
    """
    if model.kind is not LLM:
        yield Problem(f"{path}.kind", model.kind.value, f"has no prefill of its own: use {LLM.value}")
    spec = config.known_models.get(model.model)
    if spec is None:
        return
    engine, here = engine_of(model, spec), f"{path}.prefill"
    if engine is not Engine.VLLM:
        yield Problem(here, f"with {engine.value}", "vllm alone hands prompts over: leave prefill out")
    elif pools(spec):
        yield Problem(here, f"for {spec.task.value}", "nothing follows its prompts: leave prefill out")
    elif spec.multimodal:
        reason = f"whether what the encoder of {model.model} makes is handed over is not known"
        yield Problem(here, "with an encoder", f"{reason}: use a model of text alone, or leave prefill out")


def _beside(model: ModelSection, path: str) -> Iterator[Problem]:
    """Keys that do not go with it."""
    unknown = "is not known to go with vLLM's NixlConnector: leave it or prefill out"
    if model.pipeline_parallel > 1:
        yield Problem(f"{path}.pipeline-parallel", str(model.pipeline_parallel), unknown)
    if model.adapters:
        yield Problem(f"{path}.adapters", str(len(model.adapters)), unknown)
    if model.scaling is not None:
        reason = "nothing scales both sides together: use replicas and prefill.replicas"
        yield Problem(f"{path}.scaling", f"{model.scaling.min} to {model.scaling.max}", reason)
    if model.canary is not None:
        reason = "a call names the prefill of one version: leave it or prefill out"
        yield Problem(f"{path}.canary", f"{model.canary.weight} %", reason)
    if model.time_to_first_token is not None:
        reason = "vLLM counts from where a prompt is handed over, without the time to read it: leave it out"
        yield Problem(f"{path}.time-to-first-token", f"{model.time_to_first_token:g}", reason)


def _pools(config: StackConfig, model: ModelSection, path: str) -> Iterator[Problem]:
    """Pools that do not exist, or whose GPUs are in parts."""
    assert model.prefill is not None
    known = {pool.name: pool for pool in config.gpu_pools}
    stated = {f"{path}.pool": model.pool, f"{path}.prefill.pool": model.prefill.pool}
    for where, name in stated.items():
        pool = known.get(name or "")
        if pool is not None and pool.sharing.kind is not SharingKind.WHOLE:
            reason = f"has GPUs in parts ({pool.sharing.kind.value}), between which no cache is known to move"
            yield Problem(where, pool.name, f"{reason}: use a pool with sharing: whole")
    other = model.prefill.pool
    if other is not None and other not in known:
        yield Problem(f"{path}.prefill.pool", other, one_of(other, known))
