"""Errors of commands: one line, and the exit code that fits."""

import errno

import pytest

from corral.cli.errors import FAILED
from corral.cli.explain import explain


def test_a_file_of_another_user_is_one_line_with_what_to_do(capsys: pytest.CaptureFixture[str]):
    denied = PermissionError(errno.EACCES, "Permission denied", "/srv/corral/dev/plane.json")
    assert explain(denied) == FAILED
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        line.startswith("corral: /srv/corral/dev/plane.json: Permission denied: ") and "CORRAL_HOME" in line
    )


def test_what_a_user_can_do_nothing_about_is_raised():
    error = LookupError("ours")
    with pytest.raises(LookupError) as raised:
        explain(error)
    assert raised.value is error
