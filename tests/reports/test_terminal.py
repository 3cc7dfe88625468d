"""The plan as text: 80 columns, every addon, slice and model."""

import io

import pytest
from rich.console import Console
from tests.stacks.stack_files import ROOT, planned

from corral.catalogue.vocabulary import AddonState
from corral.stacks.config.loader import read
from corral.stacks.planning.planner import plan
from corral.stacks.reports.terminal.plan import render


def printed(width: int = 80) -> str:
    screen = io.StringIO()
    render(plan(read(ROOT / "Pulumi.dev.yaml"), "dev"), Console(file=screen, width=width, no_color=True))
    return screen.getvalue()


def test_the_plan_fits_80_columns_without_colour():
    text = printed()
    assert max(len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text and "…" not in text, "nothing is cut off"


def test_the_plan_shows_every_part_chart_slice_and_model():
    text = printed(120)
    result = plan(read(ROOT / "Pulumi.dev.yaml"), "dev")
    for addon in result.addons:
        assert addon.addon.value in text
        charts = addon.charts if addon.state is AddonState.MANAGED else ()
        assert all(chart.name in text and chart.version in text for chart in charts)
    for one in result.models:
        assert one.name in text and one.model in text and one.engine.value in text
    lines = [
        line for line in text.splitlines() if line.lstrip().startswith(("slices-0/", "1g.5gb", "3g.20gb"))
    ]
    assert len(lines) == sum(len(gpu.slices) for gpu in result.pools[0].gpus)
    assert f"{len(result.digests.unresolved)} of {len(result.digests.unresolved)} digests unresolved" in text
    assert text.count(" *") >= 4, "simulated models are marked"


def test_the_memory_of_a_model_is_shown_in_parts_that_add_up_to_its_device():
    text = printed(120)
    rows = text[text.index("Memory of models") :].splitlines()[2:7]
    result = plan(read(ROOT / "Pulumi.dev.yaml"), "dev")
    for row, one in zip(rows, result.models, strict=True):
        name, *numbers, context, longest, sequences = row.split()
        assert (name, int(context), int(longest)) == (one.name, one.context, one.largest_context)
        assert sequences == (str(one.full_sequences) if one.full_sequences else "-")
        assert sum(map(float, numbers)) == pytest.approx(one.memory.usable / (1 << 30), abs=0.25)


def test_a_plan_of_real_models_alone_speaks_of_no_simulation():
    screen = io.StringIO()
    render(planned(), Console(file=screen, width=80))
    assert "simulated" not in screen.getvalue()
