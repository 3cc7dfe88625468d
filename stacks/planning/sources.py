"""Places that models are imported from."""

from collections.abc import Sequence

from corral.catalogue.models import ModelSpec
from corral.catalogue.vocabulary import Weights
from corral.stacks.config.model_sources import source_of, source_secrets
from corral.stacks.config.stack_config import ModelSection, ModelSource
from corral.stacks.planning.results.models import SourcePlan


def origin(model: ModelSection, spec: ModelSpec, sources: Sequence[ModelSource]) -> SourcePlan | None:
    """What opens the source of `model`; None: nothing does, or nothing is imported."""
    uri = model.source or spec.package_source
    return None if uri is None or model.weights is Weights.SIMULATED else origin_of(uri, sources)


def origin_of(uri: str, sources: Sequence[ModelSource]) -> SourcePlan | None:
    """What opens `uri`; None: nothing is needed."""
    source = source_of(uri, sources)
    if source is None:
        return None
    return SourcePlan(source.name, source.url, source.endpoint, source.region, source_secrets(source))
