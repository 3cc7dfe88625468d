"""Every panel, rule and alert of the platform on series that are replayed, in a Prometheus that runs.

What the exporters print is made (each file says after which source), not recorded; labels, scrapes,
queries and evaluations are real. What runs on a plane is measured by tests/e2e and tests/fair_sharing.
"""

import math
import time

import httpx
import pytest
from tests.e2e.platform_client import wait_for
from tests.replay.conftest import SCRAPED_SECONDS, SETTLED_SECONDS, Replay, queries

pytestmark = pytest.mark.engine

MISSING = {
    "CertManagerMissing",
    "FairSharingMissing",
    "GatewayMissing",
    "GpuMetricsMissing",
    "KServeMissing",
    "KedaMissing",
    "KyvernoMissing",
    "ModelStorageDown",
}
"""Alerts on what says nothing; all others are on what is said."""


@pytest.fixture(scope="module", autouse=True)
def scraped(replay: Replay) -> None:
    def all_up() -> bool:
        try:
            return len(replay.exporters.known) * 4 <= sum(replay.values("count_over_time(up[1m])"))
        except httpx.HTTPError:
            assert replay.process.poll() is None, "Prometheus has ended"
            return False

    wait_for(all_up, SCRAPED_SECONDS, "every exporter has been scraped a few times")
    assert replay.values("up == 0") == []


def fires(replay: Replay, expected: set[str]) -> None:
    """Wait until these alerts fire and no other."""
    until = time.monotonic() + SETTLED_SECONDS
    while replay.firing() != expected and time.monotonic() < until:
        time.sleep(0.5)
    assert replay.firing() == expected


def test_every_line_of_every_panel_is_drawn_with_finite_numbers(replay: Replay):
    drawn = queries(replay.graphs)
    assert len(drawn) > 60

    def lacking() -> set[tuple[str, str, str]]:
        found = {one: replay.values(one[-1]) for one in drawn}
        return {one for one, values in found.items() if not values or not all(map(math.isfinite, values))}

    wait_for(lambda: not lacking(), SETTLED_SECONDS, f"lines without numbers: {lacking()}")


def test_every_rule_is_evaluated_and_no_alert_fires_in_good_times(replay: Replay):
    wait_for(
        lambda: all(rule["health"] == "ok" for rule in replay.rules()), SETTLED_SECONDS, "rules are evaluated"
    )
    stated = {
        rule.get("alert", rule.get("record"))
        for graph in replay.graphs
        for one in graph.of("PrometheusRule")
        for group in one.inputs["spec"]["groups"]
        for rule in group["rules"]
    }
    assert {rule["name"] for rule in replay.rules()} == stated
    assert replay.firing() == set()
    for rule in replay.rules():
        assert rule["type"] == "alerting" or replay.values(rule["name"]), rule["name"]


def test_every_alert_on_silence_fires_once_nothing_answers(replay: Replay):
    replay.exporters.down = True
    fires(replay, MISSING)


def test_every_alert_on_what_exporters_say_fires_in_bad_times(replay: Replay):
    replay.exporters.down, replay.exporters.trouble = False, True
    expected = {rule["name"] for rule in replay.rules() if rule["type"] == "alerting"} - MISSING
    fires(replay, expected)
