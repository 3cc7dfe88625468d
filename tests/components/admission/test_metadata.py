"""No pod of a tenant reaches the metadata of its node, from which it would take the node's identity."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from cel_expr_python import cel
from tests.components.admission.guarded import refusals

from corral.components._network import policy
from corral.components.admission.guards import guards
from corral.components.admission.namespaces import default_deny
from corral.components.tenancy.policies import closed, inwards, name_resolution, outwards, within
from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import PROFILES
from corral.controls.register import control
from corral.controls.scope import Scope

METADATA = ["169.254.169.254", "fd00:ec2::254"]
"""Where EC2 answers, by IPv4 and IPv6; Google answers at the first."""
TENANT = [
    closed(),
    within(),
    name_resolution(),
    outwards([{"namespace": "models", "port": 8333}]),
    inwards(["kserve"]),
]
"""Specs of every network policy that a tenant's namespace comes with."""


def generated() -> Mapping[str, Any]:
    """Spec of the network policy that Kyverno generates in a namespace of a tenant's own."""
    made = next(one for one in default_deny(Scope())["variables"] if one["name"] == "policies")
    environment = cel.NewEnv()
    plain = environment.compile(made["expression"]).eval(data={}).plain_value()
    return plain[0]["spec"]


def reaches(specs: list[Mapping[str, Any]], address: str) -> bool:
    """Whether pods that `specs` select reach an address outside the cluster, as Kubernetes defines it."""
    outward = [one for one in specs if "Egress" in one["policyTypes"]]
    if not outward:
        return True
    return any(_lets(rule, address) for one in outward for rule in one.get("egress", []))


def _lets(rule: Mapping[str, Any], address: str) -> bool:
    peers = rule.get("to", [])
    blocks = [peer["ipBlock"] for peer in peers if "ipBlock" in peer]
    return not peers or any(
        ip_address(address) in ip_network(block["cidr"])
        and not any(ip_address(address) in ip_network(one) for one in block.get("except", []))
        for block in blocks
    )


@pytest.mark.parametrize("address", METADATA)
def test_network_policies_of_a_tenant_let_no_pod_reach_the_metadata(address: str) -> None:
    assert not reaches(TENANT, address)
    assert not reaches([generated()], address)
    assert reaches(
        [*TENANT, policy(egress=[{"to": [{"ipBlock": {"cidr": str(ip_network(address))}}]}])], address
    )
    assert reaches([policy(ingress=[])], address), "what restricts no egress restricts none"


@pytest.mark.parametrize("address", METADATA)
@pytest.mark.parametrize("peers", ["one address", "everywhere", "nothing said"])
def test_no_tenant_opens_the_metadata_and_the_pack_lets_nobody(address: str, peers: str) -> None:
    everything = "::/0" if ":" in address else "0.0.0.0/0"
    rule: dict[str, Any] = {
        "one address": {"to": [{"ipBlock": {"cidr": str(ip_network(address))}}]},
        "everywhere": {"to": [{"ipBlock": {"cidr": everything}}]},
        "nothing said": {},
    }[peers]
    opened = {"kind": "NetworkPolicy", "metadata": {"name": "mine"}, "spec": policy(egress=[rule])}
    guard = next(one.policy for one in guards(Scope(), None, "kyverno") if one.name == "corral-network")
    assert refusals(guard, opened, namespace={"corral.dev/tenant": "team-a"})
    assert evaluate_object(control("SOV-NET-06"), opened, PROFILES["eu-resident"])
