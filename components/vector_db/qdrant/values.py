"""Values of chart `qdrant`."""

from typing import Any

import pulumi

from corral.catalogue._read import UNRESOLVED
from corral.catalogue.images import image, mirrored
from corral.catalogue.vocabulary import VectorEngine
from corral.components._credentials import CREDENTIAL_REVISION
from corral.components._pods import restricted_container
from corral.components.supply import Supply, pull_secrets, reference
from corral.components.vector_db.names import CREDENTIAL, ENDPOINTS, SERVICE, TLS

TLS_PATH = "/qdrant/tls"


def qdrant_values(
    *,
    replicas: int,
    replication_factor: int,
    size_gib: int,
    memory_mib: int,
    storage_class: str | None,
    credential_revision: pulumi.Input[str],
    supply: Supply,
) -> dict[str, Any]:
    """Values with TLS, an API key from a Secret, volumes for data and snapshots, and a restricted container.

    The unprivileged image needs no root container to hand its volume over. The chart's own ServiceMonitor
    only speaks plain HTTP, so ours stands beside the chart.
    """
    volume: dict[str, Any] = {"size": f"{size_gib}Gi"}
    if storage_class is not None:
        volume["storageClassName"] = storage_class
    key = {"name": CREDENTIAL, "key": ENDPOINTS[VectorEngine.QDRANT].key}
    values: dict[str, Any] = {
        "fullnameOverride": SERVICE,
        "replicaCount": replicas,
        **_image(supply),
        # The chart's own key `apiKey` would copy the key into a Secret of the chart and into Helm's release.
        "env": [{"name": "QDRANT__SERVICE__API_KEY", "valueFrom": {"secretKeyRef": key}}],
        "podAnnotations": {CREDENTIAL_REVISION: credential_revision},
        "config": {
            "service": {"enable_tls": True},
            "tls": {"cert": f"{TLS_PATH}/tls.crt", "key": f"{TLS_PATH}/tls.key"},
            "telemetry_disabled": True,
            "storage": {"collection": {"replication_factor": replication_factor}},
        },
        "additionalVolumes": [{"name": "tls", "secret": {"secretName": TLS}}],
        "additionalVolumeMounts": [{"name": "tls", "mountPath": TLS_PATH, "readOnly": True}],
        "persistence": volume,
        "snapshotPersistence": {"enabled": True, **volume},
        "podDisruptionBudget": {"enabled": replicas > 1},
        "resources": {
            "requests": {"cpu": "500m", "memory": f"{memory_mib}Mi"},
            "limits": {"memory": f"{memory_mib}Mi"},
        },
        "containerSecurityContext": restricted_container(),
    }
    if pull_secrets(supply):
        values["imagePullSecrets"] = pull_secrets(supply)
    return values


def _image(supply: Supply) -> dict[str, Any]:
    """The unprivileged image, by digest once that is resolved.

    The chart prints `repository:tag` and a suffix for the unprivileged one, and compares the tag as a version
    for its readiness probe alone. So a digest goes in as repository `…:TAG@sha256` and tag `HEX`; readiness
    follows from the startup probe, which waits an hour for collections to load.
    """
    entry = image("qdrant")
    if entry.digest == UNRESOLVED:
        repository = (
            {"repository": mirrored(entry.repository, supply["registry"])} if "registry" in supply else {}
        )
        return {"image": {"useUnprivilegedImage": True, **repository}}
    repository, _, tag = reference(entry, supply).rpartition(":")
    return {
        "image": {"useUnprivilegedImage": False, "repository": repository, "tag": tag},
        "updateVolumeFsOwnership": False,
        "readinessProbe": {"enabled": False},
        "startupProbe": {"enabled": True, "periodSeconds": 5, "failureThreshold": 720},
    }
