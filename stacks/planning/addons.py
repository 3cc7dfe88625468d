"""Which addons a stack has, who answers for each, where it runs, and what it is made of."""

from corral.catalogue.addons import descriptor
from corral.catalogue.charts import ChartEntry, charts_of
from corral.catalogue.vocabulary import Addon, AddonState, StorageKind
from corral.stacks.config.stack_config import StackConfig


def state(config: StackConfig, addon: Addon) -> AddonState:
    """Who answers for `addon`: what the stack file says, else what its sections imply."""
    return config.addons.get(addon, _implied(config, addon))


def _implied(config: StackConfig, addon: Addon) -> AddonState:
    section = descriptor(addon).section
    if section is not None and getattr(config, section.replace("-", "_")) is None:
        return AddonState.OFF
    if addon is Addon.MODEL_STORAGE and config.model_storage.kind is StorageKind.EXISTING:
        return AddonState.EXISTING
    return AddonState.MANAGED


def charts_in(config: StackConfig, addon: Addon) -> tuple[ChartEntry, ...]:
    """Charts that make up `addon` with this stack's engines; pgvector has none."""
    engine = None if config.vector_db is None else config.vector_db.engine
    return tuple(one for one in charts_of(addon) if one.engine is None or one.engine is engine)


def namespace(addon: Addon) -> str:
    """Where `addon` runs; empty: it has no pods."""
    return descriptor(addon).namespace


def secrets_of(config: StackConfig) -> tuple[str, ...]:
    """Keys of encrypted configuration that this stack needs."""
    engine = None if config.vector_db is None else config.vector_db.engine
    return tuple(
        secret.key
        for addon in Addon
        for secret in descriptor(addon).secrets
        if state(config, addon) in secret.states and secret.engine in (None, engine)
    )
