"""Pods with classified data are made to run in the profile's regions, and nobody says where a node is."""

from typing import Any

import pytest
from tests.components.admission.guarded import patched, refusals
from tests.components.harness import build

from corral.components.admission import Admission
from corral.components.admission.guards import guards
from corral.components.admission.regions import MOST_TERMS, regions
from corral.controls.evaluate import evaluate_object
from corral.controls.profiles import profile
from corral.controls.register import control
from corral.controls.residency.res_06 import REGION_LABEL, places
from corral.controls.scope import Scope

LIMITS = profile("eu-controlled", region="eu-central-1")
SPEC = regions(Scope(), places(LIMITS))
OTHER = {"key": "pool", "operator": "In", "values": ["slices"]}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def pod(affinity: Any = None) -> dict[str, Any]:
    spec: dict[str, Any] = {"containers": [{"name": "c", "image": "a"}]}
    return {
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": spec | ({"affinity": affinity} if affinity is not None else {}),
    }


def requiring(*terms: Any) -> dict[str, Any]:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


def mutated(subject: dict[str, Any]) -> dict[str, Any]:
    return patched(SPEC, subject)


@pytest.mark.parametrize(
    "affinity",
    [
        None,
        {},
        {"podAntiAffinity": {}},
        {"nodeAffinity": {}},
        {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        requiring({"matchExpressions": [OTHER]}),
        requiring(
            {"matchExpressions": [OTHER]},
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n"]}]},
        ),
    ],
)
def test_a_pod_that_may_run_anywhere_is_made_to_run_in_the_region_and_keeps_what_it_demands(
    affinity: Any,
) -> None:
    placed = control("SOV-RES-06")
    before, after = pod(affinity), mutated(pod(affinity))
    assert evaluate_object(placed, before, LIMITS) and not evaluate_object(placed, after, LIMITS)
    terms = after["spec"]["affinity"]["nodeAffinity"][REQUIRED]["nodeSelectorTerms"]
    kept = (affinity or {}).get("nodeAffinity", {}).get(REQUIRED, {}).get("nodeSelectorTerms", [])
    assert len(terms) == max(1, len(kept))
    assert all(
        one.items() <= {**term, "matchExpressions": term["matchExpressions"][:-1]}.items()
        or "matchFields" in one
        for one, term in zip(kept, terms, strict=False)
    )


def test_a_pod_with_more_terms_than_are_changed_is_refused() -> None:
    many = pod(requiring(*({"matchExpressions": [OTHER]} for _ in range(MOST_TERMS + 1))))
    assert evaluate_object(control("SOV-RES-06"), mutated(many), LIMITS)


def admission(name: str) -> Any:
    args: Any = {"controls": ["SOV-RES-06", "SOV-GOV-02"], "profile": name}
    return build(lambda: Admission("admission", args))


def test_the_affinity_and_the_guard_of_nodes_come_where_the_profile_stops_and_not_where_it_reports() -> None:
    for name, there in (
        ("open", False),
        ("eu-resident", False),
        ("eu-controlled", True),
        ("air-gapped", True),
    ):
        graph = admission(name)
        assert (
            bool([one for one in graph.of("MutatingPolicy") if one.object_name == "corral-regions"]) is there
        )
        assert (
            bool([one for one in graph.of("ValidatingAdmissionPolicy") if one.object_name == "corral-places"])
            is there
        )


def test_a_policy_of_namespaces_is_about_them_where_the_rest_of_the_cluster_is_anothers() -> None:
    args: Any = {"controls": ["SOV-GOV-02"], "profile": "air-gapped", "own_serving": False}
    for kind in ("ValidatingAdmissionPolicy", "ValidatingPolicy"):
        spec = build(lambda: Admission("admission", args)).one(kind, "sov-gov-02").inputs["spec"]
        assert [rule["resources"] for rule in spec["matchConstraints"]["resourceRules"]] == [["namespaces"]]


GUARD = next(one for one in guards(Scope(), None, "kyverno", LIMITS) if one.name == "corral-places").policy
HERE = {REGION_LABEL: "eu-central-1", "pool": "slices"}


def node(labels: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": "n", "labels": labels}}


@pytest.mark.parametrize(
    "labels",
    [
        {**HERE, REGION_LABEL: "us-east-1"},
        {"pool": "slices"},
        {**HERE, "topology.kubernetes.io/zone": "eu-central-1a"},
        {**HERE, "example.com/jurisdiction": "eu"},
        {**HERE, "failure-domain.beta.kubernetes.io/region": "eu-central-1"},
    ],
)
def test_nobody_but_the_cluster_says_where_a_node_is(labels: dict[str, str]) -> None:
    old, new = node(HERE), node(labels)
    assert refusals(GUARD, new, old)
    assert refusals(GUARD, new, old, user="system:serviceaccount:team-a:default")
    assert not refusals(GUARD, new, old, administrator=True)
    assert not refusals(GUARD, new, old, user="system:cloud-controller-manager")
    assert not refusals(GUARD, new, old, user="system:serviceaccount:kube-system:node-controller")


def test_a_kubelet_says_where_it_is_when_it_comes_and_never_again() -> None:
    kubelet = {"user": "system:node:n"}
    assert not refusals(GUARD, node(HERE), None, **kubelet)
    assert not refusals(GUARD, node(HERE), node({"pool": "slices"}), **kubelet)
    assert refusals(GUARD, node({**HERE, REGION_LABEL: "us-east-1"}), node(HERE), **kubelet)
    assert refusals(GUARD, node({"pool": "slices"}), node(HERE), **kubelet)


def test_other_labels_of_a_node_are_anybodys_and_its_status_is_no_way_round() -> None:
    assert not refusals(GUARD, node({**HERE, "pool": "whole"}), node(HERE))
    named = [one for rule in GUARD["matchConstraints"]["resourceRules"] for one in rule["resources"]]
    assert named == ["nodes", "nodes/status"]
