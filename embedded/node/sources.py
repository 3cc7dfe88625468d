"""The objects a pod takes its environment and files from, kept up to date."""

import base64
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from corral.catalogue.quantities import amount
from corral.embedded.kube import Object
from corral.embedded.objects import child, children

Items = Mapping[tuple[str, str], Object]
"""Objects by (namespace, name)."""


class Missing(Exception):
    """Something the pod refers to is not there yet; the pod waits for it."""


@dataclass(frozen=True)
class Sources:
    """Live collections by (namespace, name)."""

    secrets: Items
    config_maps: Items
    claims: Items
    """PersistentVolumeClaims."""
    volumes: Items
    """PersistentVolumes; namespace is empty."""
    services: Items
    resource_claims: Items

    def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """Content of a Secret. Raises `Missing`."""
        item = self.secrets.get((namespace, name))
        if item is None:
            raise Missing(f'secret "{name}" not found')
        data = cast(dict[str, str], item.get("data") or {})
        return {key: base64.b64decode(value) for key, value in data.items()}

    def config_map(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """Content of a ConfigMap, text and binary. Raises `Missing`."""
        item = self.config_maps.get((namespace, name))
        if item is None:
            raise Missing(f'configmap "{name}" not found')
        text = cast(dict[str, str], item.get("data") or {})
        binary = cast(dict[str, str], item.get("binaryData") or {})
        return {
            **{key: value.encode() for key, value in text.items()},
            **{key: base64.b64decode(value) for key, value in binary.items()},
        }

    def read(self, kind: str, namespace: str, reference: Object) -> Mapping[str, bytes] | None:
        """Content of a `secret` or `configMap` by reference; None: it is optional and not there.

        Raises:
            Missing: it is not optional and not there.
        """
        name = str(reference.get("secretName") or reference.get("name"))
        try:
            return self.secret(namespace, name) if kind == "secret" else self.config_map(namespace, name)
        except Missing:
            if reference.get("optional"):
                return None
            raise


def field(pod: Object, path: str, addresses: Mapping[str, str]) -> str:
    """Value of a downward-API field; `addresses` holds `status.podIP` and its like.

    Raises:
        ValueError: the field is not one of the downward API's.
    """
    if path in addresses:
        return addresses[path]
    head, bracket, key = path.partition("['")
    metadata = cast(Object, pod["metadata"])
    if head in ("metadata.labels", "metadata.annotations"):
        values = cast(dict[str, str], child(pod, *head.split(".")))
        if bracket:
            return values.get(key.removesuffix("']"), "")
        return "\n".join(f'{name}="{value}"' for name, value in sorted(values.items()))
    plain = {
        "metadata.name": metadata.get("name"),
        "metadata.namespace": metadata.get("namespace"),
        "metadata.uid": metadata.get("uid"),
        "spec.nodeName": pod["spec"].get("nodeName"),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
    }
    if path not in plain:
        raise ValueError(f"fieldPath {path!r}: use {', '.join(sorted({*plain, *addresses}))}")
    return str(plain[path])


def resource_field(pod: Object, container: str, reference: Object) -> str:
    """Value of a `resourceFieldRef`, divided by its divisor and rounded up; 0 when nothing is set."""
    name = str(reference.get("containerName") or container)
    every = [*children(pod, "spec", "containers"), *children(pod, "spec", "initContainers")]
    resources = next((child(c, "resources") for c in every if c["name"] == name), child({}))
    kind, _dot, what = str(reference["resource"]).partition(".")
    other = "limits" if kind == "requests" else "requests"
    amounts = child(resources, kind) or child(resources, other)
    divisor = amount(str(reference.get("divisor") or "1")) or 1
    return str(math.ceil(amount(str(amounts.get(what, "0"))) / divisor))
