"""Stores of models, vectors and metrics, from their sections of the stack file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from urllib.parse import urlsplit

from corral.catalogue.addons import descriptor
from corral.catalogue.aws import partition_of, partitions
from corral.catalogue.quantities import GIB, gib, gibibytes
from corral.catalogue.stores import CLOUD_STORAGE
from corral.catalogue.vocabulary import Addon, StorageKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.config.stack_config import ModelStorage, Observability, VectorDb
from corral.stacks.planning.addons import namespace
from corral.stacks.planning.defaults import ModelRequest
from corral.stacks.planning.model_files import stored_bytes
from corral.stacks.planning.results.stores import ObservabilityPlan, StoragePlan, VectorDbPlan
from corral.stacks.planning.vector_capacity import LEAST_VOLUME_GIB, capacity

SIZE_GIB = 50
"""Volume of a store whose models need less."""
MARGIN_PERCENT = 20
"""What is left beside the models: space that deleted objects keep until the store compacts its volumes."""
PREVIOUS_IMPORTS = 1
"""Imports of a model that stay beside that which is served."""
SERVICE_GIB = 1
"""One volume file of the store that is being filled (`-master.volumeSizeLimitMB`)."""
STORE = descriptor(Addon.MODEL_STORAGE)
STORE_ENDPOINT = f"http://model-storage.{STORE.namespace}.svc.cluster.local:{STORE.ports['s3']}"
IN_CLUSTER = re.compile(r"[^.]+\.(?P<namespace>[^.]+)\.svc(\.cluster\.local)?\.?")
"""Host of a Service."""
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""Addresses that nobody on the internet has (RFC 1918, RFC 6598)."""
CREDENTIALS = {secret.engine: secret.key for secret in descriptor(Addon.VECTOR_DB).secrets}


def storage_plan(store: ModelStorage, region: str, files: Sequence[int]) -> StoragePlan:
    """The store of models, deployed or existing; `files`: bytes of each model."""
    ample = _ample_gib(store, files)
    return StoragePlan(
        kind=store.kind,
        bucket=store.bucket,
        size_gib=max(SIZE_GIB, ample) if store.size is None else gibibytes(store.size),
        ample_gib=ample if store.kind is StorageKind.SEAWEEDFS else 0,
        models_gib=-(-sum(files) // GIB),
        previous_imports=_previous(store),
        endpoint=_endpoint(store, region),
        region=region,
        service_namespace=_service_namespace(store),
        networks=_networks(store),
    )


def _service_namespace(store: ModelStorage) -> str | None:
    host = urlsplit(store.endpoint or "").hostname or ""
    inside = IN_CLUSTER.fullmatch(host)
    return None if inside is None or store.networks else inside["namespace"]


def _networks(store: ModelStorage) -> tuple[str, ...]:
    if store.kind is not StorageKind.EXISTING or _service_namespace(store) is not None:
        return ()
    if store.networks:
        return store.networks
    try:
        return (str(ip_network(urlsplit(store.endpoint or "").hostname or "")),)
    except ValueError:
        return PRIVATE


def _endpoint(store: ModelStorage, region: str) -> str:
    partition = partition_of(region)
    if store.kind is StorageKind.S3 and partition is not None:
        return f"https://s3.{region}.{partitions()[partition].dns_suffix}"
    if store.kind is StorageKind.GCS:
        return CLOUD_STORAGE
    return store.endpoint or STORE_ENDPOINT


def _previous(store: ModelStorage) -> int | None:
    if store.previous_imports is None and store.kind is not StorageKind.EXISTING:
        return PREVIOUS_IMPORTS
    return store.previous_imports


def _needed_gib(stored: int) -> int:
    """Volume in GiB for `stored` bytes of models."""
    return -(-stored * (100 + MARGIN_PERCENT) // (100 * GIB)) + SERVICE_GIB


def _ample_gib(store: ModelStorage, files: Sequence[int]) -> int:
    """Volume in GiB for every model with its previous imports, and the largest once more: a new import is
    there before an old one goes."""
    return _needed_gib(sum(files) * (1 + (_previous(store) or 0)) + max(files, default=0))


def too_small(
    store: ModelStorage, requests: Sequence[ModelRequest], locked: Mapping[str, LockedModel]
) -> Iterator[Problem]:
    """A problem where the volume of a deployed store does not hold the models."""
    if store.kind is not StorageKind.SEAWEEDFS or store.size is None:
        return
    stored = sum(stored_bytes(requests, locked))
    needed = _needed_gib(stored)
    if gibibytes(store.size) < needed:
        reason = f"the models are {gib(stored)}, which need {needed}Gi: use that, or leave the size out"
        yield Problem("model-storage.size", store.size, reason)


def vector_db_plan(section: VectorDb | None) -> VectorDbPlan | None:
    """The vector database; None: there is none."""
    if section is None:
        return None
    needs = capacity(section)
    planned = max(LEAST_VOLUME_GIB, needs.volume_gib)
    return VectorDbPlan(
        engine=section.engine,
        namespace=namespace(Addon.VECTOR_DB),
        replicas=section.replicas,
        replication_factor=needs.replication_factor,
        size_gib=planned if section.size is None else gibibytes(section.size),
        memory_mib=needs.memory_mib,
        capacity_rule=needs.rule,
        vectors=section.vectors,
        dimensions=section.dimensions,
        secret=CREDENTIALS[section.engine],
    )


def observability_plan(section: Observability | None) -> ObservabilityPlan | None:
    """Metrics and their volume; None: there are none."""
    if section is None:
        return None
    return ObservabilityPlan(
        namespace(Addon.OBSERVABILITY),
        section.retention_days,
        gibibytes(section.size),
        section.control_plane,
        section.alerts,
    )
