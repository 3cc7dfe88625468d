"""Images on nodes before a replica comes: pods that sleep, see no GPU and reach nothing."""

from tests.components.harness import build

from corral.catalogue.addons import reserved_namespaces
from corral.components.pre_pulled_images import PrePulledImages

MIRROR = {
    "registry": "registry.example.eu/mirror",
    "pull_secret": "mirror",
    "registry_auth": '{"auths": {"registry.example.eu": {"auth": "dTpw"}}}',
}
POOLS = [{"pool": "whole", "engines": ["vllm"]}, {"pool": "slices", "engines": ["llama.cpp", "vllm"]}]


def made(**more):
    args = {"pools": POOLS, "supply": {}, **more}
    return build(lambda: PrePulledImages("images", args))


def pods(graph):
    return {one.object_name: one.inputs["spec"]["template"]["spec"] for one in graph.of("DaemonSet")}


def test_each_pool_has_the_images_of_its_engines_and_that_of_the_tools_on_its_own_nodes():
    specs = pods(made())
    names = {pool: [one["name"] for one in spec["containers"]] for pool, spec in specs.items()}
    assert names == {"whole": ["vllm", "tools"], "slices": ["llama-cpp", "vllm", "tools"]}
    for pool, spec in specs.items():
        assert spec["nodeSelector"] == {"corral.dev/pool": pool}
        assert {one["key"] for one in spec["tolerations"]} == {"nvidia.com/gpu"}


def test_its_pods_take_no_gpu_even_where_the_runtime_gives_all_to_whoever_asks():
    for spec in pods(made()).values():
        for one in spec["containers"]:
            assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in one["env"]
            assert set(one["resources"]["limits"]) == {"cpu", "memory"}
            assert one["command"] == ["sleep", "infinity"]


def test_two_pools_never_select_each_other_s_pods():
    selectors = [one.inputs["spec"]["selector"]["matchLabels"] for one in made().of("DaemonSet")]
    templates = [one.inputs["spec"]["template"]["metadata"]["labels"] for one in made().of("DaemonSet")]
    for selector in selectors:
        assert sum(selector.items() <= labels.items() for labels in templates) == 1


def test_its_namespace_is_restricted_closed_and_no_tenant_s():
    graph = made(supply=MIRROR)
    space = graph.one("Namespace")
    assert space.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert space.object_name in reserved_namespaces()
    closed = graph.one("NetworkPolicy").inputs["spec"]
    assert closed["podSelector"] == {} and set(closed["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in closed and "egress" not in closed
    for spec in pods(graph).values():
        assert spec["imagePullSecrets"] == [{"name": "mirror"}] and not spec["automountServiceAccountToken"]
        assert all(one["image"].startswith("registry.example.eu/mirror/") for one in spec["containers"])
        assert all(one["securityContext"]["readOnlyRootFilesystem"] for one in spec["containers"])
