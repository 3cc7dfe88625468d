"""Key `adapters` of `models[]`: adapters that an engine serves by name, and names that nothing else has."""

from collections.abc import Iterator

from corral.catalogue.attention import Encoder
from corral.catalogue.models import ModelSpec
from corral.catalogue.vocabulary import Engine
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import ServedModel, StackConfig
from corral.stacks.planning.memory.lora import sized
from corral.stacks.planning.validation.models import check_source

MERGE = "merge it into the model's weights and serve those"


def check_adapters(config: StackConfig) -> Iterator[Problem]:
    """Adapters that nothing serves, nothing leads to, or nothing may be imported from."""
    yield from _names(config)
    stable = {one.section.name: one for one in config.served_models if one.canary_of is None}
    for served in config.served_models:
        model, path = served.section, served.path
        spec = config.known_models.get(model.model)
        most = len(model.adapters)
        if model.max_loras is not None and model.max_loras > most:
            reason = f"at most the number of adapters, {most}: leave it out"
            yield Problem(f"{path}.max-loras", str(model.max_loras), reason)
        if not model.adapters or spec is None:
            continue
        yield from _engine(served, spec)
        for index, one in enumerate(model.adapters):
            where = f"{path}.adapters[{index}].source"
            yield from check_source(config, one.source, where, model.weights)
            if model.source is not None and one.source.rstrip("/") == model.source.rstrip("/"):
                yield Problem(where, one.source, f"the source of {model.name} itself: name the adapter's own")
        if served.canary_of is not None:
            base = config.known_models.get(stable[served.canary_of].section.model)
            yield from _canary(served, spec, base)


def _engine(served: ServedModel, spec: ModelSpec) -> Iterator[Problem]:
    model, path = served.section, served.path
    names = ", ".join(one.name for one in model.adapters)
    if spec.engine is not Engine.VLLM:
        reason = f"{spec.engine.value} has one name for all of its calls, and no adapter by name: {MERGE}"
        yield Problem(f"{path}.adapters", names, reason)
    elif isinstance(spec.attention, Encoder):
        yield Problem(f"{path}.adapters", names, f"vLLM serves no adapters of encoders: {MERGE}")
    elif not sized(spec):
        reason = f"what adapters of models with {spec.attention.kind} layers take is not known: {MERGE}"
        yield Problem(f"{path}.adapters", names, reason)


def _canary(served: ServedModel, spec: ModelSpec, base: ModelSpec | None) -> Iterator[Problem]:
    """Another version that its model's adapters were not trained for."""
    same = base is None or spec == base or (spec.family is not None and spec.family == base.family)
    if not same:
        reason = "the adapters are of the model, which the canary is not: take out either"
        yield Problem(f"{served.path}.model", served.section.model, reason)


def _names(config: StackConfig) -> Iterator[Problem]:
    taken = {one.section.name: f"{one.path}.name" for one in config.served_models if one.canary_of is None}
    taken |= {one.section.name: one.path for one in config.served_models if one.canary_of is not None}
    for number, model in enumerate(config.models):
        for index, one in enumerate(model.adapters):
            path = f"models[{number}].adapters[{index}].name"
            if one.name in taken:
                reason = f"callers ask for it by this name, which {taken[one.name]} has: use another"
                yield Problem(path, one.name, reason)
            taken.setdefault(one.name, path)
