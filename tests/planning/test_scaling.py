"""Copies by requests: what is planned, what they wait for, and what is refused."""

from typing import Any

import pytest
from tests.stacks.stack_files import planned, pool, problems

from corral.catalogue.cold_start import cold_start_figures
from corral.catalogue.vocabulary import Addon, AddonState, Engine, Scaler
from corral.stacks.reports.terminal.cold_start import start_notes

SLICES = pool(sharing={"mig": [{"1g.5gb": 7}]})
SMALL: dict[str, Any] = {"name": "s", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}
WHOLE = pool(name="whole", gpu="H100-80GB", nodes={"names": ["whole-0"]}, gpus_per_node=4, sharing="whole")
GATEWAY = {"host": "models.example.eu"}


def scaled(gateway: dict[str, Any] | None = GATEWAY, **scaling: Any) -> dict[str, Any]:
    """A stack with one small model that scales so."""
    door = {} if gateway is None else {"gateway": gateway}
    return {"gpu_pools": [SLICES], "models": [{**SMALL, "scaling": {"max": 3, **scaling}}], **door}


def test_room_is_planned_for_the_most_copies_and_none_may_run():
    found = planned(**scaled(min=0))
    (model,) = found.models
    assert (model.replicas_min, model.replicas_max, len(model.placements)) == (0, 3, 3)
    assert model.scaler is Scaler.EXTERNAL
    assert found.state(Addon.KEDA) is AddonState.MANAGED


def test_a_quota_holds_the_most_copies():
    tenants = [{"name": "a"}, {"name": "b"}]
    stack = scaled(min=0)
    stack["models"][0]["tenant"] = "a"
    found = planned(**stack, tenants=tenants, fair_sharing={})
    share = next(one for one in found.shares.tenants if one.tenant == "a")
    assert [one.count for one in share.guaranteed if one.count] == [3]


def test_one_copy_stays_unless_none_is_said_to_do():
    assert planned(**scaled()).models[0].replicas_min == 1


def test_what_is_counted_is_what_the_engine_takes_at_once_unless_something_else_is_said():
    def counted(**scaling: Any) -> tuple[int | None, int | None]:
        plan = planned(**scaled(**scaling)).models[0].scaling
        assert plan
        return plan.concurrency, plan.request_rate

    assert counted() == (2, None)
    assert counted(concurrency=5) == (5, None)
    assert counted(**{"request-rate": 7}) == (None, 7)
    assert counted(concurrency=5, **{"request-rate": 7}) == (5, 7)


def test_copies_stay_for_two_cold_starts_or_five_minutes_or_as_long_as_is_said():
    small, large = planned(**scaled()).models[0].scaling, planned(**large_stack()).models[0]
    assert small and small.cooldown == 300
    assert large.scaling and large.scaling.cooldown == 2 * large.cold_start.seconds > 300
    said = planned(**scaled(cooldown=20)).models[0].scaling
    assert said and said.cooldown == 20


def large_stack(**gateway: Any) -> dict[str, Any]:
    """A stack with a model of hundreds of seconds until it answers."""
    large = {"name": "l", "model": "qwen3-32b", "weights": "simulated", "scaling": {"min": 0, "max": 2}}
    return {"gpu_pools": [WHOLE], "models": [large], "gateway": {**GATEWAY, **gateway}}


def test_a_first_caller_who_would_be_sent_away_before_an_answer_is_warned_of():
    start = planned(**large_stack()).models[0].cold_start.seconds
    assert start > cold_start_figures().engine_seconds[Engine.VLLM]
    (line,) = [one for one in start_notes(planned(**large_stack(timeout=60))) if one.startswith("warning")]
    assert f"l starts in {start} s" in line and "after 60 s" in line
    assert "scaling.min: 1" in line
    assert not [one for one in start_notes(planned(**large_stack())) if one.startswith("warning")]


def test_a_copy_that_ends_sooner_than_it_starts_is_warned_of():
    stack = large_stack()
    stack["models"][0]["scaling"]["cooldown"] = 60
    (line,) = [one for one in start_notes(planned(**stack)) if one.startswith("warning")]
    assert "60 s" in line and "scaling.cooldown" in line


@pytest.mark.parametrize(
    ("stack", "line"),
    [
        (scaled(min=4), "models[0].scaling: min 4: min <= max, and max is 3"),
        (
            scaled(min=3),
            "models[0].scaling: min 3, max 3: nothing to scale: use a greater max, "
            "or replicas: 3 in its place",
        ),
        (
            scaled(None, min=0),
            "models[0].scaling: min 0: requests are counted and held while no copy runs behind the gateway: "
            "add the section gateway, or use replicas",
        ),
        (
            scaled(None),
            "models[0].scaling: min 1: requests are counted behind the gateway: "
            "add the section gateway, or use replicas",
        ),
        (
            {**scaled(), "addons": {"keda": "off"}},
            "addons.keda: off: models[0] has scaling: use managed or existing",
        ),
        (
            {"gpu_pools": [SLICES], "models": [SMALL], "addons": {"keda": "managed"}},
            "addons.keda: managed: the section models[].scaling is missing",
        ),
    ],
)
def test_what_nothing_could_scale_is_refused_with_its_path(stack: dict[str, Any], line: str):
    assert line in problems(**stack)


def triggered(*triggers: tuple[str, int], observability: Any = None, **stack: Any) -> dict[str, Any]:
    listed = [{"metric": metric, "threshold": threshold} for metric, threshold in triggers]
    found = {**scaled(), **stack}
    found["models"][0]["scaling"]["triggers"] = listed
    return found if observability is None else {**found, "observability": observability}


def test_engine_metrics_are_followed_beside_requests():
    (model,) = planned(
        **triggered(("waiting-requests", 4), ("generated-tokens", 90), observability={})
    ).models
    assert model.scaling and model.scaling.concurrency == 2
    assert [(one.metric.value, one.threshold) for one in model.scaling.triggers] == [
        ("waiting-requests", 4),
        ("generated-tokens", 90),
    ]


@pytest.mark.parametrize(
    ("stack", "line"),
    [
        (
            triggered(("waiting-requests", 4)),
            "models[0].scaling.triggers: waiting-requests: Prometheus has what engines print: "
            "add the section observability",
        ),
        (
            triggered(("waiting-requests", 4), observability={}, addons={"observability": "off"}),
            "models[0].scaling.triggers: waiting-requests: Prometheus has what engines print: "
            "addon observability is off: use managed or existing",
        ),
        (
            triggered(("kv-cache-usage", 80), observability={}),
            "models[0].scaling.triggers[0].metric: kv-cache-usage: llama.cpp does not print it: "
            "use one of running-requests, waiting-requests, prompt-tokens, generated-tokens",
        ),
        (
            triggered(("waiting-requests", 4), ("waiting-requests", 5), observability={}),
            "models[0].scaling.triggers[1].metric: waiting-requests: it is in this list already: "
            "keep one of the two",
        ),
        (
            triggered(("kv-cache-usage", 101), observability={}, **large_stack()),
            "models[0].scaling.triggers[0].threshold: 101: percent of the cache: use 1 to 100",
        ),
    ],
)
def test_a_trigger_that_nothing_could_follow_is_refused(stack: dict[str, Any], line: str):
    assert problems(**stack) == [line]


def test_an_unknown_metric_is_refused_with_the_words_that_there_are():
    (line,) = problems(**triggered(("queue-length", 4), observability={}))
    assert line.startswith("models[0].scaling.triggers[0].metric: queue-length") and "kv-cache-usage" in line


def test_two_numbers_of_copies_are_one_too_many():
    stack = scaled()
    stack["models"][0]["replicas"] = 2
    assert problems(**stack) == [
        "models[0].replicas: beside scaling: scaling has min and max: take replicas out"
    ]


def test_a_canary_has_a_number_of_its_own():
    stack = scaled(min=0)
    stack["models"][0]["canary"] = {"weight": 10, "context": 1024}
    found = {one.name: one for one in planned(**stack).models}
    assert found["s-canary"].scaling is None and found["s-canary"].replicas_min == 1
    (routes,) = planned(**stack).gateway.tenants  # pyright: ignore[reportOptionalMemberAccess]
    assert routes.scaled == ("s",)
