"""Stores of models, vectors and metrics, from their sections of the stack file."""

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon
from corral.stacks.config.stack_config import ModelStorage, Observability, VectorDb
from corral.stacks.config.values import gibibytes
from corral.stacks.planning.addons import namespace
from corral.stacks.planning.results.stores import ObservabilityPlan, StoragePlan, VectorDbPlan

STORE = descriptor(Addon.MODEL_STORAGE)
STORE_ENDPOINT = f"http://model-storage.{STORE.namespace}.svc.cluster.local:{STORE.ports['s3']}"
CREDENTIALS = {secret.engine: secret.key for secret in descriptor(Addon.VECTOR_DB).secrets}


def storage_plan(store: ModelStorage, region: str) -> StoragePlan:
    """The store of models, deployed or existing."""
    return StoragePlan(
        kind=store.kind,
        bucket=store.bucket,
        size_gib=gibibytes(store.size),
        endpoint=store.endpoint or STORE_ENDPOINT,
        region=region,
    )


def vector_db_plan(section: VectorDb | None) -> VectorDbPlan | None:
    """The vector database; None: there is none."""
    if section is None:
        return None
    return VectorDbPlan(
        engine=section.engine,
        namespace=namespace(Addon.VECTOR_DB),
        replicas=section.replicas,
        size_gib=gibibytes(section.size),
        vectors=section.vectors,
        dimensions=section.dimensions,
        secret=CREDENTIALS[section.engine],
    )


def observability_plan(section: Observability | None) -> ObservabilityPlan | None:
    """Metrics and their volume; None: there are none."""
    if section is None:
        return None
    return ObservabilityPlan(namespace(Addon.OBSERVABILITY), section.retention_days, gibibytes(section.size))
