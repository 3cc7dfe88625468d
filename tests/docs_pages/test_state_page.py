"""Commands of the page about state are ones that there are."""

import re
import shlex
from pathlib import Path

import pytest

from corral.tools.__main__ import _parser as tools_parser
from corral.tools.backend import Backend

STATE = (Path(__file__).parents[2] / "docs" / "state.md").read_text()
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", STATE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("corral ")
]


@pytest.mark.parametrize("line", LINES)
def test_a_command_is_one_that_there_is(line):
    tools_parser().parse_args(shlex.split(line)[1:])


def test_what_corral_backend_prints_is_what_the_page_has_next():
    made = Backend("acme-state", "eu-central-1")
    assert f"export PULUMI_BACKEND_URL='{made.url}'" in STATE
    assert f"--secrets-provider='{made.secrets_provider}'" in STATE
