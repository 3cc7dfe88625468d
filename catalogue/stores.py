"""Stores of models by kind: how their addresses begin, and which ones nobody needs a key for."""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit

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


_PORTS = {"http": 80, "https": 443}


def port_of(endpoint: str) -> int:
    """TCP port of a store's URL.

    >>> port_of("https://minio.example:9000"), port_of("https://s3.example")
    (9000, 443)
    """
    url = urlsplit(endpoint)
    return url.port or _PORTS[url.scheme]


def bucket_uri(kind: StorageKind, bucket: str) -> str:
    """Address of a bucket.

    >>> bucket_uri(StorageKind.GCS, "models")
    'gs://models'
    """
    return f"{SCHEMES[kind].value}://{bucket}"


PREFIX_DIGITS = 8


def model_prefix(name: str, source: str, sums: Mapping[str, str]) -> str:
    """Key prefix of the files of model `name`, `sums` their SHA-256 in hex by name: other files have another.

    Files that nobody has locked have that of their source.

    >>> model_prefix("chat", "hf://a/b", {}).rpartition("-")[0]
    'chat'
    """
    content = "\n".join(sorted(f"{file}={digest}" for file, digest in sums.items())) or source
    return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:PREFIX_DIGITS]}"
