"""Envoy Gateway's controller: its types without those of the Gateway API, and who reaches it."""

import pytest
from tests.components.harness import build

from corral.components.envoy_gateway import EnvoyGateway

TYPES = "httproutes.gateway.networking.k8s.io"
MIRROR = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}


def made(**more):
    args = {"supply": {}, "gateway_types": TYPES, **more}
    return build(lambda: EnvoyGateway("proxies", args))


def test_its_own_types_are_there_before_the_controller_and_those_of_the_gateway_api_never():
    graph = made()
    types, controller = graph.one("Release", "proxies-crds"), graph.one("Release", "proxies-chart")
    assert types.urn in graph.before(controller)
    assert types.inputs["values"]["crds"] == {
        "gatewayAPI": {"enabled": False},
        "envoyGateway": {"enabled": True},
    }
    assert controller.inputs["values"]["crds"] == {"enabled": False}


def test_controller_and_proxies_are_pulled_by_way_of_the_mirror():
    values = made(supply=MIRROR).one("Release", "proxies-chart").inputs["values"]["global"]
    assert values["imageRegistry"] == MIRROR["registry"], "the chart puts it before each image's path"
    assert values["imagePullSecrets"] == [{"name": "mirror"}]


@pytest.mark.parametrize(("replicas", "budget"), [(1, None), (3, {"minAvailable": 1})])
def test_one_of_several_controllers_stays(replicas, budget):
    values = made(replicas=replicas).one("Release", "proxies-chart").inputs["values"]
    assert values["deployment"]["replicas"] == replicas
    assert values.get("podDisruptionBudget") == budget


def test_proxies_and_the_scraper_reach_the_controller_alone():
    rules = made(scraper="metrics").one("NetworkPolicy").inputs["spec"]["ingress"]
    assert [rule["from"] for rule in rules] == [
        [{"podSelector": {}}],
        [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "metrics"}}}],
    ]


def test_one_that_is_there_is_read_and_nothing_is_installed():
    versions = {"spec": {"versions": [{"name": "v1alpha1", "served": True}]}}
    found = {"envoyproxies.gateway.envoyproxy.io": versions}
    graph = build(lambda: EnvoyGateway("proxies", {"supply": {}, "existing": True}), found=found)
    assert not graph.of("Release") and not graph.of("Namespace")
    assert graph.one("CustomResourceDefinition").read


LIMITS = {
    "store": "counts.token-limits.svc.cluster.local:6379",
    "store_namespace": "token-limits",
    "store_port": 6379,
    "password": "pw",
}


def test_without_limits_there_is_no_rate_limit_service():
    graph = made()
    assert "rateLimit" not in graph.one("Release", "proxies-chart").inputs["values"]["config"]["envoyGateway"]
    assert not graph.of("Secret") and len(graph.of("NetworkPolicy")) == 1


def test_calls_pass_while_the_store_does_not_answer_and_its_password_is_a_secret():
    graph = made(rate_limits=LIMITS)
    stated = graph.one("Release", "proxies-chart").inputs["values"]["config"]["envoyGateway"]
    assert stated["rateLimit"]["failClosed"] is False
    assert stated["rateLimit"]["backend"] == {"type": "Redis", "redis": {"url": LIMITS["store"]}}
    container = stated["provider"]["kubernetes"]["rateLimitDeployment"]["container"]
    auth = {one["name"]: one for one in container["env"]}["REDIS_AUTH"]["valueFrom"]["secretKeyRef"]
    assert auth == {"name": graph.one("Secret").inputs["metadata"]["name"], "key": "login"}
    assert graph.one("Secret").urn in graph.before(graph.one("Release", "proxies-chart"))
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("password", ["pw", "two:parts", ":first"])
def test_the_rate_limit_service_logs_in_with_all_of_a_password(password):
    """It takes what stands before the first colon for a user."""
    secret = made(rate_limits={**LIMITS, "password": password}).one("Secret").inputs["stringData"]
    assert secret["login"].partition(":")[::2] == ("default", password)


def test_the_rate_limit_service_reaches_controller_store_and_dns_alone():
    spec = made(rate_limits=LIMITS).one("NetworkPolicy", "proxies-rate-limit-network").inputs["spec"]
    ports = [[port["port"] for port in rule["ports"]] for rule in spec["egress"]]
    assert ports == [[53, 53], [18001], [6379]]
    controller = made(rate_limits=LIMITS).one("NetworkPolicy", "proxies-network").inputs["spec"]
    assert 18001 in [port["port"] for port in controller["ingress"][0]["ports"]]
