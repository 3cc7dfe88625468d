"""KEDA and its HTTP add-on: restricted pods, and a way to models that the gateway alone has."""

import json

import pytest
from tests.components.harness import build

from corral.catalogue.vocabulary import Addon
from corral.components.keda import Keda

MIRROR = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}
NODES = {"node_selector": {"role": "system"}}


def made(**more):
    return build(lambda: Keda("scaling", {"supply": {}, **more}))


def values(chart, **more):
    return made(**more).one("Release", f"scaling-{chart}").inputs["values"]


def test_the_add_on_comes_once_its_types_of_scaled_objects_are_there():
    graph = made()
    operator, add_on = graph.one("Release", "scaling-chart"), graph.one("Release", "scaling-http")
    assert operator.urn in graph.before(add_on)


def test_the_gateway_alone_reaches_an_interceptor_by_which_every_scaled_model_is_called():
    policies = {
        one.name: one.inputs["spec"] for one in made(gateway="door", scraper="metrics").of("NetworkPolicy")
    }
    to_calls, to_counts, _ = policies["scaling-network-interceptors"]["ingress"]
    assert to_calls["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "door"}}}
    ]
    assert [one["port"] for one in to_calls["ports"]] == [8080]
    assert "podSelector" in to_counts["from"][0] and [one["port"] for one in to_counts["ports"]] == [9090]
    pods = policies["scaling-network-interceptors"]["podSelector"]["matchLabels"]
    assert pods["app.kubernetes.io/component"] == "interceptor"


def test_every_pod_passes_the_restricted_level():
    found = values("http")
    assert found["podSecurityContext"]["runAsNonRoot"] and found["securityContext"]["runAsNonRoot"]
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_images_come_by_way_of_the_mirror_with_its_credentials():
    add_on, operator = values("http", supply=MIRROR), values("chart", supply=MIRROR)
    assert add_on["images"]["interceptor"] == "registry.example.eu/mirror/kedacore/http-add-on-interceptor"
    assert operator["image"]["keda"]["registry"] == "registry.example.eu"
    assert operator["image"]["keda"]["repository"] == "mirror/kedacore/keda"
    assert operator["imagePullSecrets"] == [{"name": "mirror"}]
    assert {
        role: add_on[role]["imagePullSecrets"][0]["name"] for role in ("interceptor", "operator", "scaler")
    } == {
        "interceptor": "mirror",
        "operator": "mirror",
        "scaler": "mirror",
    }


def test_no_pod_takes_a_gpu_node():
    assert values("chart", supply=NODES)["nodeSelector"] == {"role": "system"}
    assert all(
        values("http", supply=NODES)[role]["nodeSelector"] == {"role": "system"}
        for role in ("interceptor", "operator", "scaler")
    )


def test_an_interceptor_that_ends_waits_for_the_longest_answer():
    found = values("http", drain_seconds=120)["interceptor"]
    assert found["drainTimeout"] == "120s" and found["terminationGracePeriodSeconds"] > 120


@pytest.mark.parametrize(("replicas", "budget"), [(1, False), (2, True)])
def test_one_of_several_operators_stays(replicas, budget):
    found = values("chart", replicas=replicas)
    assert found["operator"]["replicaCount"] == found["metricsServer"]["replicaCount"] == replicas
    assert ("podDisruptionBudget" in found) is budget


def test_one_that_is_there_is_read_and_nothing_is_installed():
    from corral.catalogue.addons import definition

    name, version = definition(Addon.KEDA)
    there = {
        name: {"spec": {"versions": [{"name": version, "served": True}]}},
        "interceptorroutes.http.keda.sh": {"spec": {"versions": [{"name": "v1beta1", "served": True}]}},
    }
    graph = build(lambda: Keda("scaling", {"supply": {}, "existing": True}), found=there)
    assert {one.kind for one in graph if one.read} == {"CustomResourceDefinition"}
    assert not graph.of("Release") and "Namespace" not in json.dumps([one.kind for one in graph])
