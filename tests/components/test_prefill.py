"""A model whose prompts other replicas read: both sides of its object, their Services, who reaches whom."""

import json

import pytest
from tests.components.harness import build
from tests.components.test_llm_service import GROUP, served, spec_of
from tests.components.test_model import SUM

from corral.catalogue.images import image
from corral.components._kit import ArgsError
from corral.components.gateway import Gateway
from corral.components.tenancy.policies import closed, within

APART = {
    "engine": "vllm",
    "runtime": "corral-vllm",
    "arguments": ["--tensor-parallel-size", "2"],
    "files": [{"name": "model.safetensors", "sha256": SUM}],
    "claim": {"device_class": "gpu.nvidia.com", "count": 2},
    "pool": "decode",
    "replicas_min": 2,
    "memory_gib": 20,
    "prefill": {
        "arguments": ["--tensor-parallel-size", "4"],
        "replicas": 3,
        "claim": {"device_class": "gpu.nvidia.com", "count": 4},
        "pool": "prefill",
        "memory_gib": 30,
    },
}


def apart(**more):
    return served(**{**APART, **more})


def sides(graph):
    """Decode pod and prefill pod."""
    spec = spec_of(graph)
    return spec["template"], spec["prefill"]["template"]


def servers(graph):
    return tuple(one for pod in sides(graph) for one in pod["containers"])


def said(container):
    return dict(zip(container["args"], container["args"][1:], strict=False))


def test_each_side_has_its_number_pool_memory_and_arguments():
    graph = apart()
    spec, (decode, prefill) = spec_of(graph), servers(graph)
    assert (spec["replicas"], spec["prefill"]["replicas"]) == (2, 3)
    pools = [pod["nodeSelector"]["corral.dev/pool"] for pod in sides(graph)]
    assert pools == ["decode", "prefill"]
    assert [one["resources"]["limits"]["memory"] for one in (decode, prefill)] == ["20Gi", "30Gi"]
    assert [said(one)["--tensor-parallel-size"] for one in (decode, prefill)] == ["2", "4"]


def test_each_side_claims_devices_of_its_own():
    graph = apart()
    templates = {one.object_name: one.inputs["spec"] for one in graph.of("ResourceClaimTemplate")}
    assert len(templates) == 2
    counts = [
        templates[pod["resourceClaims"][0]["resourceClaimTemplateName"]]["spec"]["devices"]["requests"][0][
            "exactly"
        ]["count"]
        for pod in sides(graph)
    ]
    assert counts == [2, 4]
    equal = apart(prefill={"claim": APART["claim"]})
    assert len({one.object_name for one in equal.of("ResourceClaimTemplate")}) == 2


def test_devices_of_a_plugin_are_asked_for_by_either_side():
    resource = {"name": "nvidia.com/gpu", "count": 1}
    graph = apart(claim=None, resource=resource, prefill={"resource": {**resource, "count": 2}})
    assert [one["resources"]["limits"]["nvidia.com/gpu"] for one in servers(graph)] == ["1", "2"]
    assert graph.of("ResourceClaimTemplate") == []


def test_what_is_omitted_is_as_the_model_has_it():
    graph = apart(prefill={})
    decode, prefill = sides(graph)
    assert decode["nodeSelector"] == prefill["nodeSelector"]
    assert spec_of(graph)["prefill"]["replicas"] == 1
    assert servers(graph)[1]["resources"]["limits"]["memory"] == "20Gi"


def test_both_sides_bring_and_verify_the_same_files():
    decode, prefill = sides(apart())
    assert decode["initContainers"][0] == prefill["initContainers"][0]
    assert decode["initContainers"][0]["args"].count(f"model.safetensors={SUM}") == 1
    assert decode["serviceAccountName"] == prefill["serviceAccountName"]
    assert not decode["automountServiceAccountToken"] and not prefill["automountServiceAccountToken"]


def test_the_decode_server_is_behind_a_sidecar_that_has_the_port_of_every_model():
    graph = apart()
    (decode, _), (server, reading) = sides(graph), servers(graph)
    sidecar = decode["initContainers"][-1]
    assert (
        sidecar["image"].startswith(image("routing-sidecar").pinned) and sidecar["restartPolicy"] == "Always"
    )
    assert {"--port=8000", "--vllm-port=8001", "--secure-proxy=false"} <= set(sidecar["args"])
    assert [one["containerPort"] for one in sidecar["ports"]] == [8000]
    assert (said(server)["--port"], said(reading)["--port"]) == ("8001", "8000")
    for container, port in ((server, 8001), (reading, 8000)):
        assert [one["containerPort"] for one in container["ports"]] == [port]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] == port
    assert sidecar["readinessProbe"]["httpGet"]["port"] == 8000


def test_the_sidecar_has_the_rights_of_nobody():
    sidecar = sides(apart())[0]["initContainers"][-1]
    # By this name KServe would let its account read every pod of the namespace.
    assert sidecar["name"] != "llm-d-routing-sidecar"
    context = sidecar["securityContext"]
    assert context["runAsNonRoot"] and context["readOnlyRootFilesystem"]
    assert context["capabilities"] == {"drop": ["ALL"]} and not context["allowPrivilegeEscalation"]
    assert "sidecar" not in json.dumps(sides(apart())[1])


def test_each_server_tells_the_other_side_its_own_address_and_port():
    for server in servers(apart()):
        known = {one["name"]: one for one in server["env"]}
        field = known["VLLM_NIXL_SIDE_CHANNEL_HOST"]["valueFrom"]["fieldRef"]["fieldPath"]
        assert field == "status.podIP"
        assert known["VLLM_NIXL_SIDE_CHANNEL_PORT"]["value"] == "5600"
    assert "VLLM_NIXL" not in json.dumps(spec_of(served()))


def test_either_side_is_told_its_part_where_its_arguments_do_not():
    roles = [json.loads(said(one)["--kv-transfer-config"])["kv_role"] for one in servers(apart())]
    assert roles == ["kv_consumer", "kv_producer"]
    own = '{"kv_connector": "NixlConnector", "kv_role": "kv_both"}'
    prefill = {**APART["prefill"], "arguments": ["--kv-transfer-config", own]}
    (_, reading) = servers(apart(prefill=prefill))
    assert reading["args"].count("--kv-transfer-config") == 1 and said(reading)["--kv-transfer-config"] == own


def test_its_services_lead_to_one_side_each_where_kserves_own_leads_to_both():
    graph = apart()
    services = {one.object_name: one for one in graph.of("Service")}
    assert set(services) == {"tiny-decode", "tiny-prefill"}
    for role in ("decode", "prefill"):
        spec = services[f"tiny-{role}"].inputs["spec"]
        assert spec["selector"]["llm-d.ai/role"] == role
        assert spec["selector"]["app.kubernetes.io/name"] == "tiny"
        assert [(one["name"], one["port"], one["targetPort"]) for one in spec["ports"]] == [
            ("http", 8000, 8000)
        ]
        # Pulumi waits for the pods of a Service.
        assert graph.one("LLMInferenceService").urn in graph.before(services[f"tiny-{role}"])
    assert graph.one("Model").outputs["url"] == "http://tiny-decode.team.svc.cluster.local:8000/v1"
    assert served().of("Service") == []


def test_pods_of_either_side_have_our_labels_and_are_spread_and_evicted_for_themselves():
    graph = apart(tenant="team")
    spec = spec_of(graph)
    assert spec["prefill"]["labels"] == {**spec["labels"], "corral.dev/pool": "prefill"}
    assert spec["labels"]["corral.dev/pool"] == "decode"
    for role, pod in zip(("decode", "prefill"), sides(graph), strict=True):
        for one in pod["topologySpreadConstraints"]:
            assert one["labelSelector"]["matchLabels"]["llm-d.ai/role"] == role
    budgets = {one.object_name: one.inputs["spec"] for one in graph.of("PodDisruptionBudget")}
    selected = {name: one["selector"]["matchLabels"]["llm-d.ai/role"] for name, one in budgets.items()}
    assert selected == {"tiny": "decode", "tiny-prefill": "prefill"}
    assert "tiny-prefill" not in {one.object_name for one in apart(prefill={}).of("PodDisruptionBudget")}


def test_both_sides_wait_in_the_queue_of_the_tenant():
    # KServe passes it on to both Deployments (`propagateDeploymentMetadata`).
    labels = apart(queue="gpus").one("LLMInferenceService").inputs["metadata"]["labels"]
    assert labels["kueue.x-k8s.io/queue-name"] == "gpus"


def test_another_pod_of_either_side_makes_the_service_anew():
    replaced = apart().one("LLMInferenceService").replaced_on
    assert {"spec.template", "spec.prefill.template", "spec.prefill.labels"} <= set(replaced)
    assert "spec.prefill" not in replaced and "spec.prefill.replicas" not in replaced


def test_alerts_and_dashboard_see_both_sides_and_scrape_each_once():
    graph = apart(monitor_types="there")
    rules = json.dumps(graph.one("PrometheusRule").inputs).replace('\\"', '"')
    assert 'deployment="tiny-kserve"} < 1 or' in rules and 'deployment="tiny-kserve-prefill"} < 1' in rules
    assert 'service=~"tiny-decode|tiny-prefill"' in rules
    dashboard = json.dumps(graph.one("ConfigMap").inputs)
    assert "Prefill: requests" in dashboard and "tiny-prefill" in dashboard
    monitored = graph.one("ServiceMonitor").inputs["spec"]["selector"]["matchLabels"]
    ours = [one.inputs["metadata"]["labels"] for one in graph.of("Service")]
    assert all(monitored.items() <= labels.items() for labels in ours)
    # The Service of KServe's has these, and a `part-of` of its own.
    assert not monitored.items() <= {**spec_of(graph)["labels"], "app.kubernetes.io/part-of": "x"}.items()


def routes_of(namespace, **more):
    args = {
        "supply": {},
        "host": "models.example.eu",
        "controller": "envoy-gateway-system",
        "cert_manager": "cert-manager",
        "monitors": False,
    }
    tenant = {"name": "team", "namespace": namespace, "models": ["tiny", "other"], "requests_per_minute": 60}
    names = {"llm_services": ["tiny", "other"], "disaggregated": ["tiny"]}
    graph = build(lambda: Gateway("gateway", {**args, "tenants": [{**tenant, **names, **more}]}))
    rules = [rule for one in graph.of("HTTPRoute") for rule in one.inputs["spec"]["rules"]]
    return {
        backend["name"]: next(
            one["requestHeaderModifier"] for one in rule["filters"] if one["type"] == "RequestHeaderModifier"
        )
        for rule in rules
        for backend in rule.get("backendRefs", [])
    }


def test_the_gateway_names_the_prefill_service_and_leaves_callers_no_say():
    shown = routes_of("space")
    assert set(shown) == {"tiny-decode", "other-kserve-workload-svc"}
    # `set` writes over what a caller sends.
    (header,) = shown["tiny-decode"]["set"]
    assert header == {
        "name": "x-prefiller-host-port",
        "value": "tiny-prefill.space.svc.cluster.local:8000",
    }
    assert shown["tiny-decode"]["remove"] == ["Authorization"]
    assert shown["other-kserve-workload-svc"] == {"remove": ["Authorization"]}


def test_a_tenant_whose_traffic_is_closed_lets_both_sides_meet_and_nobody_else():
    # NIXL's data goes by ports that UCX picks: all of them, between pods of the tenant's namespace alone.
    assert closed() == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (inwards,), (outwards,) = within()["ingress"], within()["egress"]
    assert inwards == {"from": [{"podSelector": {}}]} and outwards == {"to": [{"podSelector": {}}]}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "InferenceService"}, "tiny.prefill: is for kind LLMInferenceService and engine vllm"),
        ({"engine": "llama.cpp"}, "tiny.prefill: is for kind LLMInferenceService and engine vllm"),
        ({"nodes": 2, "lws": "lws"}, "tiny.nodes: does not go with 'prefill'"),
        (
            {"replicas_max": 2, "scaling": {"concurrency": 1, "cooldown_seconds": 300, "keda": "keda"}},
            "tiny.scaling: does not go with 'prefill'",
        ),
        ({"time_to_first_token_seconds": 1.0}, "tiny.time_to_first_token_seconds: does not go with"),
        ({"arguments": ["--port", "8000"]}, "--port 8000 is not allowed; callers and probes use 8001"),
        (
            {"prefill": {"arguments": ["--port", "8001"]}},
            r"tiny.prefill.arguments: --port 8001 is not allowed; callers and probes use 8000",
        ),
        (
            {"prefill": {"claim": APART["claim"], "resource": {"name": "nvidia.com/gpu"}}},
            "tiny.prefill: give one of 'claim'",
        ),
        ({"prefill": {"replicas": 0}}, "replicas"),
        ({"prefill": {"replica": 2}}, "replica"),
    ],
)
def test_arguments_with_which_no_prompt_would_be_handed_over_are_refused(change, named):
    with pytest.raises(ArgsError, match=named):
        apart(**change)


def test_a_group_of_nodes_keeps_its_own_service():
    assert served(**GROUP).of("Service") == []
