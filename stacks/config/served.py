"""What a stack serves: its models and their canaries, each with the place where the stack file has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corral.catalogue.gateway import canary
from corral.stacks.config.sections.models import ModelSection, Replicas


@dataclass(frozen=True)
class ServedModel:
    """A model or a canary, with every key that it has."""

    path: str
    """Place in the stack file, such as `models[0]` or `models[0].canary`."""
    section: ModelSection
    """A canary's has the keys of its model but for its own."""
    canary_of: str | None = None
    """Model whose calls it takes a part of; None: it is no canary."""
    weight: int | None = None
    """Percent of those calls."""

    def same(self, other: "ServedModel") -> bool:
        """Whether both answer alike, however many replicas each has."""
        return _answers(self.section) == _answers(other.section)


def served_models(models: Sequence[ModelSection]) -> Iterator[ServedModel]:
    """Each of `models`, and behind it its canary."""
    for index, model in enumerate(models):
        yield ServedModel(f"models[{index}]", _scaled(model))
        if model.canary is not None:
            yield _canary(f"models[{index}].canary", model)


def _scaled(model: ModelSection) -> ModelSection:
    """`model`, whose replicas are those that its scaling allows."""
    if model.scaling is None:
        return model
    # 0 is a number that `replicas` itself refuses.
    span = Replicas.model_construct(min=model.scaling.min, max=model.scaling.max)
    return model.model_copy(update={"replicas": span})


def _canary(path: str, model: ModelSection) -> ServedModel:
    own = model.canary
    assert own is not None
    stated = {
        key: value for key in own.model_fields_set - {"weight"} if (value := getattr(own, key)) is not None
    }
    if own.model is not None:
        # The source of another model has other files.
        stated = {"source": None, **stated}
    named = {"name": canary(model.name), "replicas": own.replicas, "canary": None, "scaling": None}
    return ServedModel(path, model.model_copy(update={**stated, **named}), model.name, own.weight)


def _answers(section: ModelSection) -> ModelSection:
    return section.model_copy(update={"name": "", "replicas": None, "canary": None, "scaling": None})
