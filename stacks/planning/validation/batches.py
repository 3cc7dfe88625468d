"""Section `batches`: models that can answer, prefixes that are apart, a store with keys of tenants."""

from collections.abc import Iterator

from corral.catalogue.stores import BATCHES
from corral.catalogue.vocabulary import StorageKind, Task, Weights
from corral.stacks.config.errors import Problem, one_of
from corral.stacks.config.sections.batches import BatchSection
from corral.stacks.config.stack_config import ServedModel, StackConfig
from corral.stacks.planning.batches import input_of, output_of

ANSWERING = (Task.CHAT, Task.CODE, Task.EMBEDDING)


def check_batches(config: StackConfig) -> Iterator[Problem]:
    """Everything wrong with batches."""
    if not config.batches:
        return
    store = config.model_storage
    if store.kind is not StorageKind.SEAWEEDFS:
        reason = (
            "batches need a key per tenant, which the store deployed by this stack alone has: use kind "
            f"{StorageKind.SEAWEEDFS.value}, or take batches out"
        )
        yield Problem("model-storage.kind", store.kind.value, reason)
    if store.bucket == BATCHES:
        yield Problem("model-storage.bucket", BATCHES, "the bucket of batches: use another")
    served = {one.section.name: one for one in config.served_models}
    stable = [one for one in config.served_models if one.canary_of is None]
    served |= {adapter.name: one for one in stable for adapter in one.section.adapters}
    for index, batch in enumerate(config.batches):
        path = f"batches[{index}]"
        if batch.model in served:
            yield from _model(config, batch, served[batch.model], path)
        else:
            yield Problem(f"{path}.model", batch.model, one_of(batch.model, served))
    yield from _apart(config, served)


def _model(config: StackConfig, batch: BatchSection, one: ServedModel, path: str) -> Iterator[Problem]:
    model = one.section
    spec = config.known_models.get(model.model)
    if spec is not None and spec.task not in ANSWERING:
        reason = f"a model for {spec.task.value}: use one for {' or '.join(task.value for task in ANSWERING)}"
        yield Problem(f"{path}.model", batch.model, reason)
    if model.weights is Weights.SIMULATED:
        yield Problem(f"{path}.model", batch.model, "its weights are simulated, and it answers nothing")
    if model.scaling is not None and model.scaling.min == 0:
        reason = (
            "no copy of it may run, and a batch calls it without the gateway, which alone holds calls: use "
            "scaling.min of 1 or more"
        )
        yield Problem(f"{path}.model", batch.model, reason)
    copies = model.replicas.max
    if batch.concurrency is not None and batch.concurrency > model.max_num_seqs * copies:
        reason = (
            f"{batch.model} runs {model.max_num_seqs} sequences in each of {copies} copies at most: use "
            f"{model.max_num_seqs * copies} or less"
        )
        yield Problem(f"{path}.concurrency", str(batch.concurrency), reason)


def _apart(config: StackConfig, served: dict[str, ServedModel]) -> Iterator[Problem]:
    """Answers among requests, or two batches at one place: what one writes, the other would read.

    Batches may answer the same requests, each with a model of its own.
    """
    places: dict[tuple[str | None, str], str] = {}
    inputs: set[tuple[str | None, str]] = set()
    for index, batch in enumerate(config.batches):
        one = served.get(batch.model)
        tenant = None if one is None else one.section.tenant
        for key, prefix in (("input", input_of(batch)), ("output", output_of(batch))):
            path = f"batches[{index}].{key}"
            if key == "input" and (tenant, prefix) in inputs:
                continue
            for (owner, other), where in places.items():
                if owner == tenant and _within(prefix, other):
                    yield Problem(path, prefix, f"{where} is {other}: none may be in another")
            places[tenant, prefix] = path
            if key == "input":
                inputs.add((tenant, prefix))


def _within(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
