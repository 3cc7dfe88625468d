"""Claims of volumes that pods of one replica have."""

from typing import Any, cast

import pulumi
import pulumi_kubernetes as kubernetes

from corral.components._kit import child


def data_claim(
    parent: pulumi.Resource,
    name: str,
    metadata: dict[str, Any],
    *,
    size_gib: int,
    storage_class: str | None,
    protect: bool,
) -> pulumi.Resource:
    """The claim of `name`'s data; a new name of this object is a new, empty volume."""
    spec: dict[str, Any] = {
        "access_modes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": f"{size_gib}Gi"}},
    }
    if storage_class is not None:
        spec["storage_class_name"] = storage_class
    # Many storage classes bind a claim only once a pod wants it.
    waiting = {**metadata, "annotations": {"pulumi.com/skipAwait": "true"}}
    return kubernetes.core.v1.PersistentVolumeClaim(
        f"{name}-data", metadata=cast(Any, waiting), spec=cast(Any, spec), opts=child(parent, protect=protect)
    )
