"""The rate limit service that Envoy Gateway runs, and what it is configured with."""

from typing import Any, NotRequired, TypedDict

import pulumi

from corral.catalogue.images import image
from corral.components._credentials import CREDENTIAL_REVISION
from corral.components._network import (
    SAME_NAMESPACE,
    dns,
    egress,
    ingress,
    namespace_peer,
    pod_peer,
    policy,
)
from corral.components._pods import restricted_container, restricted_pod
from corral.components._secrets import revision_of
from corral.components.secret_store import SecretStore
from corral.components.supply import Supply, pod_settings, reference

PODS = {"app.kubernetes.io/name": "envoy-ratelimit", "app.kubernetes.io/component": "ratelimit"}
"""Labels of the service's pods."""
CREDENTIAL = "rate-limit-store"
LOGIN = "login"
"""Key of the store's user and password in that Secret."""
PORT, XDS_PORT, METRICS_PORT = 8081, 18001, 19001
USER = 65532
TIMEOUT = "500ms"
"""How long a proxy waits for an answer; Envoy's 20 ms are too few for a busy machine."""


class RateLimits(TypedDict):
    """Limits that all proxies share."""

    store: pulumi.Input[str]
    """`RateLimitStore.address`, or another Redis-compatible server's `HOST:PORT`."""
    store_namespace: str
    """Namespace of that server."""
    store_port: int
    """Port of its pods."""
    dns_addresses: NotRequired[list[str]]
    """Where pods ask for names besides: addresses of a cache on each node (NodeLocal DNSCache)."""
    password: NotRequired[pulumi.Input[str]]
    """Password of its user `default`, a secret; this or `secret_store`."""
    secret_store: NotRequired[SecretStore]
    """What has the password, as `token-limits-password`."""


def login(password: str) -> str:
    """User and password as the service takes them: without a user it would cut a password at its first colon
    (`createDialer` in src/redis/driver_impl.go of envoyproxy/ratelimit)."""
    return f"default:{password}"


def configuration(limits: RateLimits, *, replicas: int, namespace: str, supply: Supply) -> dict[str, Any]:
    """`rateLimit` and `provider` of Envoy Gateway's configuration.

    Calls pass uncounted while the service or its store does not answer: models go on being served.
    """
    own_address = f"envoy-gateway.{namespace}.svc.cluster.local:{XDS_PORT}"
    credential = {"secretKeyRef": {"name": CREDENTIAL, "key": LOGIN}}
    return {
        "rateLimit": {
            "backend": {"type": "Redis", "redis": {"url": limits["store"]}},
            "timeout": TIMEOUT,
            "failClosed": False,
        },
        "provider": {
            "type": "Kubernetes",
            "kubernetes": {
                "rateLimitDeployment": {
                    "replicas": replicas,
                    "pod": {
                        # It reads the password when it starts.
                        "annotations": {
                            CREDENTIAL_REVISION: revision_of(
                                limits.get("secret_store"), limits.get("password", "")
                            )
                        },
                        "securityContext": restricted_pod(USER),
                        **pod_settings(supply),
                    },
                    "container": {
                        "image": reference(image("ratelimit"), supply),
                        "env": [
                            {"name": "CONFIG_GRPC_XDS_SERVER_URL", "value": own_address},
                            {"name": "REDIS_AUTH", "valueFrom": credential},
                        ],
                        "resources": {
                            "requests": {"cpu": "50m", "memory": "64Mi"},
                            "limits": {"memory": "256Mi"},
                        },
                        "securityContext": {
                            **restricted_container(read_only_root=True),
                            "runAsUser": USER,
                            "runAsGroup": USER,
                        },
                    },
                },
                **({"rateLimitPDB": {"minAvailable": 1}} if replicas > 1 else {}),
            },
        },
    }


def network(limits: RateLimits, controller: dict[str, str], scraper: str) -> dict[str, Any]:
    """NetworkPolicy of the service: proxies and the scraper in, controller, store and DNS out."""
    return policy(
        pods=PODS,
        ingress=[ingress([SAME_NAMESPACE], PORT), ingress([namespace_peer(scraper)], METRICS_PORT)],
        egress=[
            dns(limits.get("dns_addresses", [])),
            egress([pod_peer(controller)], XDS_PORT),
            egress([namespace_peer(limits["store_namespace"])], limits["store_port"]),
        ],
    )
