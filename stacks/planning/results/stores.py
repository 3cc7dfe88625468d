"""Stores of models, vectors and metrics."""

from dataclasses import dataclass

from corral.catalogue.stores import bucket_uri
from corral.catalogue.vocabulary import AlertReceiver, StorageKind, VectorEngine


@dataclass(frozen=True)
class StoragePlan:
    """The object store that holds models."""

    kind: StorageKind
    bucket: str
    size_gib: int
    models_gib: int
    """What the files of its models take, rounded up."""
    previous_imports: int | None
    """How many imports of each model stay beside that which is served; None: all."""
    ample_gib: int
    """Volume with room for those and for a new import of the largest model; 0 where there is no volume."""
    endpoint: str
    """URL by which pods reach it."""
    region: str
    service_namespace: str | None
    """Namespace of an existing store that runs in the cluster."""
    networks: tuple[str, ...]
    """Networks in which an existing store outside the cluster has its addresses."""

    @property
    def uri(self) -> str:
        """Address of the bucket, such as `s3://models`."""
        return bucket_uri(self.kind, self.bucket)


@dataclass(frozen=True)
class VectorDbPlan:
    """The vector database."""

    engine: VectorEngine
    namespace: str
    replicas: int
    replication_factor: int
    """Copies of each shard."""
    size_gib: int
    """Volume of each replica."""
    memory_mib: int
    """Memory of each replica."""
    capacity_rule: str
    """What memory and least volume follow from."""
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
    control_plane: bool
    """Whether the cluster's own scheduler, controller manager, etcd and kube-proxy are scraped."""
    alerts: AlertReceiver | None = None
    """Who alerts are sent to; None: nobody."""
