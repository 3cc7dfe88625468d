"""The expected start of a replica: size by bandwidth at each hop, and a gateway that waits less."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import model, planned

from corral.catalogue.cold_start import cold_start_figures
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Engine
from corral.stacks.planning.cold_start import cold_start
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

GB = 10**9
POOLS = [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 2}]


def test_each_hop_takes_the_size_by_its_rate():
    figures = cold_start_figures()
    start = cold_start(65 * GB, Engine.VLLM, None)
    assert start.network_assumed
    for seconds, rate in (
        (start.fetch, figures.network_mbps),
        (start.verify, figures.verify_mbps),
        (start.load, figures.load_mbps),
    ):
        assert 0 <= seconds * rate - 65_000 < rate, "rounded up"
    assert start.seconds == start.fetch + start.verify + start.load + figures.engine_seconds[Engine.VLLM]


def test_the_network_of_a_known_instance_type_takes_the_place_of_the_assumption():
    name = next(key for key, one in instances().items() if one.network_gbps == 5)
    start = cold_start(10 * GB, Engine.VLLM, name)
    assert (start.network_mbps, start.fetch, start.network_assumed) == (625, 16, False)


def test_an_engine_of_which_nobody_said_how_long_it_takes_is_no_zero():
    start = cold_start(GB, Engine.LLAMA_CPP, None)
    assert start.engine is None and start.seconds == start.fetch + start.verify + start.load
    assert " ?  " in shown(planned())


def shown(plan: Any) -> str:
    text = StringIO()
    render(plan, Console(file=text, width=240))
    return text.getvalue()


@pytest.mark.parametrize(("timeout", "warned"), [(60, True), (600, False), (None, False)])
def test_a_gateway_that_waits_less_than_a_start_takes_is_named(timeout: int | None, warned: bool):
    gateway = None if timeout is None else {"host": "models.example.eu", "timeout": timeout}
    made = planned(models=[model()], gpu_pools=POOLS, gateway=gateway)
    seconds = made.models[0].cold_start.seconds
    line = f"warning: chat starts in {seconds} s, and the gateway ends a call after {timeout} s"
    for text in (shown(made), page(made)):
        assert (line in text) is warned
        assert "MB/s from the store, assumed, for no instance type is stated: chat" in text


def test_every_figure_has_a_source():
    figures = cold_start_figures()
    assert figures.sources.keys() == {"network", "verify", "load", "stream", "engine"}
