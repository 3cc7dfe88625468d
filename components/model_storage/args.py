"""What model storage needs to know."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.vocabulary import StorageKind
from corral.components._words import StorageKindWord
from corral.components.supply import Supply


class ModelStorageArgs(TypedDict):
    """What model storage needs to know."""

    kind: StorageKindWord
    """Whether the store is deployed, or there."""
    bucket: str
    """Bucket that holds the models."""
    access_key: pulumi.Input[str]
    """Access key of the store's administrator, or of an account for an existing bucket; a secret."""
    secret_key: pulumi.Input[str]
    """Secret key that belongs to it, a secret."""
    supply: Supply
    """Where images come from."""
    encryption_key: NotRequired[pulumi.Input[str]]
    """64 hex digits that encrypt the objects' keys, a secret; needed to deploy a store. It never changes."""
    endpoint: NotRequired[str]
    """URL of an existing store."""
    region: NotRequired[str]
    """Region that clients sign for; `us-east-1`, the default of S3 clients, when omitted."""
    size_gib: NotRequired[int]
    """Size of the volume in GiB, 50 when omitted. It can grow, not shrink."""
    storage_class: NotRequired[str]
    """Storage class of the volume; the cluster's default when omitted."""
    clients: NotRequired[list[str]]
    """Namespaces whose pods may read models."""
    scraper: NotRequired[str]
    """Namespace that metrics are scraped from; `monitoring` when omitted."""
    monitors: NotRequired[bool]
    """False where the Prometheus operator's resource types are absent: no monitor and no alert then."""
    monitor_types: NotRequired[pulumi.Input[str]]
    """`Crds.definition` of the set `prometheus-crds`, where this program makes them; they must be there
    already when omitted."""
    protect: NotRequired[bool]
    """False: the models may be deleted with the stack; true when omitted."""
    namespace: NotRequired[str]
    """Where the store and the import Jobs run; `model-storage` when omitted."""
    create_namespace: NotRequired[bool]
    """False: its namespace is there, is used as it is, and stays; true when omitted."""


def problems(name: str, args: ModelStorageArgs) -> Iterator[str]:
    """What the kind of store lacks, one line each."""
    match StorageKind(args["kind"]):
        case StorageKind.EXISTING if "endpoint" not in args:
            yield f"{name}: 'endpoint' is missing; an existing store has one"
        case StorageKind.SEAWEEDFS if "encryption_key" not in args:
            yield f"{name}: 'encryption_key' is missing; a deployed store encrypts with it"
        case _:
            pass
