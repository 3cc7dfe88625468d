"""Memory of models against starts of vLLM that somebody measured."""

import itertools

import pytest
from bench import sizing as bench
from bench.starts import Concurrency, Load, Start, Starts, concurrency, loads, starts
from tests.stacks.stack_files import ROOT

from corral.catalogue._read import read_file
from corral.catalogue.engines import reserves
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Engine
from corral.stacks.planning.memory.sizing import cache_per_token, memory

EVERY = pytest.mark.parametrize(
    "start", starts(), ids=lambda one: f"{one.model}-{one.version}-{one.parallel}"
)
ROUNDING = 0.01
"""GiB; logs have two decimals."""


@EVERY
def test_no_start_is_promised_cache_that_was_not_there(start: Start):
    assert start.error <= 0, "errors are on the safe side"


@pytest.mark.parametrize("start", [one for one in starts() if one.text_on_one], ids=lambda one: one.model)
def test_a_text_model_on_one_gpu_is_estimated_within_three_quarters_of_a_gib(start: Start):
    assert start.error >= -0.75


@pytest.mark.parametrize("part", ["weights", "activation", "outside"])
def test_each_part_covers_what_was_logged(part: str):
    logged = [one for one in starts() if getattr(one, part) is not None]
    assert logged
    short = [one.model for one in logged if getattr(one.ours, part) / GIB < getattr(one, part) - ROUNDING]
    assert short == []


@pytest.mark.parametrize(
    "start",
    [one for one in starts() if one.weights and not one.facts.multimodal],
    ids=lambda one: one.model,
)
def test_weights_of_text_models_are_those_loaded_within_one_percent(start: Start):
    assert start.ours.weights / GIB == pytest.approx(start.weights, rel=0.01)


@pytest.mark.parametrize("load", loads(), ids=lambda one: one.source)
def test_what_is_loaded_is_never_more_than_the_plan_says(load: Load):
    """Kernels that pad, mixed widths and towers among them; text within one percent, towers within two."""
    assert load.weights <= load.ours <= load.weights * (1.02 if load.facts.multimodal else 1.01)


def test_starts_that_no_constant_was_fitted_to_stand_apart():
    """One that fails here shows what the constants are worth; once they are fitted to it, it is no test."""
    apart = [one for one in starts() if one.test]
    assert len(apart) >= 3
    assert all(-2 <= one.error <= 0 for one in apart), [(one.model, one.error) for one in apart]


@pytest.mark.parametrize("entry", concurrency(), ids=lambda one: one.source)
def test_a_sequence_needs_the_cache_that_vllm_says_it_needs(entry: Concurrency):
    """Both figures of a log have two decimals, which are half a percent together."""
    assert entry.ours == pytest.approx(entry.logged, rel=0.005)


@pytest.mark.parametrize("start", [one for one in starts() if one.tokens], ids=lambda one: one.model)
def test_a_given_cache_holds_the_tokens_that_were_logged_within_one_percent(start: Start):
    assert start.cache is not None
    tokens = start.cache * GIB / cache_per_token(start.facts, start.parallel)
    assert tokens == pytest.approx(start.tokens, rel=0.01)


@pytest.mark.parametrize("start", [one for one in starts() if one.tokens], ids=lambda one: one.model)
def test_a_context_that_fits_by_our_account_fitted_in_fact(start: Start):
    """Contexts of up to all tokens that the start had room for, on the device with the share it was told."""
    room = start.free * GIB
    for context in range(1024, start.facts.context + 1, 1024):
        needed = context * cache_per_token(start.facts, start.parallel)
        promised = start.usable * start.share * GIB - start.ours.total >= needed
        assert not promised or needed <= room


def test_every_entry_of_engines_was_measured():
    """At least one start lies between each entry and the next."""
    entries = [*(one.version for one in reserves()), (99, 0)]
    seen = {tuple(int(part) for part in one.version.split(".")) for one in starts()}
    for since, until in itertools.pairwise(entries):
        assert any(since <= version < until for version in seen), since


def test_a_newer_version_than_measured_is_counted_as_the_newest():
    facts = starts()[0].facts
    limits = {"context": 8192, "max_num_seqs": 32, "full_sequences": 1, "usable": 80 * GIB}
    pinned = memory(facts, Engine.VLLM, **limits)
    assert pinned == memory(facts, Engine.VLLM, version=reserves()[-1].since, **limits)


def test_every_start_names_its_source():
    content = read_file(ROOT / "bench" / "starts.yaml", Starts)
    assert {one.source for one in (*content.starts, *content.loads, *content.concurrency)} == set(
        content.sources
    )


def test_the_figures_of_the_bench_meet_their_targets_and_the_peer_does_not():
    figures = list(bench.sizing())
    assert all(one.met is not False for one in figures)
    worst = figures[0]
    assert worst.floor is not None and worst.value < worst.floor
