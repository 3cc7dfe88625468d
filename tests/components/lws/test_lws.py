"""The controller of LeaderWorkerSets: what it is installed with."""

from tests.components.harness import build

from corral.components.lws import LeaderWorkerSets
from corral.components.lws.component import SETS

TYPE, VERSION = SETS


def test_the_chart_is_pinned_and_its_image_comes_from_the_mirror():
    mirror = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}
    graph = build(lambda: LeaderWorkerSets("lws", {"supply": mirror, "replicas": 1}))
    release = graph.one("Release", "lws-chart")
    values = release.inputs["values"]
    assert values["image"]["manager"]["repository"] == "registry.example.eu/mirror/lws/lws"
    assert values["image"]["manager"]["pullPolicy"] == "IfNotPresent"
    assert values["imagePullSecrets"] == [{"name": "mirror"}] and values["replicaCount"] == 1
    assert release.inputs["namespace"] == "lws-system"


def test_its_pods_are_ones_that_their_namespace_admits():
    graph = build(lambda: LeaderWorkerSets("lws", {"supply": {}}))
    labels = graph.one("Namespace").inputs["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    pod = graph.one("Release").inputs["values"]["podSecurityContext"]
    assert pod == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_of_a_controller_that_is_there_only_the_type_is_checked():
    there = {TYPE: {"metadata": {"name": TYPE}, "spec": {"versions": [{"name": VERSION, "served": True}]}}}
    graph = build(lambda: LeaderWorkerSets("lws", {"supply": {}, "existing": True}), found=there)
    assert graph.of("Release") == [] and graph.of("Namespace") == []
