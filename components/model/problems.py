"""What is wrong with what a model is told, before anything is made."""

from collections.abc import Iterable

from corral.catalogue.engine_metrics import FIRST_TOKEN, FIRST_TOKEN_LIMITS, METRICS
from corral.catalogue.runtimes import GGUF, MODEL_FOLDER, SHUTDOWN_TIMEOUT, server_options
from corral.catalogue.vocabulary import Engine, EngineMetric, ServingKind, Weights
from corral.components._kit import ArgsError
from corral.components.model.args import (
    ModelArgs,
    Weighty,
    drain_of,
    gguf_of,
    kind_of,
    port_of,
    weights_of,
)
from corral.components.model.scaling import ModelScaling
from corral.components.store import store_problems

LONGEST_ADAPTER = 40
"""Characters of an adapter's name, which names a Job and a container."""


def one_request(name: str, args: ModelArgs) -> None:
    """See that the devices of a replica are asked for in one way.

    Raises:
        ArgsError: in none, or in both.
    """
    if ("claim" in args) == ("resource" in args):
        raise ArgsError(f"{name}: give one of 'claim' (DRA driver) and 'resource' (device plugin)")


def argument_problems(name: str, args: ModelArgs) -> Iterable[str]:
    """Arguments with which nothing would answer, one line each."""
    yield from _scaling_problems(name, args)
    yield from _objective_problems(name, args)
    yield from _adapter_problems(name, args)
    yield from _group_problems(name, args)
    stated, expected = args.get("arguments", []), port_of(args)
    drain = str(drain_of(args))
    if "cache" in args and kind_of(args) is not ServingKind.INFERENCE_SERVICE:
        yield f"{name}.cache: KServe keeps files for kind InferenceService alone; leave it out"
    for index, one in enumerate(stated):
        flag, separator, value = one.partition("=")
        told = value if separator else "".join(stated[index + 1 : index + 2])
        if flag == "--port" and told != str(expected):
            yield f"{name}.arguments: --port {told} is not allowed; callers and probes use {expected}"
        if flag == SHUTDOWN_TIMEOUT and told != drain:
            yield (
                f"{name}.arguments: {flag} {told} is not allowed, its pod has {drain} s to finish answers; "
                "leave it out, or change drain_seconds with it"
            )
    engine, real = Engine(args["engine"]), weights_of(args) is Weights.REAL
    if engine is Engine.LLAMA_CPP and real and gguf_of(args) is None:
        opened, *_ = server_options(engine, name, None)
        if not opened.within(stated):
            yield (
                f"{name}.arguments: --model is missing; `files` do not name one {GGUF} file, so use "
                f"--model {MODEL_FOLDER}/<file>{GGUF}"
            )


def _group_problems(name: str, args: ModelArgs) -> Iterable[str]:
    nodes = args.get("nodes", 1)
    if nodes < 1:
        yield f"{name}.nodes: {nodes} is not allowed; use 1 or more"
    able = kind_of(args) is ServingKind.LLM_INFERENCE_SERVICE and Engine(args["engine"]) is Engine.VLLM
    if nodes > 1 and not able:
        yield f"{name}.nodes: {nodes} is for kind LLMInferenceService and engine vllm; use 1"
    if nodes > 1 and "scaling" in args:
        yield f"{name}.scaling: replicas on {nodes} nodes have a fixed number; leave it out"


def _objective_problems(name: str, args: ModelArgs) -> Iterable[str]:
    seconds, engine = args.get("time_to_first_token_seconds"), Engine(args["engine"])
    if seconds is None:
        return
    if engine not in FIRST_TOKEN:
        yield f"{name}.time_to_first_token_seconds: {engine.value} does not count it; leave it out"
    elif seconds not in FIRST_TOKEN_LIMITS:
        allowed = ", ".join(f"{one:g}" for one in FIRST_TOKEN_LIMITS)
        yield f"{name}.time_to_first_token_seconds: {seconds} is not allowed; use one of {allowed}"


def _adapter_problems(name: str, args: ModelArgs) -> Iterable[str]:
    adapters, engine = args.get("adapters", []), Engine(args["engine"])
    if adapters and engine is not Engine.VLLM:
        yield f"{name}.adapters: {engine.value} serves none by name; merge them into the model's weights"
    seen = {name}
    for index, one in enumerate(adapters):
        here = f"{name}.adapters[{index}]"
        if len(one["name"]) > LONGEST_ADAPTER:
            yield f"{here}.name: {one['name']!r} is too long; use {LONGEST_ADAPTER} characters at most"
        if one["name"] in seen:
            yield f"{here}.name: {one['name']!r} stands twice; use a name of its own"
        seen.add(one["name"])
        if weights_of(args) is Weights.SIMULATED:
            continue
        for key in ("source", "files"):
            if not one.get(key) and not (key == "files" and one.get("unlocked", False)):
                yield f"{here}: {key!r} is missing; real weights need it"


def _scaling_problems(name: str, args: ModelArgs) -> Iterable[str]:
    scaling, least = args.get("scaling"), args.get("replicas_min", 1)
    most = args.get("replicas_max", least)
    if least > most:
        yield f"{name}: replicas_min {least} is above replicas_max {most}"
    if scaling is None:
        if least < 1:
            yield f"{name}: replicas_min 0 is for a model with 'scaling', which holds its first request"
    elif not {"concurrency", "request_rate"} & scaling.keys():
        yield f"{name}.scaling: one of 'concurrency' and 'request_rate' is missing"
    else:
        yield from _trigger_problems(f"{name}.scaling", Engine(args["engine"]), scaling)


def _trigger_problems(path: str, engine: Engine, scaling: ModelScaling) -> Iterable[str]:
    triggers, known = scaling.get("triggers", []), METRICS[engine]
    if triggers and "prometheus" not in scaling:
        yield f"{path}: 'prometheus' is missing; 'triggers' follow what it has"
    for index, one in enumerate(triggers):
        metric, here = EngineMetric(one["metric"]), f"{path}.triggers[{index}]"
        if metric not in known:
            allowed = ", ".join(word.value for word in known)
            yield f"{here}.metric: {engine.value} does not print {metric.value}; use one of {allowed}"
        if one["threshold"] < 1:
            yield f"{here}.threshold: {one['threshold']} is not allowed; use 1 or more"


def weighty(name: str, args: ModelArgs) -> Weighty:
    """The arguments of an import.

    Raises:
        ArgsError: real weights lack one of them.
    """
    problems = list(_lacking(name, args))
    if problems:
        raise ArgsError("\n".join(problems))
    return {
        "source": args.get("source", ""),
        "files": args.get("files", []),
        "license": args.get("license", ""),
        "store": args["store"],  # pyright: ignore[reportTypedDictNotRequiredAccess]  # _lacking saw it
    }


def _lacking(name: str, args: ModelArgs) -> Iterable[str]:
    for key in ("source", "files", "license", "store"):
        if not args.get(key) and not (key == "files" and args.get("unlocked", False)):
            yield f"{name}: {key!r} is missing; real weights need it, `weights: simulated` does not"
    if "store" in args:
        yield from store_problems(name, args["store"])
