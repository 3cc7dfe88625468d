"""Replicas of a model while nodes come and go: where they run, and how many of them are evicted at a time."""

import json

import pytest
from tests.components.test_model import model, predictor

SERVICE = {"serving.kserve.io/inferenceservice": "tiny"}


def test_replicas_are_spread_over_zones_and_nodes_for_each_revision_by_itself():
    constraints = predictor(model(replicas_min=2))["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in constraints] == [
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
    ]
    for one in constraints:
        assert (one["maxSkew"], one["matchLabelKeys"]) == (1, ["pod-template-hash"])
        assert one["labelSelector"] == {"matchLabels": SERVICE}


def test_no_replica_waits_for_a_node_of_its_own():
    """All devices of a plan may be those of one node."""
    constraints = predictor(model(replicas_min=2))["topologySpreadConstraints"]
    assert {one["whenUnsatisfiable"] for one in constraints} == {"ScheduleAnyway"}


def test_another_number_of_replicas_leaves_pods_as_they_are():
    one, several = (predictor(model(replicas_max=most)) for most in (1, 4))
    seen = ("minReplicas", "deploymentStrategy")
    assert {key: value for key, value in one.items() if key not in seen} == {
        key: value for key, value in several.items() if key not in seen
    }


@pytest.mark.parametrize("replicas", [{"replicas_min": 2}, {"replicas_min": 1, "replicas_max": 4}])
def test_one_replica_of_several_is_evicted_at_a_time_and_a_broken_one_always(replicas):
    budget = model(**replicas).one("PodDisruptionBudget")
    assert budget.namespace == "team"
    assert budget.inputs["spec"] == {
        "maxUnavailable": 1,
        "selector": {"matchLabels": SERVICE},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }


def test_a_model_that_is_scaled_from_none_has_a_budget_too():
    scaling = {"concurrency": 4, "cooldown_seconds": 300, "keda": "keda"}
    assert model(replicas_min=0, replicas_max=3, scaling=scaling).of("PodDisruptionBudget")


def test_the_only_replica_of_a_model_keeps_no_node_from_being_drained():
    assert model().of("PodDisruptionBudget") == []


def test_an_import_is_no_replica_of_the_model():
    labels = json.dumps(model().one("Job", "tiny-import").inputs["spec"]["template"]["metadata"]["labels"])
    assert "serving.kserve.io/inferenceservice" not in labels
