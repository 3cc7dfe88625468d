"""Stores of models by kind: how their addresses begin, and which ones nobody needs a key for."""

from collections.abc import Mapping

from corral.catalogue.vocabulary import SourceScheme, StorageKind

SCHEMES: Mapping[StorageKind, SourceScheme] = {
    kind: SourceScheme.GCS if kind is StorageKind.GCS else SourceScheme.S3 for kind in StorageKind
}
"""Scheme of the addresses of each kind; stores that the platform deploys, or finds, speak as S3 does."""
KEYLESS = frozenset({StorageKind.S3, StorageKind.GCS})
"""Kinds of a cloud's own, which pods enter by their account."""
BATCHES = "batches"
"""Bucket with the requests and answers of batches, a prefix per tenant."""
CLOUD_STORAGE = "https://storage.googleapis.com"
"""Where Cloud Storage is."""


def bucket_uri(kind: StorageKind, bucket: str) -> str:
    """Address of a bucket.

    >>> bucket_uri(StorageKind.GCS, "models")
    'gs://models'
    """
    return f"{SCHEMES[kind].value}://{bucket}"
