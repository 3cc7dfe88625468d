"""Who may reach the vector database, as a NetworkPolicy spec."""

from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE_NAME = "kubernetes.io/metadata.name"
DNS_PORT = 53


def database(
    pods: Mapping[str, str], clients: Sequence[str], ports: Sequence[int], scraper: str
) -> dict[str, Any]:
    """Clients' namespaces on the client ports, the scraper's as well, and the database's own pods on all.

    Outwards only its own pods and DNS: a database fetches nothing.
    """
    namespaces = [*clients, scraper]
    own = [{"pod_selector": {"match_labels": dict(pods)}}]
    return {
        "pod_selector": {"match_labels": dict(pods)},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [
            {"from_": [_namespace(name) for name in namespaces], "ports": [_tcp(port) for port in ports]},
            {"from_": [{"pod_selector": {}}], "ports": [_tcp(port) for port in ports]},
            {"from_": own},
        ],
        "egress": [
            {"to": own},
            {
                "to": [_namespace("kube-system")],
                "ports": [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")],
            },
        ],
    }


def _namespace(name: str) -> dict[str, Any]:
    return {"namespace_selector": {"match_labels": {NAMESPACE_NAME: name}}}


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}
