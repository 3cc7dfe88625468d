"""Who may reach the vector database, as a NetworkPolicy spec."""

from collections.abc import Mapping, Sequence
from typing import Any

from corral.components._network import (
    SAME_NAMESPACE,
    dns,
    egress,
    ingress,
    namespace_peer,
    pod_peer,
    policy,
)


def database(
    pods: Mapping[str, str],
    clients: Sequence[str],
    ports: Sequence[int],
    scraper: str,
    addresses: Sequence[str],
) -> dict[str, Any]:
    """Clients' namespaces on the client ports, the scraper's as well, and the database's own pods on all.

    Outwards only its own pods and DNS, at `addresses` as well: a database fetches nothing.
    """
    own = [pod_peer(pods)]
    return policy(
        pods=pods,
        ingress=[
            ingress((namespace_peer(name) for name in (*clients, scraper)), *ports),
            ingress([SAME_NAMESPACE], *ports),
            ingress(own),
        ],
        egress=[egress(own), dns(addresses)],
    )
