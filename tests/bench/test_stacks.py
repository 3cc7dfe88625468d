"""Figures of each committed stack, out of the test that brings it up."""

from pathlib import Path

import pytest
from bench import stacks
from bench.stacks import StackTest

ROOT = Path(__file__).parents[2]
RECORDS = """
import os

def test_up(record_property):
    for name, value in {"up": 60.5, "applied": 50, "rounds": 4, "objects": 300}.items():
        record_property(name, value)

def test_again(record_property):
    record_property("again", 12)
    record_property("dry", 6)
    assert os.environ["CORRAL_STACK_FIGURES"] and os.environ["WHICH"] == "eks-eu"
"""


def test_every_committed_stack_has_a_test_but_the_one_that_another_bench_brings_up():
    committed = {path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml")}
    assert committed == {"dev", *stacks.TESTS}
    assert [one.file for one in stacks.TESTS.values() if not (ROOT / one.file).is_file()] == []


def test_what_the_tests_of_a_stack_record_are_its_figures(tmp_path, monkeypatch):
    file = tmp_path / "test_stack.py"
    file.write_text(RECORDS)
    monkeypatch.setattr(stacks, "TESTS", {"eks-eu": StackTest(str(file), {"WHICH": "eks-eu"})})
    figures = list(stacks.stacks())
    assert [(one.name, one.value, one.floor) for one in figures] == [
        ("eks-eu: up", 60.5, 50),
        ("eks-eu: rounds of kubectl apply", 4, None),
        ("eks-eu: up, nothing to change", 12, 6),
    ]
    assert "300 objects" in figures[0].beside


def test_a_stack_that_does_not_come_up_has_no_figures(tmp_path):
    file = tmp_path / "test_stack.py"
    file.write_text("def test_up():\n    raise SystemError('no node joined')\n")
    with pytest.raises(RuntimeError, match="no node joined"):
        stacks.measured(StackTest(str(file), {}))
