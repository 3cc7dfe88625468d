"""Values of chart `qdrant`."""

from typing import Any

from corral.catalogue.images import mirrored
from corral.catalogue.vocabulary import VectorEngine
from corral.components.supply import Supply
from corral.components.vector_db.names import CREDENTIAL, DOORS, SERVICE, TLS

TLS_PATH = "/qdrant/tls"


def qdrant_values(
    *, replicas: int, size_gib: int, memory_mib: int, storage_class: str | None, supply: Supply
) -> dict[str, Any]:
    """Values with TLS, an API key from a Secret, volumes for data and snapshots, and a restricted container.

    The unprivileged image needs no root container to hand its volume over. The chart's own ServiceMonitor
    only speaks plain HTTP, so ours stands beside the chart.
    """
    volume: dict[str, Any] = {"size": f"{size_gib}Gi"}
    if storage_class is not None:
        volume["storageClassName"] = storage_class
    image: dict[str, Any] = {"useUnprivilegedImage": True}
    if "registry" in supply:
        image["repository"] = mirrored("docker.io/qdrant/qdrant", supply["registry"])
    values: dict[str, Any] = {
        "fullnameOverride": SERVICE,
        "replicaCount": replicas,
        "image": image,
        "apiKey": {
            "valueFrom": {"secretKeyRef": {"name": CREDENTIAL, "key": DOORS[VectorEngine.QDRANT].key}}
        },
        "config": {
            "service": {"enable_tls": True},
            "tls": {"cert": f"{TLS_PATH}/tls.crt", "key": f"{TLS_PATH}/tls.key"},
            "telemetry_disabled": True,
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
        "containerSecurityContext": {
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if "pull_secret" in supply:
        values["imagePullSecrets"] = [{"name": supply["pull_secret"]}]
    return values
