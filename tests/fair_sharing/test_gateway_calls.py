"""Calls of models through the gateway: real proxies, a real model, keys and limits of two tenants."""

import json
import os
import signal
import time

import pytest
from tests.e2e import platform_client
from tests.fair_sharing.callers import (
    KEYS,
    PORT,
    RESTART_SECONDS,
    SPACE,
    answers,
    call,
    change_key,
    question,
    status_of,
    streamed,
)
from tests.fair_sharing.stack import BLUE_CALLS, MOST_TOKENS

from corral.catalogue.gateway import PROXY

pytestmark = pytest.mark.engine


def test_a_call_with_a_key_is_answered_by_the_model_that_it_names_as_it_comes(client):
    answers(client, "red", KEYS["red"], 200)
    body = question("What is the capital of France?", 12, stream=True)
    begun, came, text = time.monotonic(), [], ""
    with streamed(client, body) as answer:
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                came.append(time.monotonic() - begun)
                choices = json.loads(line.removeprefix("data: "))["choices"]
                text += "".join(one["delta"].get("content") or "" for one in choices)
    assert text.strip(), "it says something"
    assert len(came) > 5
    assert came[-1] - came[0] > 0.1 * came[-1], f"all of it came at once: {came}"


def test_a_model_has_a_path_of_its_own_and_a_name_that_no_model_has_is_refused(client):
    listed = call(client, "/red/v1/models", KEYS["red"]).json()
    assert [one["id"] for one in listed["data"]] == ["smollm2"]
    own = call(client, "/red/smollm2/v1/models", KEYS["red"])
    assert own.status_code == 200 and own.json()["object"] == "list", own.text
    unknown = call(client, "/red/v1/chat/completions", KEYS["red"], question("Hello", 1, model="gpt-5"))
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("path", ["/red/v1", "/red/smollm2/v1"])
def test_a_call_for_a_longer_answer_than_the_model_gives_is_refused_with_the_number(client, path):
    body = question("Hello", MOST_TOKENS + 1)
    refused = call(client, f"{path}/chat/completions", KEYS["red"], body)
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]["message"] == f"An answer of this model has at most {MOST_TOKENS} tokens."


@pytest.mark.parametrize(
    ("tenant", "key"),
    [("red", None), ("red", "sk-nobody"), ("red", KEYS["blue"]), ("blue", KEYS["red"])],
    ids=["none", "unknown", "blue's for red", "red's for blue"],
)
def test_a_call_without_a_key_of_the_tenant_is_refused_in_the_interfaces_own_form(client, tenant, key):
    answers(client, "blue", KEYS["blue"], 200)
    refused = call(client, f"/{tenant}/v1/chat/completions", key, question("Hello", 1))
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "invalid_api_key"


def test_a_key_that_is_revoked_opens_nothing_and_the_others_go_on(platform, client):
    change_key(platform, "red", "laptop", "sk-laptop-0123456789")
    answers(client, "red", "sk-laptop-0123456789", 200)
    change_key(platform, "red", "laptop", None)
    answers(client, "red", "sk-laptop-0123456789", 401)
    assert call(client, "/red/v1/models", KEYS["red"]).status_code == 200


def test_everything_of_the_gateway_listens_on_loopback_addresses(platform):
    processes = {one.pid: one.command for one in platform.processes()}
    sockets = platform_client.listening(set(processes))
    outside = {
        processes[pid][:120]: several
        for pid, every in sockets.items()
        if (several := {one for one in every if not platform_client.is_loopback(one[1])})
    }
    assert outside == {}
    for program, ports in (
        ("bin/envoy ", {PORT, 19000, 19001, 19003}),
        ("bin/envoy-gateway server", {18000, 8081}),
    ):
        heard = {port for pid, every in sockets.items() if program in processes[pid] for _, _, port in every}
        assert ports <= heard, (program, heard)


def test_a_killed_proxy_comes_back_and_calls_succeed(platform, client):
    killed = platform.program_of(SPACE, PROXY)
    os.kill(killed.pid, signal.SIGKILL)
    platform_client.wait_for(lambda: not killed.alive, 10, "the killed proxy is gone")
    platform_client.wait_for(
        lambda: status_of(client, "/red/smollm2/v1/models", KEYS["red"]) == 200,
        RESTART_SECONDS,
        "a call succeeds again",
    )


def test_more_calls_than_the_limit_are_refused_with_the_reason_and_when_to_come_again(client):
    # Nothing answers behind this route: the model is simulated. The limit comes first.
    # A new minute may begin in between.
    calls = [call(client, "/blue/chat/v1/models", KEYS["blue"]) for _ in range(2 * BLUE_CALLS + 1)]
    assert {one.status_code for one in calls[:BLUE_CALLS]} == {503}
    assert calls[0].json()["error"]["code"] == "service_unavailable"
    refused = next(one for one in calls if one.status_code == 429)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert int(refused.headers["retry-after"]) > 0
    own = call(client, "/red/smollm2/v1/models", KEYS["red"])
    assert own.status_code == 200, "blue's limit is its own"
