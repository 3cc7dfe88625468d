"""LoRA adapters of models, in rows."""

from collections.abc import Iterable, Iterator, Sequence

from corral.catalogue.quantities import mib
from corral.stacks.planning.results.models import ModelPlan

HEADINGS = ("adapter", "of", "rank", "license", "source")


def adapter_rows(models: Iterable[ModelPlan]) -> Iterator[Sequence[str]]:
    """A row per adapter; those of a canary are its model's."""
    for model in models:
        if model.canary_of is None:
            for one in model.adapters:
                yield one.name, model.name, str(one.rank), one.license, one.source


def adapter_notes(models: Iterable[ModelPlan]) -> Iterator[str]:
    """How many adapters of a model are on the GPU at the same time."""
    for model in models:
        if model.adapters:
            slots = model.adapter_slots
            calls = "" if slots >= len(model.adapters) else "; calls of others wait until one of them is done"
            room = f"for which {mib(model.memory.adapters)} of each device are kept"
            yield f"{model.name}: {slots} of {len(model.adapters)} on the GPU at the same time, {room}{calls}"
