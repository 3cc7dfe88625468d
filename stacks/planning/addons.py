"""Which addons a stack has, who answers for each, where it runs, and what it is made of."""

from corral.catalogue.charts import ChartEntry, charts_of
from corral.catalogue.vocabulary import Addon, AddonState, StorageKind, VectorEngine
from corral.stacks.config.stack_config import StackConfig

REQUIRES = {
    Addon.KSERVE: (Addon.CERT_MANAGER,),
    Addon.OBSERVABILITY: (Addon.PROMETHEUS_CRDS,),
}
"""An addon that is not off needs these addons not to be off."""
PLAIN_NAMESPACE = {Addon.MODEL_STORAGE: "model-storage", Addon.VECTOR_DB: "vector-db"}
"""Namespaces of addons made of plain objects; the others' charts say theirs, or they have none."""


def state(config: StackConfig, addon: Addon) -> AddonState:
    """Who answers for `addon`: what the stack file says, else what its sections imply."""
    return config.addons.get(addon, _implied(config, addon))


def _implied(config: StackConfig, addon: Addon) -> AddonState:
    absent = {
        Addon.VECTOR_DB: config.vector_db is None,
        Addon.OBSERVABILITY: config.observability is None,
        Addon.KUEUE: config.fair_sharing is None,
    }
    if absent.get(addon, False):
        return AddonState.OFF
    if addon is Addon.MODEL_STORAGE and config.model_storage.kind is StorageKind.EXISTING:
        return AddonState.EXISTING
    return AddonState.MANAGED


def charts_in(config: StackConfig, addon: Addon) -> tuple[ChartEntry, ...]:
    """Charts that make up `addon` in this stack: none where pgvector, which has no chart, stores vectors."""
    database = config.vector_db
    plain = addon is Addon.VECTOR_DB and (database is None or database.engine is VectorEngine.PGVECTOR)
    return () if plain else charts_of(addon)


def namespace(addon: Addon) -> str:
    """Where `addon` runs; empty: it has no pods."""
    found = charts_of(addon)
    return found[0].namespace if found else PLAIN_NAMESPACE.get(addon, "")
