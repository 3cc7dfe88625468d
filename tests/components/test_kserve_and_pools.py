import getpass

import pulumi
import pytest
from tests.components.harness import build

from corral.catalogue.vocabulary import Engine
from corral.components.cert_manager import CertManager
from corral.components.gpu_node_pool import ExistingGpuNodePool
from corral.components.kserve import KServe

INFERENCE = {
    "inferenceservices.serving.kserve.io": {"spec": {"versions": [{"name": "v1beta1", "served": True}]}}
}


def installed(graph, name):
    """The chart with this logical name, however the catalogue has it installed."""
    (found,) = [r for r in graph if r.name == name and r.kind in ("Chart", "Release")]
    return found


def test_kserve_serves_plain_deployments_without_an_ingress():
    graph = build(lambda: KServe("kserve", {"supply": {}, "cert_manager": "cert-manager"}))
    values = installed(graph, "kserve-chart").inputs["values"]["kserve"]
    assert values["controller"]["deploymentMode"] == "Standard"
    assert values["controller"]["gateway"]["disableIngressCreation"] is True
    assert values["controller"]["imagePullPolicy"] == "IfNotPresent"


def test_kserve_s_types_come_first_and_an_object_of_them_before_the_chart_that_needs_them():
    graph = build(lambda: KServe("kserve", {"supply": {}, "cert_manager": "cert-manager"}))
    types, controller = installed(graph, "kserve-crds"), installed(graph, "kserve-chart")
    runtimes = graph.of("ClusterServingRuntime")
    assert {one.object_name for one in runtimes} == {
        "corral-llamacpp",
        "corral-text-embeddings",
        "corral-vllm",
    }
    assert all(types.urn in graph.before(one) for one in runtimes)
    assert {one.urn for one in runtimes} <= graph.before(controller), "Helm does not wait for new types"


def test_every_image_of_kserve_comes_from_the_mirror():
    supply = {"registry": "registry.example.eu/mirror", "pull_secret": "mirror"}
    graph = build(lambda: KServe("kserve", {"supply": supply, "cert_manager": "cert-manager"}))
    values = installed(graph, "kserve-chart").inputs["values"]["kserve"]
    images = [
        values["controller"]["image"],
        values["controller"]["rbacProxyImage"],
        *(values[part]["image"] for part in ("agent", "router", "storage")),
        *(r.inputs["spec"]["containers"][0]["image"] for r in graph.of("ClusterServingRuntime")),
    ]
    assert all(image.startswith("registry.example.eu/mirror/") for image in images), images
    assert values["controller"]["imagePullSecrets"] == [{"name": "mirror"}]


def settings_of_vllm():
    graph = build(lambda: KServe("kserve", {"supply": {}, "cert_manager": "cert-manager"}))
    (vllm,) = graph.one("ClusterServingRuntime", "corral-vllm").inputs["spec"]["containers"]
    return {one["name"]: one["value"] for one in vllm["env"]}


def test_vllm_runs_as_a_user_that_its_image_does_not_know(monkeypatch):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings_of_vllm().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: pytest.fail(f"PyTorch's import would ask who {uid} is"))
    assert getpass.getuser()


def test_only_an_engine_of_several_processes_has_shared_memory_which_would_hide_that_of_mps():
    graph = build(lambda: KServe("kserve", {"supply": {}, "cert_manager": "cert-manager"}))
    for runtime in graph.of("ClusterServingRuntime"):
        (server,) = runtime.inputs["spec"]["containers"]
        mounted = {one["mountPath"]: one["name"] for one in server["volumeMounts"]}
        assert ("/dev/shm" in mounted) is (runtime.object_name == "corral-vllm"), runtime.object_name
        assert set(mounted.values()) == {one["name"] for one in runtime.inputs["spec"]["volumes"]}


def test_runtimes_tell_nobody_what_they_serve():
    settings = settings_of_vllm()
    assert settings["HF_HUB_OFFLINE"] == settings["VLLM_NO_USAGE_STATS"] == settings["DO_NOT_TRACK"] == "1"


def test_a_server_that_is_busy_with_an_answer_is_not_taken_for_dead():
    graph = build(lambda: KServe("kserve", {"supply": {}, "cert_manager": "cert-manager"}))
    for runtime in graph.of("ClusterServingRuntime"):
        (server,) = runtime.inputs["spec"]["containers"]
        liveness = server["livenessProbe"]
        assert liveness["timeoutSeconds"] >= 10
        assert liveness["failureThreshold"] * liveness["periodSeconds"] >= 60


def test_a_server_that_has_loaded_its_weights_is_asked_within_a_second_and_may_load_for_an_hour():
    graph = build(lambda: KServe("kserve", {"supply": {}, "cert_manager": "cert-manager"}))
    for runtime in graph.of("ClusterServingRuntime"):
        (server,) = runtime.inputs["spec"]["containers"]
        startup = server["startupProbe"]
        assert startup["periodSeconds"] == 1
        assert startup["failureThreshold"] * startup["periodSeconds"] == 3600


def test_an_existing_kserve_gets_our_runtimes_alone():
    graph = build(lambda: KServe("kserve", {"supply": {}, "existing": True}), found=INFERENCE)
    assert not graph.of("Chart") + graph.of("Release") + graph.of("Namespace")
    assert len(graph.of("ClusterServingRuntime")) == len(Engine)


def test_an_existing_kserve_that_is_too_old_is_refused_by_name():
    old = {
        "inferenceservices.serving.kserve.io": {"spec": {"versions": [{"name": "v1alpha2", "served": True}]}}
    }
    with pytest.raises(pulumi.RunError, match=r"inferenceservices\.serving\.kserve\.io.*v1beta1 is needed"):
        build(lambda: KServe("kserve", {"supply": {}, "existing": True}), found=old)


def test_cert_manager_brings_its_types_and_leaves_them():
    graph = build(lambda: CertManager("cert-manager", {"supply": {}}))
    assert graph.one("Release").inputs["values"]["crds"] == {"enabled": True, "keep": True}


def test_nodes_carry_pool_layout_and_taint():
    args = {"pool": "slices", "nodes": [{"name": "n0", "mig_config": "sevenths"}, {"name": "n1"}]}
    graph = build(lambda: ExistingGpuNodePool("pool", args))
    marked = {patch.object_name: patch.inputs for patch in graph.of("NodePatch")}
    assert marked["n0"]["metadata"]["labels"]["corral.dev/pool"] == "slices"
    assert marked["n0"]["metadata"]["labels"]["nvidia.com/mig.config"] == "sevenths"
    assert "nvidia.com/mig.config" not in marked["n1"]["metadata"]["labels"], "whole GPUs need no layout"
    assert marked["n0"]["spec"]["taints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    ]
