"""Section `model-storage`: an endpoint where the store exists."""

from collections.abc import Iterator

from corral.catalogue.formats import Format
from corral.catalogue.vocabulary import Cloud, StorageKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig

_BUCKET = Format(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "3 to 63 of a-z, 0-9, - and .")


def check_model_storage(config: StackConfig) -> Iterator[Problem]:
    """An endpoint that is missing or superfluous, and what a bucket of AWS cannot be."""
    store = config.model_storage
    if store.kind is StorageKind.S3:
        yield from _of_aws(config)
    if (store.kind is StorageKind.EXISTING) != (store.endpoint is not None):
        yield Problem(
            "model-storage.endpoint", store.endpoint or "missing", "kind existing has one, no other"
        )


def _of_aws(config: StackConfig) -> Iterator[Problem]:
    store = config.model_storage
    if config.cluster.capabilities.cloud is not Cloud.AWS:
        reason = "a stack makes it beside a cluster of kind eks alone: use existing, with endpoint and keys"
        yield Problem("model-storage.kind", store.kind.value, reason)
    if "bucket" not in store.model_fields_set:
        yield Problem("model-storage.bucket", "missing", "name one that nobody else in AWS has")
    elif not _BUCKET.matches(store.bucket):
        yield Problem("model-storage.bucket", store.bucket, f"no name of a bucket of S3: use {_BUCKET.words}")
    if store.size is not None:
        yield Problem("model-storage.size", store.size, "S3 has no volume: leave it out")
