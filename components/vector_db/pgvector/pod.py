"""PostgreSQL with pgvector on one node: configuration and pod."""

from typing import Any

from corral.catalogue.images import image
from corral.components._pods import ALONE, restricted_container, restricted_pod
from corral.components.supply import Supply, on_nodes, pull_secrets, reference
from corral.components.vector_db.names import (
    CREDENTIAL,
    DATABASE,
    EXPORTER_PORT,
    POSTGRES_PORT,
    PRIVATE_MODE,
    SERVICE,
    TLS,
    USER,
)
from corral.components.vector_db.pgvector import sync

UID = 999
"""User and group `postgres` of the image."""
NOBODY = 65534
DATA = "/var/lib/postgresql"
"""The image's volume; it keeps each major version in a folder of its own below."""
PGDATA = f"{DATA}/18/docker"
CLAIM = "vector-db-data"
CONFIG = "vector-db-config"
PASSWORD_FILE = "/run/secrets/vector-db/password"
CERTIFICATE_FILE = "/tls/tls.crt"
SOCKETS = "/var/run/postgresql"
NO_HUGE_PAGES = "huge_pages=off"
"""Where a node keeps huge pages and the pod asks for none, the kernel ends with a bus error whoever takes
one, the making of the data folder too (docker-library/postgres issue 451, kubernetes issue 71233)."""
FIRST_START_SECONDS, PROBE_SECONDS = 600, 2
"""How long the data folder may take to be made. The image listens to nobody until it is, and takes half of
one for a whole one on its next start (docker-entrypoint.sh)."""
EXTENSION_SQL = "create extension if not exists vector;\n"
ACCESS = """\
# From the network over TLS with a password; from inside the pod as the image's first start does.
local   all all     trust
hostssl all all all scram-sha-256
"""


def configuration() -> dict[str, str]:
    """Files of the ConfigMap."""
    return {"vector.sql": EXTENSION_SQL, "pg_hba.conf": ACCESS, sync.SCRIPT: sync.SYNC}


def shared_memory_mib(memory_mib: int) -> int:
    """Size of `/dev/shm`; a parallel index build needs `maintenance_work_mem` there.

    Containers get 64 MiB unless a volume is mounted (pgvector 0.8.5, README, HNSW, Index Build Time).
    """
    return memory_mib // 4


def arguments(memory_mib: int) -> list[str]:
    """Arguments of the image: settings of the server, one `-c` each."""
    settings = {
        "ssl": "on",
        "ssl_cert_file": CERTIFICATE_FILE,
        "ssl_key_file": "/tls/tls.key",
        "hba_file": "/etc/vector-db/pg_hba.conf",
        "shared_buffers": f"{memory_mib // 4}MB",
        "maintenance_work_mem": f"{shared_memory_mib(memory_mib) // 2}MB",
    }
    stated = [NO_HUGE_PAGES, *(f"{key}={value}" for key, value in settings.items())]
    return [word for one in stated for word in ("-c", one)]


def pod(*, memory_mib: int, supply: Supply) -> dict[str, Any]:
    """Spec of the database's pod; it passes the `restricted` Pod Security level."""
    return {
        "image_pull_secrets": pull_secrets(supply),
        **on_nodes(supply),
        **ALONE,
        "security_context": restricted_pod(UID),
        "termination_grace_period_seconds": 60,
        "containers": [
            {
                "name": "postgres",
                "image": reference(image("pgvector"), supply),
                "args": arguments(memory_mib),
                "env": [
                    {"name": "POSTGRES_USER", "value": USER},
                    {"name": "POSTGRES_DB", "value": DATABASE},
                    {"name": "POSTGRES_PASSWORD_FILE", "value": PASSWORD_FILE},
                    {"name": "POSTGRES_INITDB_ARGS", "value": f"-c {NO_HUGE_PAGES}"},
                    {"name": "PGDATA", "value": PGDATA},
                ],
                "ports": [{"name": "postgres", "container_port": POSTGRES_PORT}],
                "startup_probe": {**_probe(), "failure_threshold": FIRST_START_SECONDS // PROBE_SECONDS},
                "readiness_probe": _probe(),
                "liveness_probe": {**_probe(), "period_seconds": 10},
                "resources": {
                    "requests": {"cpu": "250m", "memory": f"{memory_mib}Mi"},
                    "limits": {"memory": f"{memory_mib}Mi"},
                },
                "security_context": restricted_container(read_only_root=True),
                "volume_mounts": [
                    {"name": "data", "mount_path": DATA},
                    {"name": "tls", "mount_path": "/tls", "read_only": True},
                    {"name": "credential", "mount_path": "/run/secrets/vector-db", "read_only": True},
                    {"name": "config", "mount_path": "/etc/vector-db", "read_only": True},
                    {"name": "first-start", "mount_path": "/docker-entrypoint-initdb.d", "read_only": True},
                    {"name": "socket", "mount_path": SOCKETS},
                    {"name": "shared-memory", "mount_path": "/dev/shm"},
                    {"name": "scratch", "mount_path": "/tmp"},
                ],
            },
            sync.container(
                sockets=SOCKETS, password=PASSWORD_FILE, certificate=CERTIFICATE_FILE, supply=supply
            ),
        ],
        "volumes": [
            {"name": "data", "persistent_volume_claim": {"claim_name": CLAIM}},
            _secret("tls", TLS),
            _secret("credential", CREDENTIAL),
            _files("config", "pg_hba.conf"),
            _files("first-start", "vector.sql"),
            _files("sync", sync.SCRIPT),
            {"name": "socket", "empty_dir": {}},
            {
                "name": "shared-memory",
                "empty_dir": {"medium": "Memory", "size_limit": f"{shared_memory_mib(memory_mib)}Mi"},
            },
            {"name": "scratch", "empty_dir": {}},
            {"name": "sync-scratch", "empty_dir": {}},
        ],
    }


def exporter_pod(*, namespace: str, supply: Supply) -> dict[str, Any]:
    """Spec of the pod that logs in over verified TLS and serves the database's metrics."""
    source = (
        f"{SERVICE}.{namespace}.svc:{POSTGRES_PORT}/{DATABASE}?sslmode=verify-full&sslrootcert=/tls/ca.crt"
    )
    return {
        "image_pull_secrets": pull_secrets(supply),
        **on_nodes(supply),
        **ALONE,
        "security_context": restricted_pod(NOBODY),
        "containers": [
            {
                "name": "exporter",
                "image": reference(image("postgres-exporter"), supply),
                "env": [
                    {"name": "DATA_SOURCE_URI", "value": source},
                    {"name": "DATA_SOURCE_USER", "value": USER},
                    {"name": "DATA_SOURCE_PASS_FILE", "value": PASSWORD_FILE},
                ],
                "ports": [{"name": "metrics", "container_port": EXPORTER_PORT}],
                "readiness_probe": {"tcp_socket": {"port": "metrics"}, "period_seconds": 5},
                "resources": {
                    "requests": {"cpu": "20m", "memory": "64Mi"},
                    "limits": {"memory": "64Mi"},
                },
                "security_context": restricted_container(read_only_root=True),
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


def _probe() -> dict[str, Any]:
    return {"tcp_socket": {"port": "postgres"}, "period_seconds": PROBE_SECONDS}


def _secret(name: str, secret: str) -> dict[str, Any]:
    return {"name": name, "secret": {"secret_name": secret, "default_mode": PRIVATE_MODE}}


def _files(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "config_map": {"name": CONFIG, "items": [{"key": key, "path": key}]}}
