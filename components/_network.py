"""Peers and ports of NetworkPolicies, in Kubernetes' own spelling."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon
from corral.controls.scope import NAMESPACE_NAME

SYSTEM_NAMESPACE = "kube-system"
DNS_PORT = 53
SCRAPER_NAMESPACE = descriptor(Addon.OBSERVABILITY).namespace
"""Where Prometheus runs unless an argument names another namespace."""
SAME_NAMESPACE: Mapping[str, Any] = {"podSelector": {}}
"""Every pod of the policy's own namespace."""


def namespace_peer(name: str) -> dict[str, Any]:
    """Every pod of namespace `name`."""
    return {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: name}}}


def pod_peer(labels: Mapping[str, str]) -> dict[str, Any]:
    """Pods with these labels in the policy's own namespace."""
    return {"podSelector": {"matchLabels": dict(labels)}}


def tcp(*ports: int) -> list[dict[str, Any]]:
    """TCP ports of the pods that are reached."""
    return [{"protocol": "TCP", "port": port} for port in ports]


def ingress(peers: Iterable[Mapping[str, Any]], *ports: int) -> dict[str, Any]:
    """A rule that lets `peers` in; without ports: on every one."""
    return {"from": list(peers), **({"ports": tcp(*ports)} if ports else {})}


def egress(peers: Iterable[Mapping[str, Any]], *ports: int) -> dict[str, Any]:
    """A rule that lets pods out to `peers`; without ports: on every one."""
    return {"to": list(peers), **({"ports": tcp(*ports)} if ports else {})}


def dns(addresses: Iterable[str] = ()) -> dict[str, Any]:
    """The egress rule for name resolution.

    `addresses`: of a cache on each node, which has no pod that a selector takes: it is on the node's network
    (cluster/addons/dns/nodelocaldns of Kubernetes).
    """
    ports = [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]
    caches = [{"ipBlock": {"cidr": f"{one}/32"}} for one in addresses]
    return {"to": [namespace_peer(SYSTEM_NAMESPACE), *caches], "ports": ports}


def policy(
    *,
    pods: Mapping[str, str] | None = None,
    ingress: Sequence[Mapping[str, Any]] | None = None,
    egress: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """`spec` of a NetworkPolicy for `pods`, every one of the namespace when None.

    A direction that is None is not restricted; one without a rule is closed.
    """
    rules = {"ingress": ingress, "egress": egress}
    return {
        "podSelector": {} if pods is None else {"matchLabels": dict(pods)},
        "policyTypes": [kind.capitalize() for kind, some in rules.items() if some is not None],
        **{kind: list(some) for kind, some in rules.items() if some},
    }
