"""Stores of models, vectors and metrics."""

from dataclasses import dataclass

from corral.catalogue.vocabulary import StorageKind, VectorEngine


@dataclass(frozen=True)
class StoragePlan:
    """The object store that holds models."""

    kind: StorageKind
    bucket: str
    size_gib: int
    endpoint: str
    """URL inside the cluster."""
    region: str


@dataclass(frozen=True)
class VectorDbPlan:
    """The vector database."""

    engine: VectorEngine
    namespace: str
    replicas: int
    size_gib: int
    vectors: int
    """Vectors expected."""
    dimensions: int
    secret: str
    """Key of the encrypted configuration that holds its credential."""


@dataclass(frozen=True)
class ObservabilityPlan:
    """Metrics, dashboards and alerts."""

    namespace: str
    retention_days: int
    size_gib: int
