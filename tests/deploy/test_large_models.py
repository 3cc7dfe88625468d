"""Models of kind LLMInferenceService, on one node and on several: no control stops them, and order holds."""

from functools import cache

import pytest
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import Graph
from tests.deploy.eks_stack import built_in, content, planned
from tests.deploy.violations import Violations

from corral.stacks.planning.results.plan import Plan

POOL = {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["gpu-8", "gpu-9"]}, "gpus-per-node": 8}
LARGE = {
    "name": "large",
    "model": "llama-3.1-8b",
    "kind": "LLMInferenceService",
    "pipeline-parallel": 2,
    "pool": "whole",
}


APART = {
    "name": "apart",
    "model": "llama-3.1-8b",
    "kind": "LLMInferenceService",
    "pool": "whole",
    "prefill": {"replicas": 2},
}


@cache
def plan_of() -> Plan:
    stated = content("edge")
    chat = next(one for one in stated["models"] if one["name"] == "chat")
    chat |= {"kind": "LLMInferenceService"}
    stated["gpu-pools"] = [*stated["gpu-pools"], POOL]
    stated["model-storage"] = {}
    stated["gpu-pools"][-1]["nodes"] = {"names": ["gpu-8", "gpu-9", "gpu-10"]}
    stated["tenants"] = [{"name": "plant", "data-class": "internal", "gpus": {"shared": 2, "whole": 19}}]
    stated["gateway"] = {"host": "models.example.eu"}
    del stated["budget"]
    stated["models"] = [
        *stated["models"],
        *({**one, "source": chat["source"]} for one in (LARGE, APART)),
    ]
    return planned(stated, "edge")


@cache
def graph_of() -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        unexamined(patch)
        return built_in(plan_of(), answers={}, computed={})


def test_no_control_stops_them():
    found, undecided = Violations(plan_of(), graph_of(), {}).of(graph_of())
    assert found == []
    assert undecided == set()


def test_both_controllers_and_kyvernos_news_of_the_type_come_first():
    graph = graph_of()
    served = {one.name: one for one in graph.of("LLMInferenceService")}
    assert set(served) == {"chat-service", "large-service", "apart-service"}
    for one in served.values():
        before = graph.before(one)
        assert graph.one("Release", "llm-inference-service-chart").urn in before
        assert graph.one("DeploymentPatch", "llm-inference-service-kyverno").urn in before
    sets = graph.one("Release", "lws-chart").urn
    assert sets in graph.before(served["large-service"])
    # The controller looks for the type of the sets once, as it starts.
    assert sets in graph.before(graph.one("Release", "llm-inference-service-chart"))


def test_only_the_kind_that_is_chosen_changes():
    kinds = {one.name: one.kind for one in graph_of() if one.kind.endswith("InferenceService")}
    assert kinds["embed-service"] == "InferenceService" and kinds["chat-service"] == "LLMInferenceService"


def test_prompts_are_read_apart_where_the_plan_has_it():
    graph = graph_of()
    served = {one.name: one.inputs["spec"] for one in graph.of("LLMInferenceService")}
    assert [name for name, spec in served.items() if "prefill" in spec] == ["apart-service"]
    spec = served["apart-service"]
    (model,) = [one for one in plan_of().models if one.name == "apart"]
    assert model.prefill is not None
    decode, prefill = spec["template"]["containers"][0], spec["prefill"]["template"]["containers"][0]
    assert (decode["args"], prefill["args"]) == (list(model.args), list(model.prefill.args))
    assert spec["prefill"]["replicas"] == 2
    routes = [one.inputs["spec"]["rules"] for one in graph.of("HTTPRoute")]
    led = [rule for rules in routes for rule in rules if "apart-decode" in str(rule.get("backendRefs"))]
    assert led and all("apart-prefill.plant.svc.cluster.local:8000" in str(rule["filters"]) for rule in led)
