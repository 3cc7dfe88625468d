"""What model storage needs to know."""

from collections.abc import Iterator, Mapping
from typing import NotRequired, TypedDict

import pulumi

from corral.catalogue.stores import BATCHES, KEYLESS
from corral.catalogue.vocabulary import StorageKind
from corral.components._words import StorageKindWord
from corral.components.secret_store import SecretStore
from corral.components.supply import Supply


class ModelStorageArgs(TypedDict):
    """What model storage needs to know."""

    kind: StorageKindWord
    """Whether the store is deployed, is there, or is a bucket of S3 or Cloud Storage that lets pods in by
    their account."""
    bucket: pulumi.Input[str]
    """Bucket that holds the models; plain text unless the kind is `s3` or `gcs`."""
    supply: Supply
    """Where images come from."""
    access_key: NotRequired[pulumi.Input[str]]
    """Access key of the store's administrator, or of an account for an existing bucket; a secret. Kinds
    `s3` and `gcs` have none."""
    secret_key: NotRequired[pulumi.Input[str]]
    """Secret key that belongs to it, a secret."""
    secret_store: NotRequired[SecretStore]
    """What has both keys of an existing store, as `storage-access-key` and `storage-secret-key`."""
    encryption_key: NotRequired[pulumi.Input[str]]
    """64 hex digits that encrypt the objects' keys, a secret; needed to deploy a store. It never changes."""
    endpoint: NotRequired[pulumi.Input[str]]
    """URL of an existing store, or of S3 in the region, such as `EksModelBucket.endpoint`."""
    region: NotRequired[str]
    """Region that clients sign for; `us-east-1`, the default of S3 clients, when omitted."""
    size_gib: NotRequired[int]
    """Size of the volume in GiB, 50 when omitted. It can grow, not shrink."""
    storage_class: NotRequired[str]
    """Storage class of the volume; the cluster's default when omitted."""
    clients: NotRequired[list[str]]
    """Namespaces whose pods may read models."""
    batch_tenants: NotRequired[list[str]]
    """Tenants with a prefix of their own in the bucket `batches`, which a store of kind `seaweedfs` alone
    has; there is no such bucket when omitted."""
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


NEEDED: Mapping[StorageKind, tuple[str, ...]] = {
    StorageKind.SEAWEEDFS: ("access_key", "secret_key", "encryption_key"),
    StorageKind.EXISTING: ("access_key", "secret_key", "endpoint"),
    StorageKind.S3: ("endpoint", "region"),
    StorageKind.GCS: (),
}
"""Arguments that a kind of store needs beside its bucket."""
KEYS = ("access_key", "secret_key", "encryption_key")


def problems(name: str, args: ModelStorageArgs) -> Iterator[str]:
    """What the kind of store lacks, or does not take, one line each."""
    kind = StorageKind(args["kind"])
    if args.get("batch_tenants") and kind is not StorageKind.SEAWEEDFS:
        yield f"{name}: 'batch_tenants' is not of kind {kind.value}; use kind {StorageKind.SEAWEEDFS.value}"
    if args.get("batch_tenants") and args["bucket"] == BATCHES:
        yield f"{name}: 'bucket' is {BATCHES!r}, which batches have; use another"
    held = KEYS if "secret_store" in args else ()
    if held and kind is not StorageKind.EXISTING:
        yield (
            f"{name}: 'secret_store' is not of kind {kind.value}: the keys of a store that is made here are "
            "the program's, and a cloud's bucket has none; leave it out"
        )
    for key in NEEDED[kind]:
        if key not in args and key not in held:
            yield f"{name}: {key!r} is missing; kind {kind.value} needs it"
    if kind in KEYLESS:
        for key in KEYS:
            if key in args:
                yield (
                    f"{name}: {key!r} is not of kind {kind.value}, which lets pods in by their account; "
                    "leave it out"
                )
        return
    for key in ("bucket", "endpoint"):
        if not isinstance(args.get(key, ""), str):
            yield f"{name}: {key!r} is an output, which kind {kind.value} does not take; use plain text"
