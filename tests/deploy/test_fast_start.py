"""The committed stack of a small site, whose node keeps models, images and streams: no control stops it."""

from functools import cache

import pytest
from tests.components.existing_cluster.clusters import unexamined
from tests.components.harness import Graph
from tests.deploy.eks_stack import built_in, content, planned
from tests.deploy.violations import Violations
from tests.marks import first_of

from corral.stacks.planning.results.plan import Plan

PROFILES = ("air-gapped", "eu-resident")


@cache
def plan_of(profile: str = "air-gapped") -> Plan:
    stated = content("edge")
    stated["sovereignty"]["profile"] = profile
    for pool in stated["gpu-pools"]:
        pool["pre-pull"] = True
    for model in stated["models"]:
        model |= {"local-cache": True, "load": "stream"}
    return planned(stated, "edge")


@cache
def graph_of(profile: str = "air-gapped") -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        unexamined(patch)
        return built_in(plan_of(profile), answers={}, computed={})


@pytest.mark.parametrize("profile", first_of(PROFILES))
def test_no_control_stops_what_nodes_keep(profile: str):
    found, undecided = Violations(plan_of(profile), graph_of(profile), {}).of(graph_of(profile))
    assert found == []
    assert undecided == set()


def test_each_model_has_a_cache_of_its_files_where_its_pods_look_for_it():
    graph, made = graph_of(), plan_of()
    caches = {one.object_name: one.inputs["spec"] for one in graph.of("LocalModelCache")}
    for model in made.models:
        spec = caches[model.storage_path]
        assert spec["sourceModelUri"].endswith(f"/{model.storage_path}")
        assert spec["nodeGroups"] == [model.pool]
        served = graph.one("InferenceService", f"{model.name}-service").inputs["spec"]["predictor"]
        claims = [one["persistentVolumeClaim"]["claimName"] for one in served["volumes"]]
        assert claims == [f"{model.storage_path}-{model.pool}"]
    assert len(caches) == len(made.models)


def test_the_cache_is_there_before_models_and_after_what_it_stands_on():
    graph = graph_of()
    controllers = graph.one("Release", "model-cache-chart")
    before = graph.before(controllers)
    assert graph.one("Release", "kserve-chart").urn in before
    for one in graph.of("LocalModelCache"):
        assert controllers.urn in graph.before(one)


def test_downloads_run_where_imports_do_and_the_node_is_labelled_for_them():
    graph = graph_of()
    values = graph.one("Release", "kserve-chart").inputs["values"]["kserve"]
    assert values["localmodel"]["jobNamespace"] == graph.of("Job")[0].namespace
    (node,) = graph.of("NodePatch")
    assert node.inputs["metadata"]["labels"]["kserve/localmodel"] == "worker"


def test_the_node_holds_the_images_of_its_engines():
    daemon = graph_of().one("DaemonSet")
    images = [one["image"] for one in daemon.inputs["spec"]["template"]["spec"]["containers"]]
    assert any("vllm" in one for one in images) and all("@sha256:" in one for one in images)
