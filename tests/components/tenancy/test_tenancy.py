import pytest
from tests.components.harness import build

from corral.components._kit import ArgsError
from corral.components.tenancy import Tenancy

TENANTS = [
    {"name": "blue", "namespace": "team-blue", "data_class": "internal", "devices": {"mig.nvidia.com": 7}},
    {"name": "red", "namespace": "team-red"},
]


def tenancy(**more):
    return lambda: Tenancy("tenants", {"tenants": TENANTS, **more})


def rules(graph, namespace):
    return {r.object_name: r.inputs["spec"] for r in graph.of("NetworkPolicy") if r.namespace == namespace}


def test_every_tenant_has_a_restricted_namespace_with_its_name_and_data_class():
    spaces = {r.object_name: r.inputs["metadata"]["labels"] for r in build(tenancy()).of("Namespace")}
    assert spaces["team-blue"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert spaces["team-blue"]["corral.dev/tenant"] == "blue"
    assert spaces["team-blue"]["corral.dev/data-class"] == "internal"
    assert "corral.dev/data-class" not in spaces["team-red"]


def test_a_tenant_is_closed_in_both_directions_before_anything_is_opened():
    closed = rules(build(tenancy()), "team-red")["default-deny"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_a_tenant_reaches_dns_and_the_listed_services_and_nothing_else():
    graph = build(tenancy(reachable=[{"namespace": "model-storage", "port": 8333}]))
    opened = rules(graph, "team-red")
    assert opened["outwards"]["egress"] == [
        {
            "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "model-storage"}}}],
            "ports": [{"protocol": "TCP", "port": 8333}],
        }
    ]
    everything = [rule for spec in opened.values() for rule in spec.get("egress", [])]
    assert everything and all(rule.get("to") for rule in everything), "a rule without `to` opens the world"


def test_only_listed_namespaces_call_a_tenants_models():
    spec = rules(build(tenancy(callers=["monitoring"])), "team-blue")["inwards"]
    assert spec["ingress"] == [
        {"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]}
    ]
    assert "inwards" not in rules(build(tenancy()), "team-blue")


def test_gpu_devices_of_a_tenant_are_limited_by_their_class():
    quota = build(tenancy()).one("ResourceQuota")
    assert quota.namespace == "team-blue"
    assert quota.inputs["spec"]["hard"] == {"mig.nvidia.com.deviceclass.resource.k8s.io/devices": "7"}


def test_extended_resources_of_a_tenant_are_limited_by_their_requests():
    limited = [
        {"name": "a", "namespace": "a", "resources": {"nvidia.com/mig-1g.5gb": 3, "nvidia.com/gpu": 0}}
    ]
    quota = build(lambda: Tenancy("tenants", {"tenants": limited})).one("ResourceQuota")
    assert quota.inputs["spec"]["hard"] == {
        "requests.nvidia.com/mig-1g.5gb": "3",
        "requests.nvidia.com/gpu": "0",
    }, "Kubernetes takes no limits of extended resources"


def test_two_tenants_in_one_namespace_are_refused():
    both = [{"name": "a", "namespace": "same"}, {"name": "b", "namespace": "same"}]
    with pytest.raises(ArgsError, match="two tenants, a and b"):
        build(lambda: Tenancy("tenants", {"tenants": both}))


def test_existing_namespaces_are_looked_up_and_left_alone():
    found = {name: {"metadata": {"name": name}} for name in ("team-blue", "team-red")}
    graph = build(tenancy(existing=True), found=found)
    assert all(r.read for r in graph if r.custom)
    assert graph.one("Tenancy").outputs == {"namespaces": {"blue": "team-blue", "red": "team-red"}}
