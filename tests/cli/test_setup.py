"""`corral setup` names what it would bring."""

import pytest

from corral.cli import main as cli


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
