"""Which parts a stack has, who answers for each, where it runs, and what it is made of."""

from corral.catalogue.charts import ChartEntry, charts_of
from corral.catalogue.vocabulary import Part, PartState, StorageKind, VectorEngine
from corral.stacks.config import StackConfig

REQUIRES = {
    Part.KSERVE: (Part.CERT_MANAGER,),
    Part.OBSERVABILITY: (Part.PROMETHEUS_CRDS,),
}
"""A part that is not off needs these parts not to be off."""
PLAIN_NAMESPACE = {Part.MODEL_STORAGE: "model-storage", Part.VECTOR_DB: "vector-db"}
"""Namespaces of parts made of plain objects; the others' charts say theirs, or they have none."""


def state(config: StackConfig, part: Part) -> PartState:
    """Who answers for `part`: what the stack file says, else what its sections imply."""
    return config.parts.get(part, _implied(config, part))


def _implied(config: StackConfig, part: Part) -> PartState:
    absent = {
        Part.VECTOR_DB: config.vector_db is None,
        Part.OBSERVABILITY: config.observability is None,
        Part.KUEUE: config.fair_sharing is None,
    }
    if absent.get(part, False):
        return PartState.OFF
    if part is Part.MODEL_STORAGE and config.model_storage.kind is StorageKind.EXISTING:
        return PartState.EXISTING
    return PartState.MANAGED


def charts_in(config: StackConfig, part: Part) -> tuple[ChartEntry, ...]:
    """Charts that make up `part` in this stack: none where pgvector, which has no chart, stores vectors."""
    database = config.vector_db
    plain = part is Part.VECTOR_DB and (database is None or database.engine is VectorEngine.PGVECTOR)
    return () if plain else charts_of(part)


def namespace(part: Part) -> str:
    """Where `part` runs; empty: it has no pods."""
    found = charts_of(part)
    return found[0].namespace if found else PLAIN_NAMESPACE.get(part, "")
