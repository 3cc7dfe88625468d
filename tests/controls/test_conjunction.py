"""Rules that are evaluated together say what each says by itself."""

from dataclasses import replace
from typing import Any

import pytest

from corral.controls.cel import prepared
from corral.controls.control import UNKNOWN, Control, ObjectRule, Undecided
from corral.controls.evaluate import evaluate_object, keeps_all
from corral.controls.profiles import PROFILES, Profile
from corral.controls.register import CONTROLS, control

OBJECTS = [one for one in CONTROLS if isinstance(one.rule, ObjectRule)]
STORES = ("s3://models/",)


def _keeps(found: Control, subject: Any, constraints: Profile) -> bool:
    try:
        return not evaluate_object(found, subject, constraints)
    except Undecided:
        return False


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["open", "eu-resident"])
def test_all_rules_together_let_pass_what_each_lets_pass(name: str) -> None:
    constraints = replace(PROFILES[name], stores=STORES)
    tried = [case.subject for found in OBJECTS for case in found.cases]
    kept = 0
    for subject in map(prepared, tried):
        alone = all(_keeps(found, subject, constraints) for found in OBJECTS)
        assert keeps_all(OBJECTS, subject, constraints) is alone, subject.whole
        kept += alone
    assert kept


def test_one_broken_rule_among_many_is_noticed_and_so_is_what_is_not_known() -> None:
    constraints = PROFILES["eu-resident"]
    chosen = [control("SOV-MOD-02"), control("SOV-MOD-03"), control("SOV-MOD-05")]

    def keeps(*args: object) -> bool:
        container = {"name": "c", "image": "e/x", "args": list(args)}
        return keeps_all(chosen, prepared({"kind": "Pod", "spec": {"containers": [container]}}), constraints)

    assert keeps("--model", "/mnt/models")
    assert not keeps("--model", "org/chat")
    assert not keeps("--model", "/mnt/models", "--trust-remote-code")
    assert not keeps("--model", UNKNOWN)


def test_two_rules_may_call_different_parameters_by_one_name() -> None:
    first, second = (
        replace(
            control("SOV-MOD-03"),
            rule=ObjectRule(
                expression="variables.word in variables.images",
                message="another image",
                kinds=("Pod",),
                parameters=lambda profile, word=word: {"word": f"'{word}'"},
            ),
        )
        for word in ("a", "b")
    )
    both = {"kind": "Pod", "spec": {"containers": [{"name": "x", "image": one} for one in ("a", "b")]}}
    one = {"kind": "Pod", "spec": {"containers": [{"name": "x", "image": "a"}]}}
    constraints = PROFILES["open"]
    assert keeps_all([first, second], prepared(both), constraints)
    assert keeps_all([first], prepared(one), constraints)
    assert not keeps_all([first, second], prepared(one), constraints)
