"""The pages about state and adoption: links lead somewhere, and commands are ones that there are."""

import re
import shlex
from pathlib import Path

import pytest

from corral.tools.__main__ import _parser as tools_parser

DOCS = Path(__file__).parents[2] / "docs"
STATE = (DOCS / "state.md").read_text()
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", STATE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("corral ")
]


@pytest.mark.parametrize("page", ["state.md", "adopt.md", "ci.md"])
def test_every_link_leads_to_a_file_and_a_heading(page):
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", (DOCS / page).read_text())
    assert links
    for file, heading in links:
        path = DOCS / file if file else DOCS / page
        assert path.is_file(), file
        headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE) if heading else []
        assert not heading or heading in [
            re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings
        ]


@pytest.mark.parametrize("line", LINES)
def test_a_command_is_one_that_there_is(line):
    tools_parser().parse_args(shlex.split(line)[1:])


def test_what_corral_backend_prints_is_what_the_page_has_next():
    from corral.tools.backend import Backend

    made = Backend("acme-state", "eu-central-1")
    assert f"export PULUMI_BACKEND_URL='{made.url}'" in STATE
    assert f"--secrets-provider='{made.secrets_provider}'" in STATE
