"""Limits by tokens, which all proxies share: real proxies, the real rate limit service, a real Valkey.

The platform comes up anew, after a test that destroyed it; in the end red's tokens are spent.
"""

import json
import os
import signal
from typing import Any

import httpx
import pytest
from tests.e2e import platform_client
from tests.e2e.platform_client import Platform
from tests.fair_sharing.callers import (
    KEYS,
    RESTART_SECONDS,
    SPACE,
    answers,
    call,
    question,
    status_of,
    streamed,
    up,
)
from tests.fair_sharing.stack import RED_TOKENS, STACK

from corral.catalogue.gateway import PROXY

pytestmark = pytest.mark.engine

COUNTED_SECONDS = 10
MONTH_SECONDS = 30 * 24 * 3600
STORE = ("rate-limit-store", "token-limits")
LONG = "Repeat: " + "one two three four five six seven eight nine ten " * 40


@pytest.fixture(scope="module")
def platform(platform: Platform) -> Platform:
    """The platform of `STACK`, whatever became of it before."""
    up(platform, STACK)
    return platform


def meter(client: httpx.Client) -> int:
    """Tokens that red has left, by a call that costs none."""
    shown = call(client, "/red/smollm2/v1/models", KEYS["red"])
    assert shown.status_code == 200, shown.text
    assert shown.headers["x-ratelimit-limit"].startswith(f"{RED_TOKENS},")
    return int(shown.headers["x-ratelimit-remaining"])


def counted(client: httpx.Client, before: int, used: int) -> None:
    """Waits until red has as many tokens less; an answer's are counted once it has ended."""
    assert used > 0
    wanted = max(0, before - used)
    platform_client.wait_for(
        lambda: meter(client) == wanted, COUNTED_SECONDS, f"{wanted} of {before} tokens are left"
    )


def usages_of_stream(client: httpx.Client, body: dict[str, Any]) -> list[int]:
    """Totals of the usage that events of a stream state."""
    with streamed(client, body) as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data: {")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]
    assert any(event["choices"] for event in events)
    return [event["usage"]["total_tokens"] for event in events if event.get("usage")]


def ask(client: httpx.Client, path: str = "/red/v1") -> httpx.Response:
    return call(client, f"{path}/chat/completions", KEYS["red"], question(LONG, 1))


def spend(client: httpx.Client) -> None:
    """Calls until red's tokens are spent."""
    for _ in range(20):
        if ask(client).status_code == 429:
            return
    pytest.fail(f"{RED_TOKENS} tokens are not spent: {meter(client)} are left")


def test_tokens_of_an_answer_are_counted_by_either_path(client):
    answers(client, "red", KEYS["red"], 200)
    for path in ("/red/v1", "/red/smollm2/v1"):
        before = meter(client)
        answered = call(client, f"{path}/chat/completions", KEYS["red"], question("Hello", 3)).json()
        counted(client, before, answered["usage"]["total_tokens"])


@pytest.mark.parametrize(
    "stated",
    [{}, {"stream_options": {"include_usage": False}}, {"stream_options": {"include_usage": True}}],
    ids=["unasked", "off", "on"],
)
def test_tokens_of_a_stream_are_counted_and_are_stated_to_who_asks(client, stated):
    answers(client, "red", KEYS["red"], 200)
    body, before = question("Hello", 3), meter(client)
    used = call(client, "/red/v1/chat/completions", KEYS["red"], body).json()["usage"]["total_tokens"]
    counted(client, before, used)
    shown = usages_of_stream(client, {**body, "stream": True, **stated})
    asked = stated.get("stream_options", {}).get("include_usage", False)
    assert shown == ([used] if asked else [])
    counted(client, before - used, used)


def test_spent_tokens_are_answered_with_the_reason_and_when_to_come_again(client):
    answers(client, "blue", KEYS["blue"], 200)
    spend(client)
    for path in ("/red/v1", "/red/smollm2/v1"):
        refused = ask(client, path)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "insufficient_quota"
        assert str(RED_TOKENS) in refused.json()["error"]["message"]
        assert 0 < int(refused.headers["retry-after"]) <= MONTH_SECONDS
    other = call(client, "/blue/chat/v1/chat/completions", KEYS["blue"], question(LONG, 1))
    assert "tokens" not in other.text, "red's tokens are its own"


def test_a_killed_proxy_and_a_killed_store_come_back_with_the_counts(platform, client):
    spend(client)
    for space, pod in ((SPACE, PROXY), (STORE[1], STORE[0])):
        killed = platform.program_of(space, pod)
        os.kill(killed.pid, signal.SIGKILL)
        platform_client.wait_for(lambda killed=killed: not killed.alive, 10, f"the killed {pod} is gone")
        platform_client.wait_for(lambda: _status(client) == 429, RESTART_SECONDS, "red is refused again")


def test_calls_pass_uncounted_while_the_store_is_gone(platform: Platform, client):
    spend(client)
    _scale(platform, 0)
    platform_client.wait_for(lambda: _status(client) == 200, RESTART_SECONDS, "calls pass")
    _scale(platform, 1)
    platform_client.wait_for(lambda: _status(client) == 429, RESTART_SECONDS, "red is refused again")


def _scale(platform: Platform, replicas: int) -> None:
    platform.kubectl("scale", "statefulset", STORE[0], "-n", STORE[1], f"--replicas={replicas}")


def _status(client: httpx.Client) -> int | None:
    return status_of(client, "/red/smollm2/v1/models", KEYS["red"])
