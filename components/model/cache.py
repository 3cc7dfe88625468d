"""A model's files on the nodes that serve it, as KServe keeps and mounts them."""

import hashlib
from typing import Any

import pulumi

from corral.components.model.args import NodeCache

API = "serving.kserve.io/v1alpha1"
KEY_DIGITS = 16


def cache_spec(uri: pulumi.Input[str], cache: NodeCache) -> dict[str, Any]:
    """`spec` of the LocalModelCache."""
    return {
        "sourceModelUri": uri,
        "modelSize": f"{cache['size_gib']}Gi",
        "nodeGroups": [cache["node_group"]],
    }


def claim(name: pulumi.Input[str], cache: NodeCache) -> dict[str, Any]:
    """The volume of cache `name` in a pod of the namespace, where KServe makes the claim."""
    claimed = pulumi.Output.concat(name, "-", cache["node_group"])
    return {"persistentVolumeClaim": {"claimName": claimed, "readOnly": True}}


def folder(uri: str) -> str:
    """Where in that volume the files of `uri` are (`GetStorageKey` of KServe 0.20.0)."""
    return f"models/{hashlib.sha256(uri.encode()).hexdigest()[:KEY_DIGITS]}"
