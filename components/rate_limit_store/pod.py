"""Valkey's pod and what it is configured with."""

from typing import Any

from corral.catalogue.addons import descriptor
from corral.catalogue.images import image
from corral.catalogue.vocabulary import Addon
from corral.components._pods import ALONE, restricted_container, restricted_pod
from corral.components.supply import Supply, on_nodes, pull_secrets, reference

PORT = descriptor(Addon.TOKEN_LIMITS).ports["valkey"]
CLAIM = "rate-limit-store-data"
CREDENTIAL = "rate-limit-store-credential"
"""Secret with the file that has the password."""
CREDENTIAL_FILE = "password.conf"
(PASSWORD,) = (one.key for one in descriptor(Addon.TOKEN_LIMITS).secrets)
"""Key of the password in a store of secrets."""
UID = 999
"""User and group `valkey` of the image."""
CONFIGURATION = "/etc/valkey"
DATA = "/data"
MEMORY_MIB = 128
PRIVATE_MODE = 0o400

SETTINGS = {
    "--port": str(PORT),
    "--dir": DATA,
    "--appendonly": "yes",
    "--appendfsync": "everysec",
    # The log alone is kept: a snapshot would need as much memory again.
    "--save": "",
    "--maxmemory": f"{MEMORY_MIB // 2}mb",
    # A count that is dropped is a limit that is lifted.
    "--maxmemory-policy": "noeviction",
}
"""Settings of the server."""


def credential(password: str) -> str:
    """Content of the file with the password, quoted as Valkey's configuration has it."""
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    return f'requirepass "{quoted}"\n'


def pod(supply: Supply) -> dict[str, Any]:
    """Spec of the pod; it passes the `restricted` Pod Security level."""
    probe = {"tcp_socket": {"port": "valkey"}, "period_seconds": 5}
    return {
        "image_pull_secrets": pull_secrets(supply),
        **on_nodes(supply),
        **ALONE,
        "security_context": restricted_pod(UID),
        "termination_grace_period_seconds": 30,
        "containers": [
            {
                "name": "valkey",
                "image": reference(image("valkey"), supply),
                "command": ["valkey-server", f"{CONFIGURATION}/{CREDENTIAL_FILE}"],
                "args": [word for pair in SETTINGS.items() for word in pair],
                "ports": [{"name": "valkey", "container_port": PORT}],
                "startup_probe": {**probe, "failure_threshold": 60},
                "readiness_probe": probe,
                "liveness_probe": {**probe, "period_seconds": 10},
                "resources": {
                    "requests": {"cpu": "50m", "memory": f"{MEMORY_MIB}Mi"},
                    "limits": {"memory": f"{MEMORY_MIB}Mi"},
                },
                "security_context": restricted_container(read_only_root=True),
                "volume_mounts": [
                    {"name": "data", "mount_path": DATA},
                    {"name": "credential", "mount_path": CONFIGURATION, "read_only": True},
                ],
            }
        ],
        "volumes": [
            {"name": "data", "persistent_volume_claim": {"claim_name": CLAIM}},
            {"name": "credential", "secret": {"secret_name": CREDENTIAL, "default_mode": PRIVATE_MODE}},
        ],
    }
