"""Stores of secrets as External Secrets reads them: what is stated of each kind, and its provider."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from corral.catalogue.vocabulary import SecretProvider

API_VERSION = "external-secrets.io/v1"
KIND = "ClusterSecretStore"
ACCOUNT = "external-secrets"
"""ServiceAccount of the operator, by which stores know it."""


@dataclass(frozen=True)
class StoreKind:
    """A kind of store."""

    provider: str
    """Its name in `spec.provider`."""
    needs: tuple[str, ...]
    """What must be stated of it, of `server`, `role`, `region` and `project`."""
    place: Mapping[str, str]
    """What says where it is: field of the provider -> what is stated."""
    property: str | None = None
    """Field of a secret that has its text, of a store whose secrets have fields."""


STORE_KINDS: Mapping[SecretProvider, StoreKind] = {
    SecretProvider.VAULT: StoreKind("vault", ("server", "role"), {"server": "server"}, "value"),
    SecretProvider.AWS: StoreKind("aws", ("region",), {"region": "region"}),
    SecretProvider.GCP: StoreKind(
        "gcpsm", ("region", "project"), {"location": "region", "projectID": "project"}
    ),
}


def placed(kind: SecretProvider, stated: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """`spec.provider` as far as it says where the store is."""
    one = STORE_KINDS[kind]
    return {one.provider: {field: stated[key] for field, key in one.place.items() if key in stated}}


def provider(kind: SecretProvider, stated: Mapping[str, str]) -> dict[str, Any]:
    """`spec.provider` of a store that the operator enters by the token of its own pod, without a key.

    Of AWS and Google that is the identity of its pods.
    """
    (one,) = placed(kind, stated).values()
    further: dict[SecretProvider, dict[str, Any]] = {
        SecretProvider.VAULT: {
            "path": stated.get("path", "secret"),
            "version": "v2",
            "auth": {
                "kubernetes": {
                    "mountPath": stated.get("mount", "kubernetes"),
                    "role": stated.get("role", ""),
                }
            },
        },
        SecretProvider.AWS: {"service": "SecretsManager"},
        SecretProvider.GCP: {},
    }
    return {STORE_KINDS[kind].provider: {**one, **further[kind]}}
