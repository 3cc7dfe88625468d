"""Key `scaling` of `models[]`: what holds and counts requests, and the numbers of copies."""

from collections.abc import Iterator

from corral.catalogue.engine_metrics import METRICS, SHARES
from corral.catalogue.vocabulary import Addon, AddonState
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.sections.models import Scaling
from corral.stacks.config.stack_config import ModelSection, StackConfig
from corral.stacks.planning.defaults import engine_of
from corral.stacks.planning.results.addons import AddonStates


def check_scaling(config: StackConfig, states: AddonStates) -> Iterator[Problem]:
    """Numbers of copies that contradict each other, and requests that nothing counts or holds."""
    scaled = {f"models[{index}]": one for index, one in enumerate(config.models) if one.scaling is not None}
    for path, model in scaled.items():
        scaling = model.scaling
        assert scaling is not None
        yield from _numbers(scaling, f"{path}.scaling")
        if "replicas" in model.model_fields_set:
            yield Problem(f"{path}.replicas", "beside scaling", "scaling has min and max: take replicas out")
        if config.gateway is None:
            held = "counted and held while no copy runs" if scaling.min == 0 else "counted"
            reason = f"requests are {held} behind the gateway: add the section gateway, or use replicas"
            yield Problem(f"{path}.scaling", f"min {scaling.min}", reason)
        if scaling.triggers:
            yield from _triggers(config, states, model, f"{path}.scaling.triggers")
    if scaled and states[Addon.KEDA] is AddonState.OFF:
        yield Problem("addons.keda", "off", f"{', '.join(scaled)} has scaling: use managed or existing")


def _numbers(scaling: Scaling, path: str) -> Iterator[Problem]:
    if scaling.min > scaling.max:
        yield Problem(path, f"min {scaling.min}", f"min <= max, and max is {scaling.max}")
    elif scaling.min == scaling.max:
        reason = f"nothing to scale: use a greater max, or replicas: {scaling.max} in its place"
        yield Problem(path, f"min {scaling.min}, max {scaling.max}", reason)


def _triggers(config: StackConfig, states: AddonStates, model: ModelSection, path: str) -> Iterator[Problem]:
    assert model.scaling is not None
    triggers = model.scaling.triggers
    if states[Addon.OBSERVABILITY] is AddonState.OFF:
        words = ", ".join(one.metric.value for one in triggers)
        off = "addon observability is off: use managed or existing"
        way_out = "add the section observability" if config.observability is None else off
        yield Problem(path, words, f"Prometheus has what engines print: {way_out}")
    spec = config.known_models.get(model.model)
    for index, one in enumerate(triggers):
        here, word = f"{path}[{index}]", one.metric.value
        engine = None if spec is None else engine_of(model, spec)
        if engine is not None and one.metric not in METRICS[engine]:
            allowed = one_of("", (metric.value for metric in METRICS[engine]))
            yield Problem(f"{here}.metric", word, f"{engine.value} does not print it: {allowed}")
        if one.metric in {earlier.metric for earlier in triggers[:index]}:
            yield Problem(f"{here}.metric", word, "it is in this list already: keep one of the two")
        if one.metric in SHARES and one.threshold > 100:
            yield Problem(f"{here}.threshold", str(one.threshold), "percent of the cache: use 1 to 100")
