"""Good resources pass, and what one field makes bad is refused: in every net, and however it is written."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.controls.same_verdict import evasions
from tests.controls.same_verdict.generated import wrapped
from tests.controls.same_verdict.mutated import Mutated, controls, mutations, resources
from tests.controls.same_verdict.nets import NETS, crossguard, forget, of_stack
from tests.controls.test_controls import constraints

from corral.controls.control import Case, Control, ObjectRule, Verdict
from corral.controls.profiles import Profile
from corral.controls.register import CONTROLS, control
from corral.policy.mounted import declared


@pytest.fixture(scope="module", autouse=True)
def analyzers() -> Iterator[None]:
    """Those of CrossGuard, gone afterwards."""
    yield
    forget()


@cache
def limits(profile: str, stores: tuple[str, ...] | None) -> Profile:
    return constraints(Case("", Verdict.GOOD, None, profile=profile, stores=stores))


def nets(one: Control) -> list[str]:
    """Names of the nets that hold a control, as its page says."""
    if not isinstance(one.rule, ObjectRule):
        return ["CrossGuard"]
    admitted = ["API server", "Kyverno"] if one.rule.admitted else []
    return [*(["CrossGuard"] if declared(one) else []), *admitted]


def refused(net: str, of: Control, one: Mutated, subject: Mapping[str, Any]) -> bool:
    """Whether a net refuses `subject`, one way to write `one`."""
    held = limits(one.profile, one.stores)
    if one.object:
        return NETS[net](of, held, subject)
    return of_stack(of, held, *resources(subject)) is Verdict.BAD


def ways(one: Mutated) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not one.object:
        return evasions.resources(one)
    rule = control(one.control).rule
    assert isinstance(rule, ObjectRule)
    return evasions.objects(one, rule.kinds)


def wrong(identity: str, written: Callable[[Mutated], Iterator[tuple[str, Mapping[str, Any]]]]) -> list[str]:
    of = control(identity)
    return [
        f"{net} {'lets pass' if stops else 'refuses'} {one.title}, {way}"
        for one in mutations(identity)
        for stops in [one.verdict is Verdict.BAD and not one.unseen]
        for way, subject in written(one)
        for net in nets(of)
        if refused(net, of, one, subject) is not stops
    ]


def test_every_control_has_a_good_resource_a_near_miss_and_bad_ones() -> None:
    assert controls() == sorted(one.id for one in CONTROLS)
    for identity in controls():
        several = [*mutations(identity)]
        passing = [one for one in several if one.verdict is Verdict.GOOD]
        assert {bool(one.changed) for one in passing} == {False, True}, f"{identity}: no near miss"
        assert any(one.verdict is Verdict.BAD and not one.unseen for one in several), identity
        of_good = [str(one.good) for one in several]
        assert len({*zip(of_good, (str(one.subject) for one in several), strict=True)}) == len(several), (
            identity
        )


@pytest.mark.exhaustive
@pytest.mark.parametrize("identity", controls())
def test_every_net_tells_the_mutations_of_a_good_resource_from_it(identity: str) -> None:
    found = wrong(identity, lambda one: iter([next(ways(one))]))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("identity", controls())
def test_a_difference_that_no_net_sees_is_named_by_its_control(identity: str) -> None:
    named = " ".join(control(identity).not_enforced)
    assert all(one.unseen in named for one in mutations(identity) if one.unseen)


@pytest.mark.exhaustive
@pytest.mark.parametrize("identity", controls())
def test_no_net_is_evaded_by_another_place_spelling_or_kind(identity: str) -> None:
    found = wrong(identity, ways)
    assert not found, "\n".join(found)


POOL = [
    one
    for identity in controls()
    for one in mutations(identity)
    if one.object and one.subject["kind"] == "Pod" and not one.unseen and not one.fixed
    if evasions.movable(one)
]


@pytest.mark.exhaustive
@settings(max_examples=400, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(one=st.sampled_from(POOL), data=st.data())
def test_no_net_is_evaded_by_several_at_once(one: Mutated, data: st.DataObject) -> None:
    of = control(one.control)
    rule = of.rule
    assert isinstance(rule, ObjectRule)
    (container,) = one.subject["spec"]["containers"]
    way, spelled = data.draw(st.sampled_from([("as it is", container), *evasions.containers(one)]))
    place, pod = data.draw(st.sampled_from([*evasions.placed(one, spelled)]))
    holder, subject = data.draw(st.sampled_from([("alone", pod), *evasions.held(pod, rule.kinds)]))
    stops = one.verdict is Verdict.BAD
    for net in nets(of):
        assert refused(net, of, one, subject) is stops, f"{net}: {one.title}, {way}, {place}, {holder}"
    if declared(of):
        wrapper, token, props = data.draw(st.sampled_from([*wrapped(subject)]))
        said = crossguard(of, limits(one.profile, one.stores), token, props)
        assert said is stops, f"{one.title}, {way}, {place}, {holder}, {wrapper}"
