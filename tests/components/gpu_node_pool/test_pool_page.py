"""The page on GPU pools: its programs run, and it keeps to what is refused."""

import re
from pathlib import Path

import pytest
from tests.components.gpu_node_pool.clouds import graph_of

PAGE = (Path(__file__).parents[3] / "docs" / "gpu-pools.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_there_is_a_program_for_each_cloud():
    assert len(PROGRAMS) == 2


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_the_page_runs(program):
    graph = graph_of(lambda: exec(program, {}))
    assert [r for r in graph if r.kind in ("EksGpuNodePool", "GkeGpuNodePool") and r.outputs]


@pytest.mark.parametrize("output", ["name", "labels", "taint", "identity"])
def test_the_page_names_every_output(output):
    assert f"`{output}`" in PAGE
