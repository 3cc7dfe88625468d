"""A control has one verdict, wherever it is enforced and however the same thing is written."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from tests.components.admission.guarded import refusals
from tests.controls.same_verdict.generated import Subject, object_controls, subjects, wrapped
from tests.controls.same_verdict.nets import (
    NETS,
    crossguard,
    forget,
    matches,
    of_stack,
    without_nulls,
)
from tests.controls.test_controls import constraints
from tests.stacks.stack_files import problems

from corral.components.admission.guards import guards
from corral.components.admission.render import kyverno_policy, native_policy
from corral.controls.control import Case, Control, ObjectRule, Resource, Verdict
from corral.controls.evaluate import evaluate_resource
from corral.controls.profiles import PROFILES, Profile
from corral.controls.register import CONTROLS, control
from corral.controls.scope import Scope
from corral.policy.mounted import declared

ADMITTED = [one for one in object_controls() if isinstance(one.rule, ObjectRule) and one.rule.admitted]
DECLARED = [one for one in object_controls() if one not in ADMITTED]
OF_PROGRAMS = [one for one in object_controls() if declared(one)]
CLOUD = [one for one in CONTROLS if not isinstance(one.rule, ObjectRule)]


@pytest.fixture(scope="module", autouse=True)
def analyzers() -> Iterator[None]:
    """Those of CrossGuard, gone afterwards."""
    yield
    forget()


@cache
def limits(case_profile: str, stores: tuple[str, ...] | None) -> Profile:
    return constraints(Case("", Verdict.GOOD, None, profile=case_profile, stores=stores))


def of(subject: Subject) -> Profile:
    return limits(subject.case.profile, subject.case.stores)


def disagreements(enforced: Control, nets: tuple[str, ...]) -> list[str]:
    wrong = []
    verdicts: set[Verdict] = set()
    for subject in subjects(enforced):
        verdicts.add(subject.verdict)
        for net in nets:
            refused = NETS[net](enforced, of(subject), subject.object)
            if refused is not (subject.verdict is Verdict.BAD):
                wrong.append(f"{net} {'refuses' if refused else 'lets pass'} {subject.title}")
    assert verdicts == {Verdict.GOOD, Verdict.BAD}
    return wrong


@pytest.mark.exhaustive
@pytest.mark.parametrize("enforced", ADMITTED, ids=lambda one: one.id)
def test_pack_api_server_and_kyverno_say_the_same_of_every_object(enforced: Control) -> None:
    nets = ("CrossGuard", "API server", "Kyverno") if declared(enforced) else ("API server", "Kyverno")
    assert not (wrong := disagreements(enforced, nets)), "\n".join(wrong)


def test_what_holds_for_classified_data_holds_in_no_other_namespace_and_not_in_the_pack() -> None:
    (placed,) = [one for one in ADMITTED if not declared(one)]
    limits = PROFILES["eu-controlled"]
    bad = next(one for one in subjects(placed) if one.verdict is Verdict.BAD)
    for render in (native_policy, kyverno_policy):
        policy = render(placed, limits, Scope(), own_serving=True)
        for data_class, held in (("internal", True), ("restricted", True), ("public", False), (None, False)):
            assert matches(policy, bad.object, data_class=data_class) is held
    assert not NETS["CrossGuard"](placed, limits, bad.object)


@pytest.mark.parametrize("enforced", DECLARED, ids=lambda one: one.id)
def test_the_pack_says_of_every_declared_object_what_its_case_says(enforced: Control) -> None:
    assert not (wrong := disagreements(enforced, ("CrossGuard",))), "\n".join(wrong)


@pytest.mark.exhaustive
@pytest.mark.parametrize("enforced", OF_PROGRAMS, ids=lambda one: one.id)
def test_a_patch_a_list_and_a_list_of_its_kind_get_the_verdict_of_the_object(enforced: Control) -> None:
    wrong: list[str] = []
    for verdict in (Verdict.GOOD, Verdict.BAD):
        kinds: set[str] = set()
        for subject in subjects(enforced):
            kind = subject.object["kind"]
            if subject.verdict is verdict and kind not in kinds:
                kinds.add(kind)
                wrong.extend(
                    f"{subject.title} {way}"
                    for way, token, props in wrapped(subject.object)
                    if crossguard(enforced, of(subject), token, props) is not (verdict is Verdict.BAD)
                )
        assert kinds
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("enforced", ADMITTED, ids=lambda one: one.id)
def test_admission_is_asked_about_every_kind_that_the_control_names_and_about_debug_containers(
    enforced: Control,
) -> None:
    limits = PROFILES["eu-resident"]
    for render in (native_policy, kyverno_policy):
        policy = render(enforced, limits, Scope(()), own_serving=True)
        seen = set()
        for subject in subjects(enforced):
            seen.add(subject.object["kind"])
            assert matches(policy, subject.object), subject.title
            if subject.object["kind"] == "Pod":
                assert matches(policy, subject.object, "ephemeralcontainers"), subject.title
        assert isinstance(enforced.rule, ObjectRule) and seen == set(enforced.rule.kinds)


TENANT = {"corral.dev/tenant": "team-a"}
GUARDED = {"SOV-GPU-03": "corral-devices", "SOV-NET-07": "corral-services"}


@pytest.mark.parametrize(("identity", "name"), GUARDED.items())
def test_what_the_pack_stops_a_guard_refuses_to_a_tenant(identity: str, name: str) -> None:
    (guard,) = [one for one in guards(Scope(), None, "kyverno") if one.name == name]
    passed = [
        subject.title
        for subject in subjects(control(identity))
        if subject.verdict is Verdict.BAD
        and matches(
            guard.policy | {"matchConstraints": {**guard.policy["matchConstraints"], **_ANYWHERE}},
            subject.object,
        )
        and not refusals(guard.policy, without_nulls(subject.object), namespace=TENANT)
        and "hostPath" not in str(subject.object)
    ]
    assert not passed, "\n".join(passed)


_ANYWHERE = {"namespaceSelector": {"matchExpressions": []}}


@pytest.mark.parametrize("enforced", CLOUD, ids=lambda one: one.id)
def test_crossguards_analyzer_gives_every_case_about_a_cloud_its_verdict(enforced: Control) -> None:
    wrong = [
        f"{case.title}: {verdict.value}, not {case.verdict.value}"
        for case in enforced.cases
        if (verdict := of_stack(enforced, constraints(case), case.subject, case.others)) is not case.verdict
    ]
    assert not wrong, "\n".join(wrong)


REGIONS = (
    "eu-central-1", "eu-central-2", "eu-west-1", "eu-west-2", "eu-south-2", "eusc-de-east-1", "us-east-1",
    "europe-west2", "europe-west3", "europe-west6", "europe-west10", "us-central1",
)  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
def test_the_plan_takes_the_regions_that_the_pack_takes(profile: str) -> None:
    residency = control("SOV-RES-01")
    for region in REGIONS:
        package = "gcp" if region.startswith(("europe-", "us-central")) else "aws"
        token = {"gcp": "gcp:storage/bucket:Bucket", "aws": "aws:s3/bucket:Bucket"}[package]
        one = Resource(token, "b", {"location" if package == "gcp" else "region": region})
        stopped = bool(evaluate_resource(residency, one, (), PROFILES[profile]))
        platform = {"gcp": "gke-cos", "aws": "eks-al2023"}[package]
        lines = problems(
            sovereignty={"profile": profile, "region": region},
            cluster={"kind": "existing", "platform": platform},
        )
        refused = any(line.startswith("sovereignty.region") for line in lines)
        assert refused is stopped, f"{region} under {profile}: {lines}"


@pytest.mark.parametrize("profile", PROFILES)
def test_the_plan_takes_no_source_of_models_that_the_pack_refuses(profile: str) -> None:
    for scheme in ("s3", "gs", "oci", "hf", "package", "file", "http", "https", "git", "ftp"):
        source = f"{scheme}://models/chat"
        service = {
            "kind": "InferenceService",
            "apiVersion": "serving.kserve.io/v1beta1",
            "metadata": {"name": "chat"},
            "spec": {"predictor": {"model": {"storageUri": source}}},
        }
        refused = NETS["CrossGuard"](control("SOV-MOD-01"), PROFILES[profile], service)
        place: Any = "embedded" if profile == "open" else {"country": "DE", "site": "fra-1"}
        lines = problems(
            sovereignty={"profile": profile, "region": place},
            cluster={"kind": "existing"},
            models=[{"name": "chat", "model": "qwen3-8b", "source": source}],
        )
        planned = not any(line.startswith("models[0].source") and "allows" in line for line in lines)
        assert not (planned and refused), f"{source} under {profile}"
