"""Values of chart `qdrant`."""

from typing import Any

import pulumi

from corral.catalogue.images import mirrored
from corral.catalogue.vocabulary import VectorEngine
from corral.components._credentials import CREDENTIAL_REVISION
from corral.components._pods import restricted_container
from corral.components.supply import Supply, pull_secrets
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
    image: dict[str, Any] = {"useUnprivilegedImage": True}
    if "registry" in supply:
        image["repository"] = mirrored("docker.io/qdrant/qdrant", supply["registry"])
    key = {"name": CREDENTIAL, "key": ENDPOINTS[VectorEngine.QDRANT].key}
    values: dict[str, Any] = {
        "fullnameOverride": SERVICE,
        "replicaCount": replicas,
        "image": image,
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
