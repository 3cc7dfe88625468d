"""Batches of a stack file, as they are built with everything around them."""

import json
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
    stated["batches"] = [{"name": "nightly", "model": "chat", "schedule": "30 2 * * *"}]
    return planned(stated, STACK)


@cache
def graph_of(profile: str = PROFILES[0]) -> Graph:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KUBECONFIG", raising=False)
        unexamined(patch)
        return built_in(plan_of(profile), answers={}, computed={})


def job(graph: Graph) -> dict[str, Any]:
    spec = graph.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return {**spec, **spec["containers"][0]}


def test_a_batch_gives_way_to_models():
    assert job(graph_of())["priorityClassName"] == "corral-batch"


@pytest.mark.parametrize("profile", first_of(PROFILES))
def test_no_control_of_the_profiles_stops_a_batch(profile: str):
    plan, graph = plan_of(profile), graph_of(profile)
    found, undecided = Violations(plan, graph, {}).of(graph)
    assert found == [] and undecided == set()


@pytest.mark.parametrize(
    "wrong",
    [{"image": "docker.io/acme/tool:1"}, {"securityContext": {"privileged": True}}],
    ids=["of another registry", "privileged"],
)
def test_the_controls_see_the_pods_of_a_batch(wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    graph = graph_of()
    spec = graph.one("CronJob").inputs["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    monkeypatch.setitem(spec, "containers", [{**spec["containers"][0], **wrong}])
    found, _ = Violations(plan_of(PROFILES[0]), graph, {}).of(graph)
    assert {name for _, name, _ in found} == {"batches-nightly"}


def test_it_calls_its_models_service_in_the_tenants_namespace():
    graph = graph_of()
    (tenant,) = [one for one in plan_of(PROFILES[0]).tenants if "chat" in one.models]
    cron = graph.one("CronJob")
    assert cron.inputs["metadata"]["namespace"] == tenant.namespace
    arguments = job(graph)["args"]
    url = arguments[arguments.index("--url") + 1]
    assert url == f"http://chat-predictor.{tenant.namespace}.svc.cluster.local/v1"
    (model,) = [one for one in graph.of("InferenceService") if one.object_name == "chat"]
    assert model.urn in graph.before(cron)


def test_its_key_is_the_one_that_the_store_knows_for_the_tenants_prefix_alone():
    graph = graph_of()
    (tenant,) = [one for one in plan_of(PROFILES[0]).tenants if "chat" in one.models]
    identities = json.loads(graph.one("Secret", "model-storage-config").inputs["stringData"]["s3.json"])
    (own,) = [one for one in identities["identities"] if one["name"] == f"batch-{tenant.name}"]
    assert own["actions"] == [f"{verb}:batches/{tenant.name}/*" for verb in ("Read", "List", "Write")]
    held = graph.one("Secret", "batch-nightly").inputs["stringData"]
    (credential,) = own["credentials"]
    assert held == {
        "AWS_ACCESS_KEY_ID": credential["accessKey"],
        "AWS_SECRET_ACCESS_KEY": credential["secretKey"],
    }
    assert credential["secretKey"] not in json.dumps(graph.one("CronJob").inputs)


def test_its_bucket_is_made_as_the_one_of_models_is():
    graph = graph_of()
    ensured = [
        one.inputs["spec"]["template"]["spec"]["containers"][0]["args"][-1]
        for one in graph.of("Job")
        if "ensure" in one.inputs["spec"]["template"]["spec"]["containers"][0]["args"]
    ]
    assert sorted(ensured) == ["batches", "models"]


def test_its_image_is_the_platforms_own_from_the_mirror():
    registry = plan_of(PROFILES[0]).supply.registry
    assert registry is not None and job(graph_of())["image"].startswith(registry)
