"""Section `model-storage`: an endpoint where the store exists."""

from collections.abc import Iterator

from corral.catalogue.formats import Format
from corral.catalogue.vocabulary import Cloud, Egress, StorageKind
from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import StackConfig

_S3_BUCKET = Format(
    r"(?!.*\.\.|xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$)"
    r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "3 to 63 of a-z, 0-9, - and ., with none of the beginnings and ends that S3 keeps for itself",
)
"""As the S3 user guide has it, general purpose bucket naming rules."""
_GCS_BUCKET = Format(
    r"(?!goog|.*google)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "3 to 63 of a-z, 0-9 and -, without the word google"
)


def check_model_storage(config: StackConfig) -> Iterator[Problem]:
    """An endpoint that is missing or superfluous, and what a bucket of a cloud cannot be."""
    store = config.model_storage
    if store.kind is StorageKind.S3:
        yield from _of_cloud(config, Cloud.AWS, "eks", "S3", _S3_BUCKET)
    if store.kind is StorageKind.GCS:
        yield from _of_cloud(config, Cloud.GCP, "gke", "Cloud Storage", _GCS_BUCKET)
        yield from _within_google(config)
    if (store.kind is StorageKind.EXISTING) != (store.endpoint is not None):
        yield Problem(
            "model-storage.endpoint", store.endpoint or "missing", "kind existing has one, no other"
        )
    if store.kind is not StorageKind.EXISTING and store.networks:
        reason = "only kind existing has addresses of its own: leave it out"
        yield Problem("model-storage.networks", ", ".join(store.networks), reason)


def _of_cloud(config: StackConfig, cloud: Cloud, kind: str, title: str, names: Format) -> Iterator[Problem]:
    """What a bucket cannot be that the stack makes in the cloud of its cluster."""
    store = config.model_storage
    if config.cluster.capabilities.cloud is not cloud:
        reason = (
            f"a stack makes it beside a cluster of kind {kind} alone: use existing, with endpoint and keys"
        )
        yield Problem("model-storage.kind", store.kind.value, reason)
    if "bucket" not in store.model_fields_set:
        yield Problem("model-storage.bucket", "missing", f"name one that nobody else has in {title}")
    elif not names.matches(store.bucket):
        reason = f"no name of a bucket of {title}: use {names.words}"
        yield Problem("model-storage.bucket", store.bucket, reason)
    if store.size is not None:
        yield Problem("model-storage.size", store.size, f"{title} has no volume: leave it out")


def _within_google(config: StackConfig) -> Iterator[Problem]:
    """Cloud Storage by addresses of the internet, which are all of Google's: no network policy names them."""
    gke = config.cluster.gke
    if gke is not None and gke.network.egress is not Egress.NONE:
        reason = (
            "tenants reach Cloud Storage by addresses within Google: use cluster.gke.network.egress: none"
        )
        yield Problem("model-storage.kind", StorageKind.GCS.value, f"{reason}, or kind seaweedfs")
