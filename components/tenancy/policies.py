"""What may reach a tenant's pods, and what they may reach, as NetworkPolicy specs."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from corral.components._network import SAME_NAMESPACE, dns, egress, ingress, namespace_peer, policy


def closed() -> dict[str, Any]:
    """Nothing in, nothing out, for every pod of the namespace."""
    return policy(ingress=[], egress=[])


def within() -> dict[str, Any]:
    """Pods of one namespace reach each other."""
    return policy(ingress=[ingress([SAME_NAMESPACE])], egress=[egress([SAME_NAMESPACE])])


def name_resolution(addresses: Sequence[str] = ()) -> dict[str, Any]:
    """Every pod asks the cluster's DNS, and what answers for it at `addresses`."""
    return policy(egress=[dns(addresses)])


def outwards(services: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Every pod reaches these services: a namespace, and a TCP port of its pods where one is named."""
    ports = [[one["port"]] if "port" in one else [] for one in services]
    peers = [[namespace_peer(one["namespace"])] for one in services]
    return policy(egress=[egress(peer, *port) for peer, port in zip(peers, ports, strict=True)])


def outside(places: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Every pod reaches these networks outside the cluster, at a TCP port each."""
    return policy(egress=[_networks(one["cidrs"], one["port"]) for one in places])


def _networks(cidrs: pulumi.Input[list[str]], port: int) -> Any:
    known = pulumi.Output.from_input(cidrs)
    return known.apply(lambda each: egress([{"ipBlock": {"cidr": cidr}} for cidr in each], port))


def inwards(namespaces: Sequence[str]) -> dict[str, Any]:
    """Pods of these namespaces reach every pod."""
    return policy(ingress=[ingress(namespace_peer(name) for name in namespaces)])
