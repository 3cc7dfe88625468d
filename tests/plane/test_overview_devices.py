"""What a pod's devices are called where a device plugin hands them out."""

from corral.embedded.plane.overview import extended


def pod(node, **limits):
    return {"spec": {"nodeName": node, "containers": [{"resources": {"limits": limits}}]}}


def test_a_resource_is_named_with_its_node_and_how_many_of_it():
    assert extended(pod("n", **{"memory": "1Gi", "nvidia.com/gpu": "2"})) == ("n/2 x nvidia.com/gpu",)
    assert extended(pod("n", **{"nvidia.com/gpu.shared": "1"})) == ("n/nvidia.com/gpu.shared",)


def test_a_pod_without_a_node_or_without_gpus_has_none():
    assert extended(pod(None, **{"nvidia.com/gpu": "1"})) == ()
    assert extended(pod("n", memory="1Gi")) == ()
