"""Key `kind` of `models[]`: what an LLMInferenceService of KServe's cannot do, and who makes it."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import Addon, AddonState, ServingKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.planning.results.addons import AddonStates

LLM = ServingKind.LLM_INFERENCE_SERVICE


def check_serving_kinds(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Models whose kind contradicts their other keys, or that no controller serves."""
    llm = {one.path: one.section for one in config.served_models if one.section.kind is LLM}
    for path, model in llm.items():
        if model.local_cache:
            reason = f"nodes keep files for kind InferenceService: use it, or leave local-cache out of {path}"
            yield Problem(f"{path}.local-cache", "true", reason)
    if llm and states[Addon.LLM_INFERENCE_SERVICE] is AddonState.OFF:
        reason = f"{next(iter(llm))}.kind is {LLM.value}: use managed or existing"
        yield Problem(f"addons.{Addon.LLM_INFERENCE_SERVICE.value}", "off", reason)
