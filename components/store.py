"""The object store that models are kept in, as importers and servers reach it."""

from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi

from corral.components.secret_store import SecretStore


class Store(TypedDict):
    """A bucket for models and two identities: imports write, servers read.

    Each identity is a key, or the account of pods that the store's cloud knows: there are no keys then.
    """

    scheme: NotRequired[str]
    """Of its URIs: `s3`, or `gs` for Cloud Storage; `s3` when omitted."""
    endpoint: pulumi.Input[str]
    """URL that pods reach it by."""
    port: int
    """TCP port of that URL, for network policies."""
    region: pulumi.Input[str]
    """Region that clients of S3 sign for."""
    bucket: pulumi.Input[str]
    """Bucket of the models."""
    namespace: pulumi.Input[str]
    """Namespace in which imports run."""
    writer_secret: NotRequired[pulumi.Input[str]]
    """Secret there with the credential that may write, as AWS_* keys."""
    writer_account: NotRequired[pulumi.Input[str]]
    """ServiceAccount there whose pods may write without keys; in place of all keys."""
    reader_access_key: NotRequired[pulumi.Input[str]]
    """Access key of the identity that only reads."""
    reader_secret_key: NotRequired[pulumi.Input[str]]
    """Secret key of the identity that only reads, a secret."""
    reader_store: NotRequired[SecretStore]
    """What has both keys of that identity, as `storage-access-key` and `storage-secret-key`."""


class BatchKey(TypedDict):
    """The key of one tenant, which opens its prefix alone."""

    access_key: pulumi.Input[str]
    """Access key."""
    secret_key: pulumi.Input[str]
    """Secret key, a secret."""


class BatchStore(TypedDict):
    """A bucket with the requests and answers of batches, a prefix per tenant."""

    endpoint: pulumi.Input[str]
    """URL that pods reach it by."""
    region: pulumi.Input[str]
    """Region that clients of S3 sign for."""
    bucket: pulumi.Input[str]
    """Its bucket."""
    keys: dict[str, BatchKey]
    """Key by tenant."""


def scheme_of(store: Store) -> str:
    """Scheme of the store's URIs."""
    return store.get("scheme", "s3")


def variables(store: Store) -> dict[str, pulumi.Input[str]]:
    """By which the tools find the store; of Cloud Storage they know where it is."""
    if scheme_of(store) != "s3":
        return {}
    return {"AWS_ENDPOINT_URL_S3": store["endpoint"], "AWS_REGION": store["region"]}


KEYS = ("writer_secret", "reader_access_key", "reader_secret_key")


def store_problems(owner: str, store: Store) -> Iterator[str]:
    """Identities that are missing, or stated twice, one line each."""
    keyless = "writer_account" in store
    for key in KEYS if "reader_store" not in store else KEYS[:1]:
        if (key in store) is keyless:
            reason = (
                "pods are let in by their account" if keyless else "or 'writer_account' in place of all keys"
            )
            yield f"{owner}.store: {key!r} is {'superfluous' if keyless else 'missing'}; {reason}"
