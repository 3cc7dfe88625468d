"""Admission registers each control twice, with the text that CrossGuard evaluates."""

from typing import Any

import pytest
from tests.components.harness import build

from corral.components._kit import ArgsError
from corral.components.admission import Admission
from corral.controls.register import control

IDS = ["SOV-MOD-01", "SOV-MOD-03", "SOV-SUP-01", "SOV-SUP-02"]


def built(**args: Any) -> Any:
    return build(lambda: Admission("admission", {"controls": IDS, "profile": "open", **args}))


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


def test_a_control_about_cloud_resources_is_refused_by_name() -> None:
    with pytest.raises(ArgsError, match=r"SOV-NET-01.*no admission side"):
        build(lambda: Admission("a", {"controls": ["SOV-NET-01"], "profile": "open"}))


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ArgsError, match=r"eu-residnt.*eu-resident"):
        build(lambda: Admission("a", {"controls": IDS, "profile": "eu-residnt"}))
