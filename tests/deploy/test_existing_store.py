"""A store that was there before: network policies of the tenants let models out to it, and nowhere else."""

from typing import Any

import pytest
from tests.stacks.stack_files import planned, problems

from corral.stacks.deploy.graph import graph

PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
RULES = ("tenancy-team-a-outwards", "tenancy-team-a-outside")


def store(endpoint: str, **more: str) -> dict[str, Any]:
    return {"kind": "existing", "endpoint": endpoint, **more}


def ways_out(section: dict[str, Any]) -> list[dict[str, Any]]:
    """Rules by which pods of a tenant leave its namespace, but for names."""
    made = planned(cluster={"kind": "existing"}, tenants=[{"name": "team-a"}], model_storage=section)
    policies = [
        one.inputs["spec"] for one in graph(made) if one.kind == "NetworkPolicy" and one.name in RULES
    ]
    return [rule for policy in policies for rule in policy["egress"]]


@pytest.mark.parametrize(
    ("section", "networks", "port"),
    [
        (store("https://minio.example.eu:9000"), PRIVATE, 9000),
        (store("https://s3.example.eu", networks=["192.0.2.0/24"]), ["192.0.2.0/24"], 443),
        (store("http://10.1.2.3:9000"), ["10.1.2.3/32"], 9000),
        (store("https://s3.storage.svc:9000", networks=["10.1.0.0/16"]), ["10.1.0.0/16"], 9000),
    ],
)
def test_tenants_reach_a_store_outside_the_cluster_where_it_is(section, networks, port):
    (rule,) = ways_out(section)
    assert [one["ipBlock"]["cidr"] for one in rule["to"]] == networks
    assert rule["ports"] == [{"protocol": "TCP", "port": port}]


@pytest.mark.parametrize("host", ["minio.storage.svc", "minio.storage.svc.cluster.local"])
def test_tenants_reach_a_store_in_the_cluster_by_its_namespace_whatever_ports_its_pods_have(host):
    (rule,) = ways_out(store(f"http://{host}:9000"))
    assert rule == {
        "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "storage"}}}]
    }


def test_tenants_reach_a_store_of_the_stack_at_its_port():
    (rule,) = ways_out({})
    assert rule["to"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "model-storage"
    }
    assert rule["ports"] == [{"protocol": "TCP", "port": 8333}]


def test_a_network_of_a_store_that_the_stack_makes_is_refused():
    assert problems(model_storage={"networks": ["10.0.0.0/8"]}) == [
        "model-storage.networks: 10.0.0.0/8: only kind existing has addresses of its own: leave it out"
    ]
