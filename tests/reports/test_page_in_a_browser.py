"""The page as a browser shows it: in light and dark, wide and narrow, without a word on the console."""

import re
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reports.browser import DARK, PROGRAM, dump, picture, png
from tests.reports.pages import hostile, parsed
from tests.stacks.stack_files import ROOT

from corral.stacks.config.loader import read
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html import page
from corral.stacks.reports.html.document import RULES

pytestmark = pytest.mark.browser
needs_browser = pytest.mark.skipif(PROGRAM is None, reason="there is no chromium on PATH: `make browser`")
MEASURE = """<script>parent.postMessage([document.documentElement.scrollWidth, innerWidth,
matchMedia('(prefers-color-scheme: dark)').matches].join(' '), '*')</script></body>"""
"""Says the width of the document and of the window, and whether it is dark."""
FRAME = """<!DOCTYPE html><meta name="color-scheme" content="light dark">
<script>onmessage = event => { document.documentElement.id = event.data }</script>
<iframe src="measured.html" style="border: 0; width: %dpx; height: 800px"></iframe>"""
"""A window as narrow as one likes: the browser's own is never below 500 pixels."""


@pytest.fixture(scope="module")
def dev() -> Plan:
    return plan(read(ROOT / "Pulumi.dev.yaml"), "dev")


@pytest.fixture
def file(dev: Plan, tmp_path: Path) -> Path:
    path = tmp_path / "plan.html"
    path.write_text(page(dev), encoding="utf-8")
    return path


def measured(file: Path, width: int, *options: str) -> tuple[int, int, bool]:
    """Width of the document and of the window in pixels, and whether the page is dark."""
    source = file.read_text(encoding="utf-8")
    assert RULES.replace("'", "&#x27;") in source, "the page forbids scripts; the test's copy does not"
    free = source.replace(RULES.replace("'", "&#x27;"), "").replace("</body>", MEASURE)
    file.with_name("measured.html").write_text(free, encoding="utf-8")
    frame = file.with_name("frame.html")
    frame.write_text(FRAME % width, encoding="utf-8")
    content, _ = dump(frame, 2000, "--virtual-time-budget=5000", *options)
    found = re.search(r'<html[^>]* id="(\d+) (\d+) (true|false)"', content)
    assert found, content[:300]
    return int(found[1]), int(found[2]), found[3] == "true"


def hexadecimal(colour: str) -> bytes:
    return bytes.fromhex(colour.removeprefix("#"))


@needs_browser
@pytest.mark.parametrize(
    ("options", "paper", "used"), [((), "#ffffff", "#c4dcf0"), ((DARK,), "#17191c", "#264a6b")]
)
def test_the_page_is_a_picture_in_light_and_in_dark(
    file: Path, options: tuple[str, ...], paper: str, used: str
):
    shown, said = picture(file, 1280, 1600, *options)
    assert said == []
    assert (shown.width, shown.height) == (1280, 1600)
    assert shown.rows[0][:3] == hexadecimal(paper)
    found = shown.colours()
    assert hexadecimal(used) in found, "what models use is filled"
    assert len(found) > 20


@needs_browser
def test_a_browser_finds_every_model_and_slice(file: Path, dev: Plan):
    content, said = dump(file, 1280)
    assert said == []
    root = parsed(content)
    drawn = [one.text for one in root.all("li", "slice") if "stranded" not in one.classes]
    wanted = [one for pool in dev.pools for gpu in pool.gpus for one in gpu.slices]
    assert len(drawn) == len(wanted)
    for text, one in zip(drawn, wanted, strict=True):
        assert (one.profile or "whole GPU") in text and (one.model or "free") in text
    names = [one.text.split()[0] for one in root.all("table") for one in one.one("tbody").all("th")]
    assert {one.name for one in dev.models} <= set(names)


@needs_browser
@pytest.mark.parametrize("options", [(), (DARK,)], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 800, 1280, 1600])
def test_only_boxes_scroll_sideways_never_the_page(file: Path, width: int, options: tuple[str, ...]):
    document, window, dark = measured(file, width, *options)
    assert window == width and document <= width
    assert dark == (DARK in options)


@needs_browser
def test_a_hostile_stack_file_says_nothing_on_the_console_and_widens_nothing(file: Path, dev: Plan):
    file.write_text(page(hostile(dev)), encoding="utf-8")
    assert dump(file, 1280)[1] == []
    assert measured(file, 360)[0] <= 360
    long = replace(dev, stack="s" * 40, region="r" * 200, models=tuple(map(named, dev.models)))
    file.write_text(page(long), encoding="utf-8")
    assert measured(file, 360)[0] <= 360


def named(model: ModelPlan) -> ModelPlan:
    """`model` with names as long as a stack file may have."""
    return replace(model, name="m" * 40, tenant="t" * 40, namespace="n" * 40, source="s3://" + "x" * 200)


@needs_browser
def test_what_a_page_must_not_do_is_seen_by_these_tests(file: Path):
    source = file.read_text(encoding="utf-8")
    file.write_text(source.replace("</body>", "<script>alert(1)</script></body>"), encoding="utf-8")
    _, said = dump(file, 1280)
    assert len(said) == 1 and "Content Security Policy" in said[0], "the browser obeys the page's rules"
    wide = source.replace("</main>", '<p style="width:2000px">wide</p></main>')
    file.write_text(wide, encoding="utf-8")
    assert measured(file, 360)[0] > 360


def test_a_picture_is_read_as_the_specification_says():
    content = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000002000000050802000000")
    rows = [
        bytes([0, 10, 20, 30, 40, 50, 60]),
        bytes([1, 1, 2, 3, 4, 5, 6]),
        bytes([2, 1, 1, 1, 1, 1, 1]),
        bytes([3, 0, 0, 0, 255, 255, 255]),
        bytes([4, 1, 1, 1, 1, 1, 1]),
    ]
    data = zlib.compress(b"".join(rows))
    packed = struct.pack(">I4s", len(data), b"IDAT") + data + bytes(4)
    shown = png(content + bytes(4) + packed)
    assert [list(row) for row in shown.rows] == [
        [10, 20, 30, 40, 50, 60],
        [1, 2, 3, 5, 7, 9],
        [2, 3, 4, 6, 8, 10],
        [1, 1, 2, 2, 3, 5],
        [2, 2, 3, 3, 4, 6],
    ]
