"""The object store that models are kept in, as importers and servers reach it."""

from typing import TypedDict

import pulumi


class Store(TypedDict):
    """A bucket for models and two identities: imports write, servers read."""

    endpoint: pulumi.Input[str]
    """URL that pods reach it by."""
    port: int
    """TCP port of that URL, for network policies."""
    region: pulumi.Input[str]
    """Region that clients sign for."""
    bucket: pulumi.Input[str]
    """Bucket of the models."""
    namespace: pulumi.Input[str]
    """Namespace in which imports run."""
    writer_secret: pulumi.Input[str]
    """Secret there with the credential that may write, as AWS_* keys."""
    reader_access_key: pulumi.Input[str]
    """Access key of the identity that only reads."""
    reader_secret_key: pulumi.Input[str]
    """Secret key of the identity that only reads, a secret."""
