"""Each control gives each of its cases the verdict that the case expects."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from corral.controls.budget import parse_budget
from corral.controls.control import Case, Control, ObjectRule, Resource, Undecided, Verdict
from corral.controls.enforcement import level, stops
from corral.controls.evaluate import evaluate_object, evaluate_resource
from corral.controls.levels import Level, Severity
from corral.controls.page import PROFILE_PAGES, profile_page
from corral.controls.pods.pod_01 import USER_NAMESPACES
from corral.controls.portability.off_02 import LOCKED
from corral.controls.profiles import PROFILES, Profile, profile
from corral.controls.register import CONTROLS, control
from corral.controls.workloads import workloads

NARROWED = {
    "budget": replace(
        profile("eu-resident", region="eu-north-1"),
        budget=parse_budget({"monthly": 50_000, "currency": "USD"}),
    ),
    "eusc": profile("eu-resident", region="eusc-de-east-1"),
    "gcp": profile("eu-resident", region="europe-west3"),
    "site": profile("eu-resident", region="fra-1", country="DE"),
    "locked": LOCKED,
    "mirrored": profile("eu-resident", registry="registry.example.eu"),
    **{
        f"1.{minor}": replace(PROFILES["eu-resident"], kubernetes=minor)
        for minor in (34, USER_NAMESPACES, 37)
    },
}


def constraints(case: Case) -> Profile:
    return replace(NARROWED.get(case.profile) or PROFILES[case.profile], stores=case.stores)


def verdict(control: Control, case: Case) -> Verdict:
    try:
        if isinstance(control.rule, ObjectRule):
            found = evaluate_object(control, case.subject, constraints(case))
        else:
            assert isinstance(case.subject, Resource)
            found = evaluate_resource(control, case.subject, case.others, constraints(case))
    except Undecided:
        return Verdict.UNDECIDED
    return Verdict.BAD if found else Verdict.GOOD


@pytest.mark.parametrize("found", CONTROLS, ids=lambda found: found.id)
def test_each_case_gets_its_verdict(found: Control) -> None:
    verdicts = {case.title: verdict(found, case).value for case in found.cases}
    assert verdicts == {case.title: case.verdict.value for case in found.cases}


@pytest.mark.parametrize("found", CONTROLS, ids=lambda found: found.id)
def test_a_control_says_all_that_a_reader_needs(found: Control) -> None:
    assert re.fullmatch(r"SOV-[A-Z]{3}-\d\d", found.id)
    assert found.title and found.remedy and found.sources and found.url.endswith(found.id.lower())
    assert {Verdict.GOOD, Verdict.BAD} <= {case.verdict for case in found.cases}, (
        "a control needs an input that it lets pass and one that it stops"
    )
    assert len({case.title for case in found.cases}) == len(found.cases)


def test_a_violation_stops_unless_the_profile_says_that_it_is_reported_or_it_is_slight() -> None:
    for name, constraints in PROFILES.items():
        reported = {found.id for found in CONTROLS if not stops(found, constraints)}
        lenient = {one for one, level in constraints.overrides.items() if level is not Level.MANDATORY}
        assert reported <= lenient | {found.id for found in CONTROLS if found.severity is Severity.MEDIUM}, (
            name
        )
    for severity, everywhere in ((Severity.LOW, False), (Severity.MEDIUM, True), (Severity.HIGH, True)):
        one = replace(control("SOV-NET-01"), severity=severity)
        assert stops(one, PROFILES["eu-resident"]) is everywhere
        assert stops(one, PROFILES["open"]) is (severity is Severity.HIGH)


STRICTER = ["open", "eu-resident", "eu-controlled", "eu-sovereign", "air-gapped"]


def test_each_profile_demands_more_than_the_one_before() -> None:
    weight = {Level.DISABLED: 0, Level.ADVISORY: 1, Level.MANDATORY: 2}
    for loose, strict in pairwise(STRICTER):
        before, after = PROFILES[loose], PROFILES[strict]
        rises = [weight[level(one, after)] - weight[level(one, before)] for one in CONTROLS]
        assert min(rises) >= 0 and sum(rises) >= 2, f"{strict} is no stricter than {loose}"


def test_a_profile_names_no_control_that_there_is_not() -> None:
    for name, constraints in PROFILES.items():
        assert set(constraints.overrides) <= {one.id for one in CONTROLS}, name


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_says_what_it_demands_and_what_it_does_not_prove(name: str) -> None:
    constraints = PROFILES[name]
    assert constraints.summary and constraints.demands and constraints.not_proved
    assert PROFILE_PAGES[name].read_text() == profile_page(name), "run python -m corral.controls.page --write"


def test_ids_are_used_once() -> None:
    assert len({found.id for found in CONTROLS}) == len(CONTROLS)


def test_an_unknown_control_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"SOV-NOPE-01.*SOV-RES-01"):
        control("SOV-NOPE-01")


def test_a_region_outside_the_profile_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match=r"eu-west-2.*eu-central-1"):
        profile("eu-resident", region="eu-west-2")


def test_a_rule_that_cannot_run_is_an_error_and_no_verdict() -> None:
    with pytest.raises(ValueError, match="CEL"):
        evaluate_object(control("SOV-SUP-02"), {"kind": "Pod", "spec": {"containers": 5}}, PROFILES["open"])


def test_an_empty_preset_is_no_model_and_one_with_a_model_is():
    preset = {"apiVersion": "serving.kserve.io/v1alpha2", "kind": "LLMInferenceServiceConfig"}
    metadata = {"name": "preset", "namespace": "kserve"}
    assert list(workloads({**preset, "metadata": metadata, "spec": {}})) == []
    (found, *_) = workloads({**preset, "metadata": metadata, "spec": {"model": {"uri": "hf://org/chat"}}})
    assert found["kind"] == "LLMInferenceService"
