"""AWS's device plugin on the nodes of pools with the fabric."""

import pytest
from tests.components.harness import build

from corral.components._kit import ArgsError
from corral.components.efa_device_plugin import EfaDevicePlugin
from corral.components.efa_device_plugin.values import efa_values

MIRROR = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}


def test_it_runs_on_the_nodes_of_its_pools_beside_their_gpus_and_nowhere_else():
    graph = build(lambda: EfaDevicePlugin("efa", {"pools": ["training", "more"], "supply": {}}))
    release = graph.one("Release").inputs
    assert release["values"]["supportedInstanceLabels"] == {
        "keys": ["corral.dev/pool"],
        "values": ["training", "more"],
    }
    assert release["values"]["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    space = graph.one("Namespace").inputs["metadata"]["labels"]
    assert space["pod-security.kubernetes.io/enforce"] == "privileged", "it mounts the kubelet's folder"


def test_its_image_comes_from_the_mirror_with_the_mirror_s_credentials():
    values = efa_values(["training"], MIRROR)
    assert values["image"]["repository"] == "registry.example.eu/mirror/eks/aws-efa-k8s-device-plugin"
    assert values["imagePullSecrets"] == [{"name": "mirror"}]


def test_one_that_is_there_is_left_as_it_is():
    graph = build(lambda: EfaDevicePlugin("efa", {"pools": ["training"], "supply": {}, "existing": True}))
    assert graph.of("Release") == graph.of("Namespace") == []


def test_without_pools_it_is_refused_by_name():
    with pytest.raises(ArgsError, match=r"efa\.pools: empty; name the pools"):
        build(lambda: EfaDevicePlugin("efa", {"pools": [], "supply": {}}))
