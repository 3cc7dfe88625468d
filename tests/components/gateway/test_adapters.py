"""Adapters behind the gateway: called by names of their own, where their model is."""

import json
from typing import Any

import pytest
from tests.components.gateway.test_gateway import BLUE, made, named, rules

from corral.components._kit import ArgsError


def test_an_adapter_is_called_by_its_own_name_where_its_model_is():
    canary = {"model": "chat", "name": "chat-canary", "weight": 10}
    graph = made({**BLUE, "adapters": {"sql": "chat"}, "canaries": [canary]})
    (rule,) = rules(graph, "blue--sql")
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/blue/sql/v1"}}]
    weights = {one["name"]: (one["namespace"], one["weight"]) for one in rule["backendRefs"]}
    assert weights == {"chat-predictor": ("blue", 90), "chat-canary-predictor": ("blue", 10)}
    listed = named(graph, "HTTPRouteFilter", "blue-models")["spec"]["directResponse"]["body"]["inline"]
    assert [one["id"] for one in json.loads(listed)["data"]] == ["chat", "code", "sql"]


def test_the_calls_of_an_adapter_wait_for_its_model_and_are_held_as_its_are():
    tenant = {**BLUE, "adapters": {"sql": "chat"}, "scaled": ["chat"]}
    graph = made(tenant, keda="keda")
    (rule,), (own,) = rules(graph, "blue--sql"), rules(graph, "blue--chat")
    assert rule["backendRefs"] == own["backendRefs"] and rule["filters"] == own["filters"]
    assert "chat" in rule["filters"][0]["urlRewrite"]["hostname"]


@pytest.mark.parametrize(
    ("adapters", "line"),
    [
        ({"sql": "other"}, "adapter 'sql' of blue: 'other' is none of its models, chat, code"),
        ({"code": "chat"}, "/blue/code/v1 leads to two models"),
    ],
)
def test_an_adapter_that_no_model_serves_or_that_has_a_models_name_is_refused(adapters: Any, line: str):
    with pytest.raises(ArgsError, match=line):
        made({**BLUE, "adapters": adapters})
