"""Any content of a stack file is read, or answered with lines for whoever wrote it."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.stacks.any_stack import bounded, stack_files, wild_files
from tests.stacks.lines import told

from corral.stacks.config.errors import StackErrors
from corral.stacks.config.json_schema import schema
from corral.stacks.config.loader import KEY, parse, read
from corral.stacks.config.stack_config import StackConfig


def lines(content: Any) -> list[str]:
    """What reading `content` is answered with."""
    try:
        parse(content)
    except StackErrors as error:
        return str(error).split("\n") if error.problems else [""]
    return []


@pytest.mark.exhaustive
@bounded(50)
@given(wild_files())
def test_a_wild_stack_file_is_read_or_refused_in_lines_for_its_writer(content: Any):
    if found := lines(content):
        told(found)


@bounded(30)
@given(stack_files())
def test_what_is_read_is_written_as_the_schema_has_it_and_read_again_alike(content: Any):
    try:
        config = parse(content)
    except StackErrors as error:
        told(str(error).split("\n"))
        return
    VALIDATOR.validate({"config": {KEY: content}})
    written = config.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    assert StackConfig.model_validate(written) == config


VALIDATOR = jsonschema.Draft202012Validator(schema())


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Stack files as text, broken by an editor, a template or a transfer."""
    text = yaml.safe_dump({"config": {KEY: draw(wild_files())}}, allow_unicode=True)
    start = draw(st.integers(0, len(text)))
    stop = draw(st.integers(start, min(len(text), start + 20)))
    word = draw(st.one_of(st.sampled_from(BREAKAGES), st.text(max_size=5)))
    return (text[:start] + word + text[stop:]).encode(draw(st.sampled_from(ENCODINGS)), "replace")


BREAKAGES = (
    "{{ .Values.x }}",
    "\t",
    "<<: *a",
    "&a",
    "*a",
    "!!python/object:os.system",
    "? ",
    "- ",
    ": ",
    "|",
    "%",
    "@",
)
BREAKAGES += (
    "\x00",
    "'",
    '"',
    "]",
    "}",
    "{? {a: 1}: 2}",
    "12:30",
    "2026-11-27",
    "0o17",
    "1e3",
    "!!binary x",
    "---\n",
    "#",
)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-16", "latin-1", "utf-8-sig")


@pytest.mark.exhaustive
@bounded(40)
@given(content=texts())
def test_a_broken_file_is_read_or_refused_in_lines_with_its_name_or_its_path(
    content: bytes, tmp_path_factory: Any
):
    path = FILE.get("path") or FILE.setdefault("path", tmp_path_factory.mktemp("any") / "Pulumi.any.yaml")
    path.write_bytes(content)
    try:
        read(path)
    except StackErrors as error:
        told(str(error).split("\n"))


FILE: dict[str, Path] = {}
