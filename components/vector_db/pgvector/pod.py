"""PostgreSQL with pgvector on one node: configuration and pod."""

from typing import Any

from corral.catalogue.images import image
from corral.components._kit import restricted_container
from corral.components.supply import Supply, pull_secrets, reference
from corral.components.vector_db.names import (
    CREDENTIAL,
    DATABASE,
    EXPORTER_PORT,
    PRIVATE_MODE,
    SERVICE,
    TLS,
    USER,
)

UID = 999
"""User and group `postgres` of the image."""
NOBODY = 65534
DATA = "/var/lib/postgresql"
"""The image's volume; it keeps each major version in a folder of its own below."""
PGDATA = f"{DATA}/18/docker"
CLAIM = "vector-db-data"
CONFIG = "vector-db-config"
EXTENSION_SQL = "create extension if not exists vector;\n"
ACCESS = """\
# From the network over TLS with a password; from inside the pod as the image's first start does.
local   all all     trust
hostssl all all all scram-sha-256
"""


def configuration() -> dict[str, str]:
    """Files of the ConfigMap."""
    return {"vector.sql": EXTENSION_SQL, "pg_hba.conf": ACCESS}


def arguments(memory_mib: int) -> list[str]:
    """Arguments of the image: settings of the server, one `-c` each."""
    settings = {
        "ssl": "on",
        "ssl_cert_file": "/tls/tls.crt",
        "ssl_key_file": "/tls/tls.key",
        "hba_file": "/etc/vector-db/pg_hba.conf",
        "shared_buffers": f"{memory_mib // 4}MB",
    }
    return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]


def pod(*, memory_mib: int, supply: Supply) -> dict[str, Any]:
    """Spec of the database's pod; it passes the `restricted` Pod Security level."""
    return {
        "image_pull_secrets": pull_secrets(supply),
        "automount_service_account_token": False,
        "security_context": _as_user(UID),
        "termination_grace_period_seconds": 60,
        "containers": [
            {
                "name": "postgres",
                "image": reference(image("pgvector"), supply),
                "args": arguments(memory_mib),
                "env": [
                    {"name": "POSTGRES_USER", "value": USER},
                    {"name": "POSTGRES_DB", "value": DATABASE},
                    {"name": "POSTGRES_PASSWORD_FILE", "value": "/run/secrets/vector-db/password"},
                    {"name": "PGDATA", "value": PGDATA},
                ],
                "ports": [{"name": "postgres", "container_port": 5432}],
                "startup_probe": {**_probe(), "failure_threshold": 60},
                "readiness_probe": _probe(),
                "liveness_probe": {**_probe(), "period_seconds": 10},
                "resources": {
                    "requests": {"cpu": "250m", "memory": f"{memory_mib}Mi"},
                    "limits": {"memory": f"{memory_mib}Mi"},
                },
                "security_context": {**restricted_container(), "read_only_root_filesystem": True},
                "volume_mounts": [
                    {"name": "data", "mount_path": DATA},
                    {"name": "tls", "mount_path": "/tls", "read_only": True},
                    {"name": "credential", "mount_path": "/run/secrets/vector-db", "read_only": True},
                    {"name": "config", "mount_path": "/etc/vector-db", "read_only": True},
                    {"name": "first-start", "mount_path": "/docker-entrypoint-initdb.d", "read_only": True},
                    {"name": "socket", "mount_path": "/var/run/postgresql"},
                    {"name": "scratch", "mount_path": "/tmp"},
                ],
            }
        ],
        "volumes": [
            {"name": "data", "persistent_volume_claim": {"claim_name": CLAIM}},
            _secret("tls", TLS),
            _secret("credential", CREDENTIAL),
            _files("config", "pg_hba.conf"),
            _files("first-start", "vector.sql"),
            {"name": "socket", "empty_dir": {}},
            {"name": "scratch", "empty_dir": {}},
        ],
    }


def exporter_pod(*, namespace: str, supply: Supply) -> dict[str, Any]:
    """Spec of the pod that logs in over verified TLS and serves the database's metrics."""
    source = f"{SERVICE}.{namespace}.svc:5432/{DATABASE}?sslmode=verify-full&sslrootcert=/tls/ca.crt"
    return {
        "image_pull_secrets": pull_secrets(supply),
        "automount_service_account_token": False,
        "security_context": _as_user(NOBODY),
        "containers": [
            {
                "name": "exporter",
                "image": reference(image("postgres-exporter"), supply),
                "env": [
                    {"name": "DATA_SOURCE_URI", "value": source},
                    {"name": "DATA_SOURCE_USER", "value": USER},
                    {"name": "DATA_SOURCE_PASS_FILE", "value": "/run/secrets/vector-db/password"},
                ],
                "ports": [{"name": "metrics", "container_port": EXPORTER_PORT}],
                "readiness_probe": {"tcp_socket": {"port": "metrics"}, "period_seconds": 5},
                "resources": {
                    "requests": {"cpu": "20m", "memory": "64Mi"},
                    "limits": {"memory": "64Mi"},
                },
                "security_context": {**restricted_container(), "read_only_root_filesystem": True},
                "volume_mounts": [
                    {"name": "tls", "mount_path": "/tls", "read_only": True},
                    {"name": "credential", "mount_path": "/run/secrets/vector-db", "read_only": True},
                ],
            }
        ],
        "volumes": [
            # The exporter verifies the server; it never needs the server's key.
            {
                "name": "tls",
                "secret": {"secret_name": TLS, "items": [{"key": "ca.crt", "path": "ca.crt"}]},
            },
            _secret("credential", CREDENTIAL),
        ],
    }


def _as_user(number: int) -> dict[str, Any]:
    return {
        "run_as_non_root": True,
        "run_as_user": number,
        "run_as_group": number,
        "fs_group": number,
        "seccomp_profile": {"type": "RuntimeDefault"},
    }


def _probe() -> dict[str, Any]:
    return {"tcp_socket": {"port": "postgres"}, "period_seconds": 2}


def _secret(name: str, secret: str) -> dict[str, Any]:
    return {"name": name, "secret": {"secret_name": secret, "default_mode": PRIVATE_MODE}}


def _files(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "config_map": {"name": CONFIG, "items": [{"key": key, "path": key}]}}
