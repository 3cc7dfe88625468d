"""What may reach a tenant's pods, and what they may reach, as NetworkPolicy specs."""

from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE_NAME = "kubernetes.io/metadata.name"
DNS_PORT = 53


def closed() -> dict[str, Any]:
    """Nothing in, nothing out, for every pod of the namespace."""
    return {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]}


def within() -> dict[str, Any]:
    """Pods of one namespace reach each other."""
    return {
        "pod_selector": {},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [{"from_": [{"pod_selector": {}}]}],
        "egress": [{"to": [{"pod_selector": {}}]}],
    }


def name_resolution() -> dict[str, Any]:
    """Every pod asks the cluster's DNS."""
    ports = [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]
    return {
        "pod_selector": {},
        "policy_types": ["Egress"],
        "egress": [{"to": [_namespace("kube-system")], "ports": ports}],
    }


def outwards(services: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Every pod reaches these services: a namespace and a TCP port of its pods each."""
    return {
        "pod_selector": {},
        "policy_types": ["Egress"],
        "egress": [
            {
                "to": [_namespace(service["namespace"])],
                "ports": [{"protocol": "TCP", "port": service["port"]}],
            }
            for service in services
        ],
    }


def inwards(namespaces: Sequence[str]) -> dict[str, Any]:
    """Pods of these namespaces reach every pod."""
    return {
        "pod_selector": {},
        "policy_types": ["Ingress"],
        "ingress": [{"from_": [_namespace(name) for name in namespaces]}],
    }


def _namespace(name: str) -> dict[str, Any]:
    return {"namespace_selector": {"match_labels": {NAMESPACE_NAME: name}}}
