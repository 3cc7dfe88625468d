import json

import pytest
from tests.components.harness import build

from corral.catalogue.stores import model_prefix
from corral.components._kit import ArgsError
from corral.components.model import Model
from corral.components.model_storage import ModelStorage

STORE = {
    "endpoint": "http://model-storage.model-storage.svc.cluster.local:8333",
    "port": 8333,
    "bucket": "models",
    "region": "embedded",
    "namespace": "model-storage",
    "writer_secret": "model-storage-writer",
    "reader_access_key": "corral-reader",
    "reader_secret_key": "canary-reader",
}
SUM = "ab" * 32
PREFIX = model_prefix("tiny", "package://tiny/1.0/m.gguf", {"m.gguf": SUM})
SLICE = {"device_class": "mig.nvidia.com", "profile": "1g.5gb"}


def model(**more):
    args = {
        "namespace": "team",
        "engine": "llama.cpp",
        "runtime": "corral-llamacpp",
        "arguments": ["--model", "/mnt/models/m.gguf", "--ctx-size", "4096"],
        "claim": SLICE,
        "supply": {},
        "source": "package://tiny/1.0/m.gguf",
        "files": [{"name": "m.gguf", "sha256": SUM}],
        "license": "Apache-2.0",
        "store": STORE,
        **more,
    }
    return build(lambda: Model("tiny", {key: value for key, value in args.items() if value is not None}))


def predictor(graph):
    return graph.one("InferenceService").inputs["spec"]["predictor"]


def test_the_import_states_source_checksum_license_and_target_and_no_secret():
    job = model().one("Job", "tiny-import")
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    said = container["args"]
    assert said[0] == "import"
    assert f"m.gguf={SUM}" in said
    assert f"s3://models/{PREFIX}" in said
    assert "canary-reader" not in json.dumps(job.inputs)
    keys = {one["name"]: one for one in container["env"]}
    assert keys["AWS_SECRET_ACCESS_KEY"]["valueFrom"]["secretKeyRef"]["name"] == "model-storage-writer"


def test_pods_that_a_store_lets_in_by_their_account_hold_no_key():
    keys = ("writer_secret", "reader_access_key", "reader_secret_key")
    store = {key: value for key, value in STORE.items() if key not in keys}
    graph = model(store={**store, "endpoint": "https://s3.example.eu", "writer_account": "model-writer"})
    assert graph.of("Secret") == []
    imports = graph.one("Job").inputs["spec"]["template"]["spec"]
    assert imports["serviceAccountName"] == "model-writer"
    (loader,) = predictor(graph)["initContainers"]
    names = {one["name"] for each in (loader, *imports["containers"]) for one in each["env"]}
    assert "AWS_ENDPOINT_URL_S3" in names and not {one for one in names if "KEY" in one}
    assert predictor(graph)["serviceAccountName"] == "tiny"
    assert not graph.one("ServiceAccount").inputs.get("secrets")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"writer_secret": None}, "tiny.store: 'writer_secret' is missing"),
        ({"writer_account": "model-writer"}, "tiny.store: 'reader_secret_key' is superfluous"),
    ],
)
def test_a_store_has_keys_or_an_account_and_not_half_of_each(change, named):
    store = {key: value for key, value in {**STORE, **change}.items() if value is not None}
    with pytest.raises(ArgsError, match=named):
        model(store=store)


def test_imports_run_beside_the_store_so_that_a_tenant_never_holds_a_writing_credential():
    graph = model()
    assert graph.one("Job").namespace == "model-storage"
    secrets = [s for s in graph.of("Secret") if s.namespace == "team"]
    assert [s.inputs["stringData"]["AWS_ACCESS_KEY_ID"] for s in secrets] == ["corral-reader"]


def test_another_checksum_or_source_is_another_import():
    first = model().one("Job").object_name
    assert model().one("Job").object_name == first, "the same inputs are the same import"
    assert model(files=[{"name": "m.gguf", "sha256": "cd" * 32}]).one("Job").object_name != first
    assert model(source="s3://elsewhere/m").one("Job").object_name != first


def test_a_replica_asks_for_a_slice_by_its_profile():
    graph = model()
    template = graph.one("ResourceClaimTemplate")
    (request,) = template.inputs["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"]["deviceClassName"] == "mig.nvidia.com"
    (chosen,) = request["exactly"]["selectors"]
    assert chosen["cel"]["expression"] == "device.attributes['gpu.nvidia.com'].profile == '1g.5gb'"
    spec = predictor(graph)
    assert spec["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": template.object_name}]
    assert spec["model"]["resources"]["claims"] == [{"name": "gpu"}], "the container must use the claim"


def test_whole_gpus_are_asked_for_by_count_and_product():
    claim = {"device_class": "gpu.nvidia.com", "count": 2, "product": "NVIDIA H100 80GB HBM3"}
    (request,) = model(claim=claim).one("ResourceClaimTemplate").inputs["spec"]["spec"]["devices"]["requests"]
    assert request["exactly"]["count"] == 2
    assert "productName == 'NVIDIA H100 80GB HBM3'" in json.dumps(request)


def test_another_claim_is_another_template_since_templates_cannot_change():
    first = model().one("ResourceClaimTemplate").object_name
    other = {"device_class": "mig.nvidia.com", "profile": "2g.10gb"}
    assert model(claim=other).one("ResourceClaimTemplate").object_name != first


def test_pulumi_awaits_a_ready_copy_too_since_kserve_says_ready_without_one():
    awaited = model().one("InferenceService").inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert json.loads(awaited) == [
        "condition=PredictorReady",
        "condition=Ready",
        "jsonpath={.status.modelStatus.copies.totalCopies}",
    ]


def test_another_runtime_than_ours_may_serve_a_model():
    assert predictor(model())["model"]["runtime"] == "corral-llamacpp"
    assert predictor(model(runtime="their-own"))["model"]["runtime"] == "their-own"


def test_the_store_of_model_storage_is_what_a_model_takes():
    def program():
        admin = {"access_key": "a", "secret_key": "s", "encryption_key": "ab" * 32}
        storage = ModelStorage("storage", {"kind": "seaweedfs", "bucket": "kept", "supply": {}, **admin})
        files = {
            "source": "package://t/1/m.gguf",
            "files": [{"name": "m.gguf", "sha256": SUM}],
            "license": "MIT",
        }
        served = {"engine": "llama.cpp", "runtime": "any", "arguments": [], "claim": SLICE, "supply": {}}
        Model("tiny", {"namespace": "team", "store": storage.store, **served, **files})

    graph = build(program)
    job = graph.one("Job", "tiny-import")
    assert job.namespace == "model-storage"
    assert graph.one("Job", "storage-bucket").urn in graph.before(job), "the bucket is proven first"
    assert predictor(graph)["model"]["storageUri"] == f"s3://kept/{PREFIX}"
    reader = graph.one("Secret", "tiny-store").inputs["stringData"]
    store = graph.one("ModelStorage").outputs["store"]
    assert reader["AWS_SECRET_ACCESS_KEY"] == store["reader_secret_key"]


def test_the_model_is_served_after_its_import():
    graph = model()
    assert graph.one("Job").urn in graph.before(graph.one("InferenceService"))
    assert predictor(graph)["model"]["storageUri"] == f"s3://models/{PREFIX}"


def test_other_files_lie_elsewhere_so_that_pods_of_the_former_release_may_start_anew():
    def target(**more) -> str:
        graph = model(**more)
        job = graph.one("Job").inputs["spec"]["template"]["spec"]["containers"][0]["args"]
        served = predictor(graph)["model"]["storageUri"]
        assert job[-2:] == ["--to", served]
        return served

    other = target(files=[{"name": "m.gguf", "sha256": "cd" * 32}])
    assert target() == target(source="hf://ours/tiny") != other, "the files alone count"
    unlocked = {"files": [], "unlocked": True}
    assert target(**unlocked, source="hf://a/b") != target(**unlocked, source="hf://a/c")
    assert target(path="mine") == "s3://models/mine"


def test_the_files_are_brought_by_the_tools_which_check_every_one_before_the_server_starts():
    graph = model()
    (loader,) = predictor(graph)["initContainers"]
    assert loader["name"] == "storage-initializer", "KServe injects its own beside any other name"
    assert loader["args"] == [
        *("load", "--from", f"s3://models/{PREFIX}", "--to", "/mnt/models"),
        *("--sha256", f"m.gguf={SUM}"),
    ]
    keys = {one["name"]: one for one in loader["env"]}
    assert keys["AWS_SECRET_ACCESS_KEY"]["valueFrom"]["secretKeyRef"]["name"] == "tiny-store"
    assert loader["terminationMessagePolicy"] == "FallbackToLogsOnError"
    (mount,) = loader["volumeMounts"]
    assert predictor(graph)["model"]["volumeMounts"] == [{**mount, "readOnly": True}]
    assert mount["name"] in [one["name"] for one in predictor(graph)["volumes"]]


def test_an_unlocked_import_says_so_and_its_manifest_decides_what_is_served():
    graph = model(files=None, unlocked=True)
    (container,) = graph.one("Job").inputs["spec"]["template"]["spec"]["containers"]
    assert "--unlocked" in container["args"] and "--sha256" not in container["args"]
    (loader,) = predictor(graph)["initContainers"]
    assert loader["args"][-2:] == ["--to", "/mnt/models"]


ACCESS = {
    "endpoint": "https://minio.example.eu",
    "region": "eu-central-1",
    "access_key": "canary-source-access",
    "secret_key": "canary-source-secret",
}


def test_a_source_of_its_own_is_read_by_a_key_that_the_import_alone_holds():
    graph = model(source="s3://intake/tiny", source_access=ACCESS)
    secret = graph.one("Secret", "import-tiny-source")
    assert secret.namespace == "model-storage" and secret.secrets
    assert secret.inputs["stringData"]["SOURCE_AWS_SECRET_ACCESS_KEY"] == "canary-source-secret"
    job = graph.one("Job")
    assert "canary" not in json.dumps(job.inputs)
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    told = {one["name"]: one.get("value") or one["valueFrom"]["secretKeyRef"] for one in container["env"]}
    assert told["SOURCE_AWS_ENDPOINT_URL_S3"] == "https://minio.example.eu"
    assert told["SOURCE_AWS_SECRET_ACCESS_KEY"] == {
        "name": "import-tiny-source",
        "key": "SOURCE_AWS_SECRET_ACCESS_KEY",
    }
    assert told["AWS_ENDPOINT_URL_S3"] == STORE["endpoint"], "the target stays the platform's store"
    assert "canary-source" not in json.dumps(graph.one("InferenceService").inputs)


@pytest.mark.parametrize(
    ("source", "access", "variables"),
    [
        ("hf://org/tiny", {"token": "x", "endpoint": "https://hub.example"}, {"HF_TOKEN", "HF_ENDPOINT"}),
        ("gs://b/tiny", {"access_key": "x", "secret_key": "y"}, {"SOURCE_AWS_ACCESS_KEY_ID"}),
        ("oci://r.example/tiny:1", {"access_key": "x", "secret_key": "y"}, {"OCI_USERNAME", "OCI_PASSWORD"}),
    ],
)
def test_each_kind_of_source_is_opened_by_its_own_variables(source, access, variables):
    job = model(source=source, source_access=access).one("Job")
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    assert variables <= {one["name"] for one in container["env"]}


def test_a_failed_import_is_made_anew_and_its_last_words_reach_pulumi():
    job = model().one("Job")
    assert job.inputs["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"
    assert job.inputs["spec"]["backoffLimit"] == 0
    (container,) = job.inputs["spec"]["template"]["spec"]["containers"]
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_simulated_weights_are_marked_and_import_nothing():
    graph = model(weights="simulated", source=None, files=None, license=None, store=None)
    assert graph.of("Job") == []
    assert graph.of("Secret") == []
    service = graph.one("InferenceService").inputs
    assert service["metadata"]["annotations"]["corral.dev/weights"] == "simulated"
    assert "storageUri" not in service["spec"]["predictor"]["model"]


def test_real_weights_without_checksums_are_refused_by_name():
    with pytest.raises(ArgsError, match="'files' is missing"):
        model(files=None)


def test_a_number_of_replicas_that_a_scaler_sets_is_no_change_that_kserve_would_never_observe():
    def stated(**more):
        predictor = model(**more).one("InferenceService").inputs["spec"]["predictor"]
        return {key for key in predictor if key.endswith("Replicas")}

    assert stated(replicas_min=1, replicas_max=4) == set()
    assert stated(replicas_min=3, replicas_max=6, scaling=SCALING) == set()
    assert stated(replicas_min=0, replicas_max=6, scaling=SCALING) == set()
    many = model(replicas_min=3, replicas_max=6, scaling=SCALING).one("ScaledObject").inputs["spec"]
    assert (many["minReplicaCount"], many["maxReplicaCount"]) == (3, 6)


def test_a_fixed_number_of_replicas_needs_no_scaler_and_a_range_is_left_to_one_outside_never_to_the_cpu():
    fixed = model(replicas_min=2).one("InferenceService").inputs
    assert fixed["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "none"
    assert fixed["spec"]["predictor"]["minReplicas"] == 2
    ranged = model(replicas_min=1, replicas_max=3).one("InferenceService").inputs
    assert ranged["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "external"


def test_an_old_replica_goes_first_since_there_may_be_no_device_for_one_more():
    several = predictor(model(replicas_min=2, replicas_max=2))["deploymentStrategy"]
    assert several["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}


def test_one_replica_that_is_not_ready_is_no_available_deployment():
    # maxUnavailable 1 of 1 would be: Pulumi would go on before the model answers.
    assert predictor(model(replicas_min=1))["deploymentStrategy"] == {"type": "Recreate"}


@pytest.mark.parametrize(("stated", "seconds"), [({}, 60), ({"drain_seconds": 600}, 600)])
def test_vllm_finishes_its_answers_once_no_call_comes_and_its_pod_lets_it(stated, seconds):
    pod = predictor(model(**VLLM, **stated))
    told = pod["model"]["args"]
    assert told[told.index("--shutdown-timeout") + 1] == str(seconds), "without it vLLM breaks them off"
    hook = pod["model"]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert hook == 5 and pod["terminationGracePeriodSeconds"] > hook + seconds


@pytest.mark.parametrize("own", [["--shutdown-timeout", "300"], ["--shutdown-timeout=300"]])
def test_more_time_to_answer_than_its_pod_has_is_refused(own):
    with pytest.raises(ArgsError, match=r"--shutdown-timeout 300 is not allowed, .* 60 s .* drain_seconds"):
        model(**VLLM, arguments=own)
    assert (
        "--shutdown-timeout"
        not in predictor(model(**VLLM, arguments=own, drain_seconds=300))["model"]["args"][:5]
    )


@pytest.mark.parametrize(("stated", "seconds"), [({}, 65), ({"drain_seconds": 600}, 605)])
def test_llama_cpp_which_breaks_its_answers_off_is_told_when_it_has_none(stated, seconds):
    pod = predictor(model(**stated))
    bound, most, *shell = pod["model"]["lifecycle"]["preStop"]["exec"]["command"]
    assert (bound, most, shell[:2]) == ("timeout", str(seconds), ["sh", "-c"])
    assert pod["terminationGracePeriodSeconds"] > seconds, "the time of the hook is taken from it"
    own = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    assert pod["model"]["env"] == [own], "its server listens on the pod's address"


def test_a_variable_that_the_caller_states_is_stated_once():
    pod = predictor(model(environment={"POD_IP": "::1"}))
    assert pod["model"]["env"] == [{"name": "POD_IP", "value": "::1"}]


def rollout(graph):
    """Revision of the pods, and what is awaited of their Deployment."""
    service, patch = graph.one("InferenceService"), graph.one("DeploymentPatch")
    assert service.urn in graph.before(patch)
    assert patch.object_name == f"{service.object_name}-predictor"
    known = patch.inputs["metadata"]["annotations"]
    assert known == predictor(graph)["annotations"], "KServe removes what is not in the InferenceService"
    return known["corral.dev/revision"], json.loads(known["pulumi.com/waitFor"])


def test_the_roll_out_of_what_the_pods_are_is_awaited_and_not_what_kserve_says_of_the_old_ones():
    revision, awaited = rollout(model())
    assert awaited[0].endswith(f"annotations['corral.dev/revision']}}={revision}")
    assert awaited[1:] == [
        "jsonpath={$[?@.replicas == $.spec.replicas]}",
        "jsonpath={$[?@.updatedReplicas == $.spec.replicas]}",
        "jsonpath={$[?@.readyReplicas == $.spec.replicas]}",
    ]


@pytest.mark.parametrize(
    ("change", "pods"),
    [({"path": "next"}, True), ({"queue": "gpus"}, True), ({"replicas_min": 2}, False), ({}, False)],
    ids=["files", "label", "replicas", "nothing"],
)
def test_pods_are_made_anew_for_a_change_of_theirs_alone(change, pods):
    assert (rollout(model(**change))[0] != rollout(model())[0]) is pods


def test_no_service_beside_a_model_sets_variables_of_its_server():
    assert predictor(model(**VLLM))["enableServiceLinks"] is False


def test_a_replica_runs_restricted_and_without_a_token():
    spec = predictor(model())
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}


def test_a_replica_tolerates_the_taint_of_gpu_nodes_and_stays_in_its_pool():
    spec = predictor(model(pool="slices"))
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in spec["tolerations"]
    assert spec["nodeSelector"] == {"corral.dev/pool": "slices"}


def test_kserve_finds_the_store_through_the_account_s_secret():
    graph = model()
    (named,) = graph.one("ServiceAccount").inputs["secrets"]
    secret = graph.one("Secret", named["name"])
    settings = secret.inputs["metadata"]["annotations"]
    assert settings["serving.kserve.io/s3-endpoint"] == "model-storage.model-storage.svc.cluster.local:8333"
    assert settings["serving.kserve.io/s3-usehttps"] == "0"
    assert any(path.startswith("stringData") for path in secret.secrets)


def test_an_encrypted_store_is_spoken_to_encrypted():
    graph = model(store={**STORE, "endpoint": "https://s3.example.eu"})
    settings = graph.one("Secret").inputs["metadata"]["annotations"]
    assert settings["serving.kserve.io/s3-usehttps"] == "1"
    assert settings["serving.kserve.io/s3-verifyssl"] == "1"


def test_without_prometheus_types_there_is_a_dashboard_and_nothing_more():
    graph = model(monitors=False)
    assert graph.of("ServiceMonitor") == [] and graph.of("PrometheusRule") == []
    assert graph.one("ConfigMap", "tiny-dashboard").inputs["metadata"]["labels"]["grafana_dashboard"] == "1"


@pytest.mark.parametrize(
    ("engine", "metric"),
    [
        ("vllm", "vllm:num_requests_waiting"),
        ("llama.cpp", "llamacpp:requests_deferred"),
        ("text-embeddings", "te_queue_size"),
    ],
)
def test_each_engine_is_watched_in_its_own_words(engine, metric):
    graph = model(engine=engine)
    assert metric in json.dumps(graph.one("PrometheusRule").inputs)
    (board,) = graph.one("ConfigMap").inputs["data"].values()
    assert metric in board


def test_a_model_in_a_queue_says_so_where_kserve_passes_it_on():
    service = model(queue="default", priority="served-models").one("InferenceService")
    told = service.inputs["metadata"]["labels"]
    assert told["kueue.x-k8s.io/queue-name"] == "default"
    assert told["kueue.x-k8s.io/priority-class"] == "served-models"
    plain = model().one("InferenceService").inputs["metadata"]["labels"]
    assert not [label for label in plain if "kueue" in label]


def test_another_queue_is_another_service_since_a_running_deployment_keeps_its_queue():
    service = model(queue="default").one("InferenceService")
    assert service.replaced_on == ('metadata.labels["kueue.x-k8s.io/queue-name"]',)
    assert service.deleted_first, "both have one name, and there may be no second device"


def test_only_the_service_of_a_model_names_the_queue():
    others = [r for r in model(queue="default") if r.kind != "InferenceService" and "metadata" in r.inputs]
    assert others and "kueue" not in json.dumps([one.inputs["metadata"] for one in others])


VLLM = {"engine": "vllm", "runtime": "corral-vllm", "files": [{"name": "a.safetensors", "sha256": SUM}]}


def arguments(**more):
    return predictor(model(**more))["model"]["args"]


def test_a_server_is_told_where_its_files_are_its_name_and_where_it_listens():
    listening = ["--host", "0.0.0.0", "--port", "8080"]
    own = ["--max-model-len", "4096"]
    assert arguments(**VLLM, arguments=own) == [
        *("/mnt/models", "--served-model-name", "tiny"),
        *listening,
        *("--shutdown-timeout", "60"),
        *own,
    ]
    assert arguments(arguments=None) == ["--model", "/mnt/models/m.gguf", "--alias", "tiny", *listening]


def test_text_embeddings_listens_where_it_is_told_and_not_by_its_variable_of_a_pod_s_name():
    embedding = {**VLLM, "engine": "text-embeddings", "runtime": "corral-text-embeddings"}
    assert arguments(**embedding, arguments=["--dtype", "float16"]) == [
        *("--model-id", "/mnt/models", "--served-model-name", "tiny"),
        *("--hostname", "0.0.0.0", "--port", "8080", "--dtype", "float16"),
    ]


@pytest.mark.parametrize("own", [["--model=/mnt/models", "--port=8080"], ["/mnt/models", "--port", "8080"]])
def test_what_the_arguments_state_already_is_not_added(own):
    stated = [*own, "--served-model-name", "chat", "--host", "::", "--shutdown-timeout=60"]
    assert arguments(**VLLM, arguments=stated) == stated


def test_variables_of_the_server_reach_its_container_alone():
    spec = predictor(
        model(engine="vllm", runtime="corral-vllm", environment={"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"})
    )
    assert spec["model"]["env"] == [{"name": "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "value": "1"}]
    assert "VLLM_ALLOW_LONG" not in json.dumps(spec["initContainers"])
    assert "env" not in predictor(model(engine="vllm", runtime="corral-vllm"))["model"]


@pytest.mark.parametrize("own", [["--port", "9000"], ["--port=9000"]])
def test_a_port_on_which_nobody_would_call_is_refused(own):
    with pytest.raises(ArgsError, match=r"tiny.arguments: --port 9000 is not allowed; .* use 8080"):
        model(**VLLM, arguments=own)


def test_llama_cpp_with_a_choice_of_files_asks_which_one():
    two = [{"name": name, "sha256": SUM} for name in ("a.gguf", "b.gguf")]
    with pytest.raises(ArgsError, match=r"--model is missing; .* use --model /mnt/models/<file>.gguf"):
        model(files=two, arguments=[])
    assert "/mnt/models/b.gguf" in arguments(files=two, arguments=["-m", "/mnt/models/b.gguf"])


SCALING = {"cooldown_seconds": 400, "timeout_seconds": 120, "concurrency": 4, "keda": "keda"}


def scaled(**more):
    return model(replicas_min=0, replicas_max=3, **{"scaling": SCALING, **more})


def test_a_scaled_model_s_copies_are_nobody_s_but_keda_s():
    service = scaled().one("InferenceService").inputs
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "external"
    target = scaled().one("ScaledObject").inputs["spec"]
    assert target["scaleTargetRef"]["name"] == "tiny-predictor"
    assert (target["minReplicaCount"], target["maxReplicaCount"]) == (0, 3)
    assert target["cooldownPeriod"] == target["initialCooldownPeriod"] == 400
    behaviour = target["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert behaviour["stabilizationWindowSeconds"] == 400


def test_calls_are_counted_and_held_by_the_model_s_own_host_as_long_as_its_caller_waits():
    graph = scaled()
    route = graph.one("InterceptorRoute").inputs["spec"]
    assert route["rules"] == [{"hosts": ["tiny.team"]}]
    assert route["target"] == {"service": "tiny-predictor", "port": 80}
    assert route["scalingMetric"] == {"concurrency": {"targetValue": 4}}
    assert route["timeouts"] == {"readiness": "0s", "request": "120s", "responseHeader": "120s"}
    (trigger,) = graph.one("ScaledObject").inputs["spec"]["triggers"]
    assert trigger["metadata"]["interceptorRoute"] == graph.one("InterceptorRoute").inputs["metadata"]["name"]


FOLLOWED = {**SCALING, "prometheus": "http://prometheus.monitoring.svc:9090"}


def followed(engine: str, *triggers):
    more = {} if engine == "llama.cpp" else {**VLLM, "engine": engine, "runtime": f"corral-{engine}"}
    spec = {**FOLLOWED, "triggers": [{"metric": word, "threshold": most} for word, most in triggers]}
    return scaled(**more, scaling=spec).one("ScaledObject").inputs["spec"]["triggers"]


@pytest.mark.parametrize(
    ("engine", "metric", "query", "threshold"),
    [
        ("vllm", "waiting-requests", "sum(vllm:num_requests_waiting{})", "5"),
        ("vllm", "kv-cache-usage", "sum(vllm:kv_cache_usage_perc{})", "0.05"),
        ("vllm", "generated-tokens", "sum(rate(vllm:generation_tokens_total{}[2m]))", "5"),
        ("text-embeddings", "waiting-requests", "sum(te_queue_size{})", "5"),
        ("text-embeddings", "prompt-tokens", "sum(rate(te_request_input_length_sum{}[2m]))", "5"),
        ("llama.cpp", "waiting-requests", "sum(llamacpp:requests_deferred{})", "5"),
        ("llama.cpp", "running-requests", "sum(llamacpp:requests_processing{})", "5"),
        ("llama.cpp", "prompt-tokens", "sum(rate(llamacpp:prompt_tokens_total{}[2m]))", "5"),
    ],
)
def test_a_metric_of_the_engine_is_followed_beside_the_calls_by_the_one_object(
    engine, metric, query, threshold
):
    calls, by_metric = followed(engine, (metric, 5))
    assert calls["type"] == "external-push"
    assert by_metric == {
        "type": "prometheus",
        "name": metric,
        "metadata": {
            "serverAddress": "http://prometheus.monitoring.svc:9090",
            "query": query.replace("{}", '{namespace="team",service="tiny-predictor"}'),
            "threshold": threshold,
        },
    }


def test_copies_end_only_once_one_has_shown_to_answer():
    graph = scaled()
    assert graph.one("InferenceService").urn in graph.before(graph.one("ScaledObject"))


def test_a_model_that_may_have_no_copy_is_not_waited_for_once_it_has_none():
    waits = json.loads(
        scaled().one("InferenceService").inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
    )
    assert waits == ["condition=PredictorReady", "condition=Ready"]
    patched = scaled().one("DeploymentPatch").inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert "readyReplicas" not in patched and "corral.dev/revision" in patched
    fixed = model().one("DeploymentPatch").inputs["metadata"]["annotations"]["pulumi.com/waitFor"]
    assert "readyReplicas" in fixed


def triggered(metric: str, threshold: int = 5, **more):
    scaling = {**FOLLOWED, "triggers": [{"metric": metric, "threshold": threshold}], **more}
    stated = {key: value for key, value in scaling.items() if value is not None}
    return {"replicas_max": 2, "scaling": stated}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"replicas_min": 0, "replicas_max": 2}, "replicas_min 0 is for a model with 'scaling'"),
        (
            {"replicas_min": 3, "replicas_max": 2, "scaling": SCALING},
            "replicas_min 3 is above replicas_max 2",
        ),
        ({"replicas_max": 2, "scaling": {"cooldown_seconds": 9}}, "one of 'concurrency' and 'request_rate'"),
        (triggered("waiting-requests", prometheus=None), "'prometheus' is missing"),
        ({"time_to_first_token_seconds": 2.5}, "time_to_first_token_seconds: llama.cpp does not count it"),
        (
            {**VLLM, "time_to_first_token_seconds": 2},
            "time_to_first_token_seconds: 2 is not allowed; use one of 0.1, 0.25, 0.5, 0.75, 1, 2.5",
        ),
        (
            triggered("kv-cache-usage"),
            r"tiny.scaling.triggers\[0\].metric: llama.cpp does not print kv-cache-usage; use one of "
            "running-requests, waiting-requests, prompt-tokens, generated-tokens",
        ),
        (triggered("waiting-requests", 0), r"triggers\[0\].threshold: 0 is not allowed; use 1 or more"),
    ],
)
def test_copies_that_nothing_could_bring_are_refused(change, line):
    with pytest.raises(ArgsError, match=line):
        model(**change)
