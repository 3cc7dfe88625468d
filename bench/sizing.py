"""Estimates of GPU memory beside a peer's, both against starts of vLLM that somebody measured."""

import statistics
from collections.abc import Iterator

from bench.figures import Figure
from bench.starts import Start, loads, starts
from corral.catalogue.quantities import GIB
from corral.stacks.planning.memory.sizing import cache_per_token


def kaito(start: Start) -> float:
    """GiB that KAITO's formula leaves for the cache, given the share that the engine was told to fill.

    `weights x 1.02 <= (memory x share - 2.3 - cache) / 1.05 x devices`; its own share is 0.84 and its memory
    the nominal one (pkg/workspace/estimator/nodesestimator/estimator.go at 056b828, 2026-08-21).
    """
    weights = start.facts.weights / GIB / start.parallel
    return start.usable * start.share - 2.3 - 1.05 * 1.02 * weights


def sizing() -> Iterator[Figure]:
    """Errors of the memory left for the cache on measured starts, most of them fitted to, beside a peer."""
    every = [one for one in starts() if not one.test]
    text = [one for one in every if one.text_on_one]
    ours = [one.error for one in text]
    theirs = [kaito(one) - one.free for one in text]
    peer, unit = "KAITO's formula", "GiB"
    yield Figure(
        f"cache of {len(text)} text models on one GPU, worst error",
        _worst(ours),
        unit,
        peer,
        _worst(theirs),
        0.75,
    )
    yield Figure("  median error", _median(ours), unit, peer, _median(theirs))
    promised = max(one.error for one in every)
    yield Figure(
        f"most cache promised that was not there, {len(every)} starts",
        max(0.0, promised),
        unit,
        peer,
        max(kaito(one) - one.free for one in every),
        0,
    )
    yield Figure(
        "  starts that were promised a context that does not fit",
        sum(one.error > 0 for one in every),
        "",
        peer,
        sum(kaito(one) > one.free for one in every),
        0,
    )
    logged = [one for one in every if one.tokens is not None]
    yield Figure(
        f"tokens in a given cache, {len(logged)} starts, worst error",
        max(_tokens(one) for one in logged),
        "%",
        target=1,
    )
    weighed = [one for one in every if one.weights is not None and not one.facts.multimodal]
    yield Figure(
        f"loaded weights, {len(weighed)} starts of text models, worst error",
        max(_weights(one) for one in weighed),
        "%",
        target=1,
    )
    yield from _tested()


def _tested() -> Iterator[Figure]:
    """Errors on what no constant was fitted to."""
    apart = [one for one in starts() if one.test]
    yield Figure(
        f"{len(apart)} starts that nothing was fitted to: most cache promised that was not there",
        max(0.0, *(one.error for one in apart)),
        "GiB",
        target=0,
    )
    yield Figure("  worst error on the safe side", _worst([one.error for one in apart]), "GiB")
    yield Figure(
        f"{len(loads())} loads that nothing was fitted to: worst error of the weights",
        max(100 * (one.ours / one.weights - 1) for one in loads()),
        "%",
        target=2,
    )


def _worst(errors: list[float]) -> float:
    return max(abs(error) for error in errors)


def _median(errors: list[float]) -> float:
    return statistics.median(abs(error) for error in errors)


def _tokens(start: Start) -> float:
    """Error of the tokens that fit into the cache as logged, in percent."""
    ours = (start.cache or 0) * GIB / cache_per_token(start.facts, start.parallel)
    return 100 * abs(ours / (start.tokens or 1) - 1)


def _weights(start: Start) -> float:
    """Error of the loaded weights, in percent."""
    return 100 * abs(start.ours.weights / GIB / (start.weights or 1) - 1)
