"""Keys `kind` and `pipeline-parallel` of `models[]`: what KServe's kinds cannot do, and who makes them."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Addon, AddonState, Engine, ServingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import ModelSection, StackConfig
from corral.stacks.planning.memory.vllm import pools
from corral.stacks.planning.results.addons import AddonStates

LLM = ServingKind.LLM_INFERENCE_SERVICE


def check_serving_kinds(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Models whose kind contradicts their other keys, or that no controller serves."""
    llm = {one.path: one.section for one in config.served_models if one.section.kind is LLM}
    for path, model in llm.items():
        if model.local_cache:
            reason = "nodes keep files for kind InferenceService: use it, or leave local-cache out"
            yield Problem(f"{path}.local-cache", "true", reason)
    if llm and states[Addon.LLM_INFERENCE_SERVICE] is AddonState.OFF:
        reason = f"{next(iter(llm))}.kind is {LLM.value}: use managed or existing"
        yield Problem(f"addons.{Addon.LLM_INFERENCE_SERVICE.value}", "off", reason)
    staged = {one.path: one.section for one in config.served_models if one.section.pipeline_parallel > 1}
    for path, model in staged.items():
        yield from _stages(config, model, path)
    if staged:
        yield from _groups(config, states, f"{next(iter(staged))}.pipeline-parallel")


def _stages(config: StackConfig, model: ModelSection, path: str) -> Iterator[Problem]:
    """Why a model cannot be divided into stages."""
    where, stages = f"{path}.pipeline-parallel", model.pipeline_parallel
    spec = config.known_models.get(model.model)
    if model.kind is not LLM:
        yield Problem(f"{path}.kind", model.kind.value, f"replicas on {stages} nodes: use {LLM.value}")
    if model.scaling is not None or model.replicas.min != model.replicas.max:
        key = "scaling" if model.scaling is not None else "replicas"
        reason = f"replicas on {stages} nodes have a fixed number: use replicas: {model.replicas.max}"
        yield Problem(f"{path}.{key}", f"{model.replicas.min} to {model.replicas.max}", reason)
    if spec is None:
        return
    if spec.engine is not Engine.VLLM:
        yield Problem(where, str(stages), f"{spec.engine.value} serves from one node: use 1")
    elif pools(spec):
        yield Problem(
            where, str(stages), f"{model.model} is for {spec.task.value} and fits on one node: use 1"
        )
    elif spec.multimodal:
        reason = f"{model.model} has an encoder, whose stage is not sized: use 1, or a model of text alone"
        yield Problem(where, str(stages), reason)
    elif stages > spec.layers:
        yield Problem(
            where, str(stages), f"{model.model} has {spec.layers} layers: use {spec.layers} at most"
        )


def _groups(config: StackConfig, states: AddonStates, where: str) -> Iterator[Problem]:
    """Who makes groups of pods, and who must not."""
    if states[Addon.LWS] is AddonState.OFF:
        yield Problem(
            "addons.lws", "off", f"{where}: LeaderWorkerSet makes its groups; use managed or existing"
        )
    if not config.cluster.capabilities.pulls_images:
        kind = config.cluster.kind.value
        reason = f"cluster kind {kind} runs programs, and LeaderWorkerSet is none of them: use 1"
        yield Problem(where, "more than 1", reason)
    if states[Addon.KUEUE] is not AddonState.OFF:
        reason = f"{where}: queues do not hold groups of pods here; use off, or pipeline-parallel: 1"
        yield Problem("addons.kueue", states[Addon.KUEUE].value, reason)
