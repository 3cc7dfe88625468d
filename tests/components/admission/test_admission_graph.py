"""Admission registers each control twice, with the text that CrossGuard evaluates."""

import subprocess
import sys
from typing import Any

import pytest
from tests.components.harness import build

from corral.components._kit import ArgsError
from corral.components.admission import Admission
from corral.controls.register import control

IDS = ["SOV-MOD-01", "SOV-MOD-03", "SOV-SUP-01", "SOV-SUP-02"]


def built(**args: Any) -> Any:
    given: Any = {"controls": IDS, "profile": "open", **args}
    return build(lambda: Admission("admission", given))


def test_each_control_is_enforced_natively_and_by_kyverno_with_the_same_text() -> None:
    graph = built()
    for identity in IDS:
        text = control(identity).rule.expression
        for kind in ("ValidatingAdmissionPolicy", "ValidatingPolicy"):
            policy = graph.one(kind, identity.lower()).inputs["spec"]
            assert policy["validations"][0]["expression"] == text
            assert policy["validations"][0]["message"].startswith(identity)
            assert policy["failurePolicy"] == "Fail"


def test_what_the_profile_only_reports_denies_nobody() -> None:
    graph = built()
    actions = {
        b.inputs["spec"]["policyName"]: b.inputs["spec"]["validationActions"]
        for b in graph.of("ValidatingAdmissionPolicyBinding")
    }
    assert actions["sov-sup-02"] == ["Warn", "Audit"] and actions["sov-sup-01"] == ["Deny"]
    assert graph.one("ValidatingPolicy", "sov-sup-02").inputs["spec"]["validationActions"] == ["Audit"]


def test_a_debug_container_cannot_slip_past() -> None:
    spec = built().one("ValidatingAdmissionPolicy", "sov-sup-01").inputs["spec"]
    named = [r for rule in spec["matchConstraints"]["resourceRules"] for r in rule["resources"]]
    assert "pods/ephemeralcontainers" in named


def test_either_side_can_be_switched_off() -> None:
    assert not built(kyverno=False).of("ValidatingPolicy")
    assert not built(kyverno=False).of("GeneratingPolicy")
    assert not built(native=False).of("ValidatingAdmissionPolicy")


def selectors(graph: Any, kind: str) -> list[dict[str, Any]]:
    specs = [one.inputs["spec"] for one in graph.of(kind)]
    return [spec["matchConstraints"].get("namespaceSelector") for spec in specs]


KINDS = ("ValidatingPolicy", "GeneratingPolicy", "MutatingPolicy")
LABELLED = {"key": "corral.dev/policies", "operator": "In", "values": ["enforced"]}


def test_every_policy_holds_in_labelled_namespaces_alone_unless_the_cluster_is_chosen() -> None:
    graph = built(pod_security="restricted")
    for kind in KINDS:
        found = selectors(graph, kind)
        assert found and all(LABELLED in one["matchExpressions"] for one in found), kind
    native = {one.object_name: one.inputs["spec"] for one in graph.of("ValidatingAdmissionPolicy")}
    for identity in IDS:
        constraints = native[identity.lower()]["matchConstraints"]
        assert LABELLED in constraints["namespaceSelector"]["matchExpressions"]


def test_a_scope_of_the_whole_cluster_spares_the_listed_namespaces_and_kube_system() -> None:
    graph = built(scope="cluster", exempt_namespaces=["shop"], pod_security="restricted")
    spared = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "shop"]}
    for kind in KINDS:
        found = selectors(graph, kind)
        assert found and all(spared in one["matchExpressions"] for one in found), kind
        assert not any(LABELLED in one["matchExpressions"] for one in found), kind


def test_exemptions_without_the_scope_that_they_need_are_refused() -> None:
    with pytest.raises(ArgsError, match=r"admission\.exempt_namespaces.*scope 'cluster'"):
        built(exempt_namespaces=["shop"])


def test_objects_outside_namespaces_are_in_scope_where_kserve_is_this_platforms() -> None:
    def plurals(**args: Any) -> set[str]:
        spec = built(**args).one("ValidatingPolicy", "sov-sup-01").inputs["spec"]
        return {one for rule in spec["matchConstraints"]["resourceRules"] for one in rule["resources"]}

    assert "clusterservingruntimes" in plurals()
    others = plurals(own_serving=False)
    assert not {"clusterservingruntimes", "localmodelcaches"} & others and "inferenceservices" in others


def test_stores_of_the_whole_cluster_are_in_scope_where_the_cluster_is() -> None:
    def plurals(**args: Any) -> set[str]:
        spec = built(controls=["SOV-KEY-14"], **args).one("ValidatingPolicy", "sov-key-14").inputs["spec"]
        return {one for rule in spec["matchConstraints"]["resourceRules"] for one in rule["resources"]}

    assert plurals() == {"secretstores"}, "others' are left alone"
    assert plurals(scope="cluster") == {"secretstores", "clustersecretstores"}


def test_a_namespace_gets_a_pod_security_level_where_the_profile_has_one() -> None:
    assert not built().of("MutatingPolicy")
    spec = built(pod_security="restricted").one("MutatingPolicy").inputs["spec"]
    text = spec["mutations"][0]["jsonPatch"]["expression"]
    assert "'pod-security.kubernetes.io/enforce' in object.metadata.labels ? []" in text
    assert 'pod-security.kubernetes.io~1enforce", value: "restricted"' in text


def test_namespaces_that_were_there_are_not_changed_where_the_cluster_is_in_scope() -> None:
    def operations(**args: Any) -> list[str]:
        spec = built(**args).one("GeneratingPolicy").inputs["spec"]
        return spec["matchConstraints"]["resourceRules"][0]["operations"]

    assert operations(scope="cluster") == ["CREATE"]
    assert operations() == ["CREATE", "UPDATE"], "one that opts in later is closed, too"


def test_a_control_about_cloud_resources_is_refused_by_name() -> None:
    with pytest.raises(ArgsError, match=r"SOV-NET-01.*no admission side"):
        build(lambda: Admission("a", {"controls": ["SOV-NET-01"], "profile": "open"}))


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArgsError, match=r"eu-residnt.*eu-resident"):
        build(lambda: Admission("a", {"controls": IDS, "profile": "eu-residnt"}))


def test_rules_are_handed_to_an_api_server_without_the_runtime_that_evaluates_them() -> None:
    told = "import sys, corral.components.admission; print('cel_expr_python' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
