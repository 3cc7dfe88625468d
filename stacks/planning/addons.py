"""Which addons a stack has, who answers for each, where it runs, and what it is made of."""

from collections.abc import Collection, Mapping

from corral.catalogue.addons import Descriptor, descriptor, descriptors
from corral.catalogue.charts import ChartEntry, chart, charts_of
from corral.catalogue.stores import KEYLESS
from corral.catalogue.vocabulary import Addon, AddonState, StorageKind, VectorEngine
from corral.stacks.config.stack_config import ALERTS_URL, REGISTRY_AUTH, Observability, Sovereignty
from corral.stacks.planning.results.addons import AddonPlan, AddonStates, ChartPlan


def addon_states(
    stated: Mapping[Addon, AddonState], sections: Collection[str], store: StorageKind
) -> AddonStates:
    """Who answers for each addon: what is `stated`, else what the stack file's `sections` imply.

    `store`: the kind of its object store.
    """
    return {
        addon: stated.get(addon, _implied(addon, one, sections, store))
        for addon, one in descriptors().items()
    }


def _implied(addon: Addon, one: Descriptor, sections: Collection[str], store: StorageKind) -> AddonState:
    if one.section is not None and one.section not in sections:
        return AddonState.OFF
    if addon is Addon.MODEL_STORAGE and store is not StorageKind.SEAWEEDFS:
        return AddonState.EXISTING
    return AddonState.MANAGED


def charts_in(addon: Addon, engine: VectorEngine | None) -> tuple[ChartEntry, ...]:
    """Charts that make up `addon` with this engine of the vector database; pgvector has none."""
    further = (chart(name) for name in descriptor(addon).further_charts)
    return (*further, *(one for one in charts_of(addon) if one.engine in (None, engine)))


def namespace(addon: Addon) -> str:
    """Where `addon` runs; empty: it has no pods."""
    return descriptor(addon).namespace


def addon_plans(states: AddonStates, engine: VectorEngine | None) -> tuple[AddonPlan, ...]:
    """Every addon with its charts, in the order of installation."""
    return tuple(
        AddonPlan(
            addon=addon,
            state=state,
            namespace=namespace(addon),
            charts=tuple(ChartPlan(entry.name, entry.version) for entry in charts_in(addon, engine)),
        )
        for addon, state in states.items()
    )


def secrets_of(
    states: AddonStates,
    engine: VectorEngine | None,
    section: Sovereignty,
    watch: Observability | None,
    store: StorageKind,
) -> tuple[str, ...]:
    """Keys of encrypted configuration that a stack with these addons needs."""
    of_addons = tuple(
        secret.key
        for addon, state in states.items()
        # Pods enter a cloud's bucket by their own identity.
        if not (addon is Addon.MODEL_STORAGE and store in KEYLESS)
        for secret in descriptor(addon).secrets
        if state in secret.states and secret.engine in (None, engine)
    )
    alerted = watch is not None and watch.alerts is not None
    own = {REGISTRY_AUTH: section.pull_secret is not None, ALERTS_URL: alerted}
    return (*of_addons, *(key for key, needed in own.items() if needed))
