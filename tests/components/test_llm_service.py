"""A model of kind LLMInferenceService: its own pod, whole, behind the Service that KServe makes."""

import json

import pytest
from tests.components.harness import build
from tests.components.test_model import PREFIX, SUM, model, predictor

from corral.catalogue.serving_kinds import child_name, served_names
from corral.catalogue.vocabulary import ServingKind
from corral.components._kit import ArgsError
from corral.components.gateway import Gateway

LLM = {"kind": "LLMInferenceService", "llm_controller": "kserve", "arguments": ["--ctx-size", "4096"]}


def served(**more):
    return model(**{**LLM, **more})


def spec_of(graph):
    return graph.one("LLMInferenceService").inputs["spec"]


def main(graph):
    (container,) = spec_of(graph)["template"]["containers"]
    return container


def test_its_pod_is_that_of_an_inference_service_and_its_runtime():
    pod, other = spec_of(served())["template"], predictor(model(arguments=LLM["arguments"]))
    for key in ("securityContext", "tolerations", "initContainers", "serviceAccountName"):
        assert pod[key] == other[key], key
    container = main(served())
    assert container["resources"] == other["model"]["resources"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    mounts = {one["mountPath"]: one for one in container["volumeMounts"]}
    assert mounts["/mnt/models"]["readOnly"] and "/tmp" in mounts
    assert {one["name"] for one in pod["volumes"]} == {one["name"] for one in container["volumeMounts"]}


def test_no_file_is_loaded_but_by_the_verifying_loader():
    spec = spec_of(served())
    assert spec["storageInitializer"] == {"enabled": False}
    (loader,) = spec["template"]["initContainers"]
    assert loader["command"] == ["corral"] and f"m.gguf={SUM}" in loader["args"]
    assert spec["model"]["uri"] == f"s3://models/{PREFIX}"


@pytest.mark.parametrize("engine", ["llama.cpp", "vllm", "text-embeddings"])
def test_it_listens_where_the_service_leads_to(engine):
    container = main(served(engine=engine, arguments=[]))
    port = container["args"][container["args"].index("--port") + 1]
    assert port == "8000"
    assert [one["containerPort"] for one in container["ports"]] == [8000]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == 8000, probe
    with pytest.raises(ArgsError, match="--port 8080 is not allowed; callers and probes use 8000"):
        served(arguments=["--port", "8080"])


def test_callers_are_told_the_service_that_kserve_makes():
    url = served().one("Model").outputs["url"]
    assert url == "http://tiny-kserve-workload-svc.team.svc.cluster.local:8000/v1"


def test_kserve_makes_no_router_of_its_own_beside_the_gateway():
    assert "router" not in spec_of(served()) and "baseRefs" not in spec_of(served())


def test_pods_take_our_labels_and_none_by_which_kserve_selects_them():
    labels = spec_of(served(pool="whole", tenant="team"))["labels"]
    assert labels["corral.dev/model"] == "tiny" and labels["corral.dev/pool"] == "whole"
    assert not [one for one in labels if one.startswith("app.kubernetes.io/")]


def test_controls_find_licence_bill_and_queue_on_the_object_itself():
    metadata = served(queue="gpus").one("LLMInferenceService").inputs["metadata"]
    assert metadata["labels"]["kueue.x-k8s.io/queue-name"] == "gpus"
    assert metadata["labels"]["corral.dev/license"] == "Apache-2.0"
    assert metadata["annotations"]["corral.dev/ml-bom"] == f"s3://models/{PREFIX}/bom.cdx.json"


def test_pulumi_awaits_its_readiness_and_no_deployment_of_another_name():
    graph = served()
    awaited = graph.one("LLMInferenceService").inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert awaited == "condition=Ready"
    assert graph.of("DeploymentPatch") == [] and graph.of("InferenceService") == []


def test_a_number_that_something_else_changes_is_not_stated():
    assert spec_of(served(replicas_min=2))["replicas"] == 2
    assert "replicas" not in spec_of(served(replicas_min=1, replicas_max=3))


def test_what_scales_it_follows_its_own_deployment_and_service():
    scaling = {"concurrency": 4, "cooldown_seconds": 300, "keda": "keda"}
    graph = served(replicas_min=0, replicas_max=2, scaling=scaling)
    assert graph.one("ScaledObject").inputs["spec"]["scaleTargetRef"]["name"] == "tiny-kserve"
    target = graph.one("InterceptorRoute").inputs["spec"]["target"]
    assert target == {"service": "tiny-kserve-workload-svc", "port": 8000}


def test_alerts_and_dashboard_ask_for_its_own_deployment_and_service():
    graph = served(monitor_types="there")
    assert 'deployment="tiny-kserve"' in json.dumps(graph.one("PrometheusRule").inputs).replace('\\"', '"')
    dashboard = json.dumps(graph.one("ConfigMap").inputs)
    assert "tiny-kserve-workload-svc" in dashboard and "tiny-predictor" not in dashboard


def test_files_on_nodes_are_for_the_other_kind():
    with pytest.raises(ArgsError, match=r"tiny\.cache: KServe keeps files for kind InferenceService alone"):
        served(cache={"node_group": "whole", "size_gib": 1}, path="tiny-0123")


def test_weights_that_are_simulated_need_no_store():
    graph = served(weights="simulated", source=None, files=None, store=None, license=None)
    assert spec_of(graph)["model"]["uri"] == "s3://simulated/tiny"
    assert "initContainers" not in spec_of(graph)["template"]


def test_long_names_are_shortened_as_kserve_does():
    # Of `ChildName` in knative.dev/pkg/kmeta: 63 characters, with the MD5 sum of the parent.
    parent = "a-model-with-a-name-that-is-longer-than-others-of-its-kind"
    name = child_name(parent, "-kserve-workload-svc")
    assert len(name) == 63 and name.startswith("a-model-wit") and name.endswith("-kserve-workload-svc")
    assert served_names(ServingKind.INFERENCE_SERVICE, "chat").service == "chat-predictor"


def test_the_gateway_leads_to_it_and_may_reach_its_port():
    tenant = {"name": "team", "namespace": "team", "models": ["chat", "tiny"], "requests_per_minute": 60}
    args = {
        "supply": {},
        "host": "models.example.eu",
        "controller": "envoy-gateway-system",
        "cert_manager": "cert-manager",
        "monitors": False,
    }
    graph = build(lambda: Gateway("gateway", {**args, "tenants": [{**tenant, "llm_services": ["tiny"]}]}))
    backends = [
        backend
        for route in graph.of("HTTPRoute")
        for rule in route.inputs["spec"]["rules"]
        for backend in rule.get("backendRefs", [])
    ]
    assert {(one["name"], one["port"]) for one in backends if one["name"].startswith("tiny")} == {
        ("tiny-kserve-workload-svc", 8000)
    }
    assert {(one["name"], one["port"]) for one in backends if one["name"].startswith("chat")} == {
        ("chat-predictor", 80)
    }
    network = graph.one("NetworkPolicy", "gateway-network").inputs["spec"]
    ports = {one["port"] for rule in network["egress"] for one in rule.get("ports", [])}
    assert {8080, 8000} <= ports


GROUP = {
    "nodes": 2,
    "lws": "lws-system",
    "engine": "vllm",
    "runtime": "corral-vllm",
    "arguments": ["--tensor-parallel-size", "8", "--pipeline-parallel-size", "2"],
    "files": [{"name": "model.safetensors", "sha256": SUM}],
    "claim": {"device_class": "gpu.nvidia.com", "count": 8},
}


def test_a_replica_on_nodes_is_a_leader_and_workers_of_the_same_pod():
    spec = spec_of(served(**GROUP))
    assert spec["parallelism"] == {"pipeline": 2}
    leader, worker = spec["template"], spec["worker"]
    assert {key: value for key, value in leader.items() if key != "containers"} == {
        key: value for key, value in worker.items() if key != "containers"
    }
    (main_of_leader,), (main_of_worker,) = leader["containers"], worker["containers"]
    assert main_of_leader["resources"] == main_of_worker["resources"]
    assert main_of_worker["name"] == "main" and main_of_worker["image"] == main_of_leader["image"]


def test_each_of_a_group_is_told_its_place_and_the_leaders_address():
    spec = spec_of(served(**GROUP))
    (leader,), (worker,) = spec["template"]["containers"], spec["worker"]["containers"]
    for one in (leader, worker):
        said = dict(zip(one["args"], one["args"][1:], strict=False))
        assert (said["--nnodes"], said["--master-addr"]) == ("2", "$(LWS_LEADER_ADDRESS)")
    assert leader["args"][-2:] == ["--node-rank", "0"] and "--headless" not in leader["args"]
    assert worker["args"][-3:] == ["--node-rank", "$(LWS_WORKER_INDEX)", "--headless"]


def test_a_worker_answers_no_call_and_so_no_probe():
    (worker,) = spec_of(served(**GROUP))["worker"]["containers"]
    assert not {"startupProbe", "readinessProbe", "livenessProbe", "ports"} & worker.keys()


def test_a_worker_stays_while_its_leader_finishes_answers():
    spec = spec_of(served(**GROUP, drain_seconds=90))
    (leader,), (worker,) = spec["template"]["containers"], spec["worker"]["containers"]
    before = leader["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert worker["lifecycle"]["preStop"]["sleep"]["seconds"] == before + 90
    assert spec["worker"]["terminationGracePeriodSeconds"] > before + 90


def test_an_alert_counts_leaders_where_replicas_are_groups():
    rules = json.dumps(served(**GROUP, monitor_types="there").one("PrometheusRule").inputs)
    assert "kube_statefulset_status_replicas_ready{namespace=" in rules.replace('\\"', '"')
    assert "tiny-kserve-mn" in rules and "kube_deployment" not in rules


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "InferenceService"}, "nodes: 2 is for kind LLMInferenceService and engine vllm"),
        ({"engine": "llama.cpp"}, "nodes: 2 is for kind LLMInferenceService and engine vllm"),
        ({"nodes": 0}, "nodes: 0 is not allowed; use 1 or more"),
        (
            {"replicas_max": 2, "scaling": {"concurrency": 1, "cooldown_seconds": 300, "keda": "keda"}},
            "replicas on 2 nodes have a fixed number; leave it out",
        ),
    ],
)
def test_arguments_with_which_no_group_would_answer_are_refused(change, named):
    with pytest.raises(ArgsError, match=named):
        served(**{**GROUP, **change})
