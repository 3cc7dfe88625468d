"""Security contexts of pods, in Kubernetes' own spelling: typed and custom resources and charts take it."""

from typing import Any

SECCOMP = {"type": "RuntimeDefault"}
ALONE = {"automount_service_account_token": False, "enable_service_links": False}
"""Of a pod that asks its cluster nothing: no token, and no variables of the Services beside it. A Service
`filer` there would set FILER_PORT, which SeaweedFS takes for a port of its own and ends (weed/util/fla9)."""


def restricted_container(*, read_only_root: bool = False) -> dict[str, Any]:
    """Security context of a container that the `restricted` Pod Security level admits."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": SECCOMP,
        **({"readOnlyRootFilesystem": True} if read_only_root else {}),
    }


def restricted_pod(user: int) -> dict[str, Any]:
    """Security context of a pod that runs as `user`, in a group of the same number that owns its volumes."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "seccompProfile": SECCOMP,
    }


def own_address(variable: str) -> dict[str, Any]:
    """Entry of `env` that tells a container its pod's address."""
    return {"name": variable, "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
