"""PriorityClasses: what they let pods of the platform take of each other, and of nobody else."""

from itertools import pairwise

from tests.components.harness import build
from tests.components.test_model import model, predictor

from corral.components.priority_classes import PriorityClasses

DEFAULT = 0
"""Priority of pods that name no class."""
EXPENDABLE = -10
"""The cluster autoscaler's default, below which it adds no node."""
STRONGEST = 1_000_000_000
"""The highest value that is not the system's."""


def made():
    graph = build(lambda: PriorityClasses("classes", {}))
    classes = {one.object_name: one.inputs for one in graph.of("PriorityClass")}
    return {key: classes[name] for key, name in graph.one("PriorityClasses").outputs["names"].items()}


def test_models_go_by_their_word_and_imports_and_batches_give_way_to_all():
    values = [made()[key]["value"] for key in ("high", "normal", "low", "batch")]
    assert all(higher > lower for higher, lower in pairwise(values))


def test_no_pod_of_somebody_else_is_preempted_that_would_not_be_without_the_platform():
    for one in made().values():
        assert one["preemptionPolicy"] == "Never" or one["value"] <= DEFAULT


def test_a_model_without_a_word_is_scheduled_as_pods_without_a_class():
    assert (made()["normal"]["value"], made()["normal"]["preemptionPolicy"]) == (
        DEFAULT,
        "PreemptLowerPriority",
    )


def test_nodes_are_added_for_every_class_and_none_outranks_the_system_s():
    assert all(EXPENDABLE <= one["value"] < STRONGEST for one in made().values())


def test_no_class_becomes_that_of_pods_that_name_none():
    assert not [one for one in made().values() if one.get("globalDefault")]


def test_classes_are_named_after_the_platform_since_they_are_the_cluster_s():
    graph = build(lambda: PriorityClasses("classes", {}))
    assert {one.object_name.split("-")[0] for one in graph.of("PriorityClass")} == {"corral"}


def test_replicas_and_the_import_of_a_model_have_the_class_that_each_was_given():
    graph = model(priority_class="corral-high", import_priority_class="corral-batch")
    assert predictor(graph)["priorityClassName"] == "corral-high"
    assert graph.one("Job").inputs["spec"]["template"]["spec"]["priorityClassName"] == "corral-batch"


def test_a_model_without_classes_names_none():
    assert "priorityClassName" not in predictor(model())
    assert "priorityClassName" not in model().one("Job").inputs["spec"]["template"]["spec"]
