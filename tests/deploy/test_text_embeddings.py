"""An embedding model by Text Embeddings Inference, as it is built with everything around it."""

from functools import cache
from typing import Any

import pytest
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import Graph
from tests.deploy.eks_stack import built_in, content, planned
from tests.deploy.violations import Violations
from tests.marks import first_of

from corral.stacks.planning.results.plan import Plan

STACK = "edge"
PROFILES = ("air-gapped", "eu-resident")


@cache
def plan_of(profile: str) -> Plan:
    stated = content(STACK)
    stated["sovereignty"]["profile"] = profile
    (embed,) = [one for one in stated["models"] if one["name"] == "embed"]
    embed["engine"] = "text-embeddings"
    embed.pop("context", None)
    return planned(stated, STACK)


@cache
def graph_of(profile: str = PROFILES[0]) -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        unexamined(patch)
        return built_in(plan_of(profile), answers={}, computed={})


def served() -> dict[str, Any]:
    return graph_of().one("InferenceService", "embed").inputs["spec"]["predictor"]


@pytest.mark.parametrize("profile", first_of(PROFILES))
def test_no_control_of_the_profiles_stops_it(profile: str):
    plan, graph = plan_of(profile), graph_of(profile)
    found, undecided = Violations(plan, graph, {}).of(graph)
    assert found == [] and undecided == set()


def test_the_controls_see_a_model_of_a_hub_in_the_place_of_its_files(monkeypatch: pytest.MonkeyPatch):
    graph, model = graph_of(), served()["model"]
    swapped = ["BAAI/bge-m3" if one == "/mnt/models" else one for one in model["args"]]
    monkeypatch.setitem(model, "args", swapped)
    found, _ = Violations(plan_of(PROFILES[0]), graph, {}).of(graph)
    assert "SOV-MOD-02" in {control for control, *_ in found}


def test_it_has_the_verified_files_read_only_and_the_runtime_of_its_image_by_digest():
    predictor = served()
    assert predictor["model"]["runtime"] == "corral-text-embeddings"
    assert all(one["readOnly"] for one in predictor["model"]["volumeMounts"])
    runtime = graph_of().one("ClusterServingRuntime", "corral-text-embeddings").inputs["spec"]
    (container,) = runtime["containers"]
    assert "huggingface/text-embeddings-inference" in container["image"]
    assert container["startupProbe"]["httpGet"]["path"] == "/health"
    assert "command" not in container, "the image's own script starts the program of the GPU"
