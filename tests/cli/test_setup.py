"""`corral setup` names what it would bring."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from corral.catalogue.vocabulary import Addon, AddonState
from corral.cli import main as cli
from corral.cli.deploy import plan_of
from corral.embedded import toolchain

CHECKOUT = Path(__file__).parents[2]


def planned(capsys: pytest.CaptureFixture[str], *options: str) -> int:
    """How many tools it speaks of."""
    assert cli.main(["setup", "--plan", *options]) == 0
    return int(capsys.readouterr().out.splitlines()[-1].split()[2])


def test_an_addon_that_few_stacks_have_is_brought_where_it_is_named(capsys):
    every, with_kueue = planned(capsys), planned(capsys, "--addon", "kueue")
    assert with_kueue == every + 2, "its controller and its chart"
    assert planned(capsys, "--addon", "kueue", "--addon", "keda") > with_kueue
    assert planned(capsys, "--addon", "kyverno") == every
    assert planned(capsys, "--all") > with_kueue


def test_an_addon_that_is_not_there_is_refused_with_the_nearest(capsys):
    assert cli.main(["setup", "--addon", "kuue"]) == 2
    assert "--addon kuue: did you mean kueue? use one of " in capsys.readouterr().err


def test_a_fresh_machine_has_every_program_of_stack_dev_before_its_tests_begin():
    plain = {
        key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    }
    run = subprocess.run(
        ["make", "-n", "test"], cwd=CHECKOUT, env=plain, capture_output=True, text=True, check=True
    )
    brought = toolchain.needed([Addon(name) for name in re.findall(r"--addon (\S+)", run.stdout)])
    managed = [one.addon for one in plan_of("dev")[1].addons if one.state is AddonState.MANAGED]
    assert set(toolchain.needed(managed)) <= set(brought)
