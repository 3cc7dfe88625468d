"""Where pods ask for names: in every network policy that lets them out."""

import json

import pytest
from tests.components.test_deployed_images import platform
from tests.stacks.stack_files import model, planned, problems

from corral.stacks.reports.scope import cluster_lines

CACHES = ["169.254.25.10", "10.96.0.10"]
EVERYTHING = {
    "tenants": [{"name": "blue"}],
    "models": [model(tenant="blue")],
    "token-limits": {"tokens-per-day": 1000},
    "gateway": {"host": "models.example.eu", "port": 8443},
}


def asking(**cluster):
    """Peers of each rule for port 53, by the policy's name."""
    graph = platform(cluster={"kind": "existing", **cluster}, **EVERYTHING)
    rules = (
        (one.name, rule)
        for one in graph
        if one.kind == "NetworkPolicy"
        for rule in one.inputs["spec"].get("egress") or ()
    )
    return {
        name: rule["to"] for name, rule in rules if 53 in [each["port"] for each in rule.get("ports", ())]
    }


def test_pods_may_ask_a_cache_on_each_node_wherever_they_may_ask_the_clusters_dns():
    without, named = asking(), asking(**{"dns-addresses": CACHES})
    assert without.keys() == named.keys() and len(named) >= 4, named.keys()
    assert "ipBlock" not in json.dumps(without)
    for name, peers in named.items():
        assert peers == [*without[name], *({"ipBlock": {"cidr": f"{one}/32"}} for one in CACHES)], name


def test_the_plan_says_where_pods_ask():
    cluster = {"kind": "existing", "dns-addresses": CACHES}
    assert "pods ask for names at 169.254.25.10, 10.96.0.10 as well" in cluster_lines(
        planned(cluster=cluster).cluster
    )


@pytest.mark.parametrize("address", ["169.254.20.10/32", "169.254.20.256", "fd00::10", "kube-dns", "1.2.3"])
def test_what_is_no_address_is_refused_with_its_place(address):
    (problem,) = problems(cluster={"kind": "existing", "dns-addresses": [address]})
    assert problem.startswith("cluster.dns-addresses[0]: ") and "such as 169.254.20.10" in problem


def test_the_embedded_cluster_has_no_such_cache():
    (problem,) = problems(cluster={"kind": "embedded", "dns-addresses": CACHES})
    assert problem.startswith("cluster.dns-addresses: ") and "belongs to kind existing" in problem
