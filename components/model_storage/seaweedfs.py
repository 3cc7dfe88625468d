"""SeaweedFS as the store: its configuration files and its pod."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from corral.catalogue.addons import descriptor
from corral.catalogue.images import image
from corral.catalogue.stores import BATCHES
from corral.catalogue.vocabulary import Addon
from corral.components._pods import ALONE, restricted_container, restricted_pod
from corral.components.model_storage.encryption_key import MARK
from corral.components.supply import Supply, on_nodes, pull_secrets, reference

S3_PORT = descriptor(Addon.MODEL_STORAGE).ports["s3"]
METRICS_PORT = 9327
READER, WRITER = "corral-reader", "corral-writer"
"""Access keys of the identities that are made from the administrator's."""
CONFIG_FOLDER, DATA_FOLDER = "/etc/seaweedfs", "/data"
USER = 1000


def derived(secret: str, purpose: str) -> str:
    """64 hex digits that follow from `secret` and tell nothing about it."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def batch_key(tenant: str) -> str:
    """Access key of the identity that a tenant's batches have."""
    return f"batch-{tenant}"


def config_files(
    bucket: str, access_key: str, secret_key: str, encryption_key: str, tenants: Sequence[str] = ()
) -> dict[str, str]:
    """`s3.json` and `security.toml`: who may do what, and the key that encrypts every object's key; its mark.

    `tenants`: those with a prefix of their own in the bucket of batches.
    The encryption key may never change: objects written under another one cannot be read.
    """
    identities = [
        _identity("admin", access_key, secret_key, ["Admin"]),
        _identity("writer", WRITER, derived(secret_key, WRITER), _writing(bucket)),
        _identity("reader", READER, derived(secret_key, READER), _actions(bucket, "Read", "List")),
        *(_batch_identity(tenant, secret_key) for tenant in tenants),
    ]
    security = {
        # Without these keys the filer and the volume server answer anybody.
        "jwt.signing": {"key": derived(encryption_key, "volume")},
        "jwt.filer_signing": {"key": derived(encryption_key, "filer")},
        "jwt.filer_signing.read": {"key": derived(encryption_key, "filer-read")},
        "s3.sse": {"kek": encryption_key},
        "cors.allowed_origins": {"values": ""},
    }
    return {
        "s3.json": json.dumps({"identities": identities}),
        "security.toml": _toml(security),
        MARK: derived(encryption_key, "mark") + "\n",
    }


def _actions(bucket: str, *verbs: str) -> list[str]:
    return [f"{verb}:{bucket}" for verb in verbs]


def _writing(bucket: str) -> list[str]:
    """Writing inside the bucket: on the bucket itself it would cover versioning and encryption too."""
    return [*_actions(bucket, "Read", "List"), f"Write:{bucket}/*"]


def _batch_identity(tenant: str, secret_key: str) -> dict[str, Any]:
    name = batch_key(tenant)
    actions = _actions(f"{BATCHES}/{tenant}/*", "Read", "List", "Write")
    return _identity(name, name, derived(secret_key, name), actions)


def _identity(name: str, access_key: str, secret_key: str, actions: list[str]) -> dict[str, Any]:
    credentials = [{"accessKey": access_key, "secretKey": secret_key}]
    return {"name": name, "credentials": credentials, "actions": actions}


def _toml(tables: Mapping[str, Mapping[str, str]]) -> str:
    lines = [
        line
        for table, entries in tables.items()
        for line in (f"[{table}]", *(f"{key} = {json.dumps(value)}" for key, value in entries.items()))
    ]
    return "\n".join(lines) + "\n"


def pod_spec(config_secret: str, claim: str, supply: Supply) -> dict[str, Any]:
    """The one pod: master, volume server, filer and S3 gateway in one process."""
    health = {"http_get": {"path": "/healthz", "port": S3_PORT}}
    return {
        **ALONE,
        "security_context": restricted_pod(USER),
        "termination_grace_period_seconds": 30,
        "image_pull_secrets": pull_secrets(supply),
        "init_containers": [_key_check(supply)],
        **on_nodes(supply),
        "containers": [
            {
                "name": "seaweedfs",
                "image": reference(image("seaweedfs"), supply),
                "args": list(ARGUMENTS),
                "ports": [
                    {"name": "s3", "container_port": S3_PORT},
                    {"name": "metrics", "container_port": METRICS_PORT},
                ],
                # Its collector works harder rather than let it grow beyond what it requests.
                "env": [{"name": "GOMEMLIMIT", "value": f"{REQUESTED_MIB * 7 // 8}MiB"}],
                "readiness_probe": {**health, "period_seconds": 2, "failure_threshold": 5},
                "liveness_probe": {**health, "initial_delay_seconds": 30, "failure_threshold": 6},
                "resources": {
                    "requests": {"cpu": "250m", "memory": f"{REQUESTED_MIB}Mi"},
                    "limits": {"memory": "2Gi"},
                },
                "security_context": restricted_container(),
                "volume_mounts": list(MOUNTS),
            }
        ],
        "volumes": [
            {"name": "data", "persistent_volume_claim": {"claim_name": claim}},
            {"name": "config", "secret": {"secret_name": config_secret}},
        ],
    }


def _key_check(supply: Supply) -> dict[str, Any]:
    """Keeps the store from starting, and so from being ready, under a key that cannot read its volume."""
    mark = f"{CONFIG_FOLDER}/{MARK}"
    return {
        "name": "encryption-key",
        "image": reference(image("tools"), supply),
        "command": ["corral"],
        "args": ["bucket", "key", "--mark", mark, "--data", DATA_FOLDER],
        "env": [{"name": "HOME", "value": "/tmp"}],
        "termination_message_policy": "FallbackToLogsOnError",
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "security_context": restricted_container(),
        "volume_mounts": list(MOUNTS),
    }


MOUNTS = (
    {"name": "data", "mount_path": DATA_FOLDER},
    {"name": "config", "mount_path": CONFIG_FOLDER, "read_only": True},
)
REQUESTED_MIB = 512
"""Memory of the pod in MiB; it may take four times as much for a while."""
ARGUMENTS = (
    "server",
    f"-dir={DATA_FOLDER}",
    # The default is 8 volumes, which one bucket fills.
    "-volume.max=0",
    "-master.volumeSizeLimitMB=1024",
    # The default reports to the project's server.
    "-master.telemetry=false",
    # There is one master: nobody to wait for.
    "-master.electionTimeout=1s",
    "-ip.bind=0.0.0.0",
    "-filer",
    "-s3",
    f"-s3.port={S3_PORT}",
    f"-s3.config={CONFIG_FOLDER}/s3.json",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.allowDeleteBucketNotEmpty=false",
    "-volume.preStopSeconds=0",
    f"-metricsPort={METRICS_PORT}",
)
