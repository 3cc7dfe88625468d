"""A model's canary: what is planned and shown of it, and what is refused."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import model, parsed, planned, problems

from corral.stacks.config.model_lock import LockedModel
from corral.stacks.planning.planner import plan
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

GATEWAY = {"host": "models.example.eu"}
POOLS = [{"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n"]}, "gpus-per-node": 2}]
CANARY = {"weight": 10, "context": 4096}


def stack(canary: Any, **more: Any) -> dict[str, Any]:
    return {"models": [model(canary=canary)], "gpu_pools": POOLS, "gateway": GATEWAY, **more}


def test_a_canary_is_planned_as_a_model_of_its_own_under_the_name_of_its_model():
    chat, canary = planned(**stack(CANARY)).models
    assert (chat.name, canary.name, canary.canary_of, canary.weight) == ("chat", "chat-canary", "chat", 10)
    for one in (chat, canary):
        assert one.args[one.args.index("--served-model-name") + 1] == "chat"
    assert (chat.context, canary.context) == (8192, 4096)
    assert canary.tenant == chat.tenant and canary.namespace == chat.namespace
    assert canary.storage_path != chat.storage_path
    assert {(one.node, one.gpu) for each in (chat, canary) for one in each.placements} == {("n", 0), ("n", 1)}


def test_a_canary_changes_nothing_of_its_model_whose_pods_go_on():
    (alone,) = planned(**stack(None)).models
    for weight in (0, 100):
        assert planned(**stack({**CANARY, "weight": weight})).models[0] == alone


def test_callers_see_one_model_and_its_calls_are_divided():
    made = planned(**stack(CANARY))
    assert made.gateway is not None
    (routes,) = made.gateway.tenants
    assert routes.models == ("chat",)
    (one,) = routes.canaries
    assert (one.model, one.canary, one.weight) == ("chat", "chat-canary", 10)
    assert made.tenants[0].models == ("chat",)


def test_both_need_their_devices():
    (refused,) = problems(**stack({**CANARY, "replicas": 2}))
    assert refused.startswith("models[0].canary: chat-canary needs 2 x"), refused
    own = {"tenants": [{"name": "blue", "gpus": {"whole": 1}}]}
    (refused,) = problems(**stack(CANARY, **own))
    assert refused.startswith("tenants[0].gpus.whole: 1: its models need 2"), refused


def test_another_model_comes_from_a_source_of_its_own():
    found = problems(**stack({"weight": 1, "model": "qwen3-8b"}, models=[_real({"model": "qwen3-8b"})]))
    assert any(
        one.startswith("models[0].canary.source: missing: no package carries qwen3-8b") for one in found
    )


def test_the_files_of_a_canary_are_locked_by_its_own_name():
    config = parsed(**stack(None, models=[_real({"source": "s3://models/next"})]))
    files = [{"name": "model.safetensors", "size": 16 * 10**9, "sha256": "0" * 64}]
    lock = LockedModel.model_validate({"source": "s3://models/next", "date": "2026-11-28", "files": files})
    chat, canary = plan(config, "test", {"chat-canary": lock}).models
    assert not canary.unlocked and canary.source == "s3://models/next"
    assert chat.unlocked and chat.source == "s3://models/now"
    assert canary.cold_start.size == 16 * 10**9


def _real(canary: dict[str, Any]) -> dict[str, Any]:
    source = {"weights": "real", "source": "s3://models/now"}
    return model(**source, canary={"weight": 1, **canary})


@pytest.mark.parametrize(
    ("canary", "line"),
    [
        ({"context": 4096}, "models[0].canary.weight: missing"),
        ({**CANARY, "weight": 101}, "models[0].canary.weight: 101: use 100 at most"),
        ({**CANARY, "weight": -1}, "models[0].canary.weight: -1"),
        ({"weight": 5}, "models[0].canary: the same: as chat is: state what differs"),
        ({"weight": 5, "context": 8192, "replicas": 2}, "models[0].canary: the same"),
        ({**CANARY, "model": "llama-9"}, "models[0].canary.model: llama-9"),
        ({**CANARY, "pool": "other"}, "models[0].canary.pool: other"),
        ({**CANARY, "context": 999999}, "models[0].canary.context: 999999"),
        (
            {**CANARY, "model": "bge-m3"},
            "models[0].canary.model: bge-m3: for embedding, and chat is for chat",
        ),
        ({**CANARY, "name": "next"}, "models[0].canary.name"),
    ],
)
def test_a_wrong_canary_is_answered_with_its_path(canary: Any, line: str):
    found = problems(**stack(canary))
    assert any(one.startswith(line) for one in found), found


def test_a_canary_whose_context_is_too_short_for_its_model_s_answers_is_told_so_at_a_key_that_it_has():
    (refused,) = problems(**stack(CANARY) | {"models": [model(canary=CANARY, max_tokens=4096)]})
    most = "more than chat's max-tokens, 4096: prompt and answer share it"
    assert refused == f"models[0].canary.context: 4096: {most}"
    assert not problems(**stack(CANARY) | {"models": [model(canary=CANARY, max_tokens=4095)]})


def test_without_a_gateway_nothing_divides_the_calls():
    (refused,) = problems(**stack(CANARY, gateway=None))
    assert refused.startswith("models[0].canary.weight: 10: the gateway divides the calls: add"), refused


def test_a_canary_s_name_is_no_other_model_s():
    both = [model(canary=CANARY), model(name="chat-canary")]
    (refused,) = problems(**stack(CANARY, models=both))
    assert refused.startswith("models[1].name: chat-canary: the name of models[0].canary"), refused
    long = model(name="a" * 40, canary=CANARY)
    assert problems(**stack(CANARY, models=[long])) == [
        f"models[0].name: {'a' * 40}: beside a canary 33 characters at most"
    ]


def test_what_is_wrong_with_a_model_is_said_once():
    found = problems(**stack(CANARY, models=[model(canary=CANARY, tenant="nobody")], tenants=[{"name": "a"}]))
    assert len(found) == 1 and found[0].startswith("models[0].tenant: nobody"), found


def test_terminal_and_page_show_what_a_canary_takes():
    made = planned(**stack(CANARY))
    text = StringIO()
    render(made, Console(file=text, width=240))
    assert "chat-canary takes 10 % of the calls of chat; replicas: 1 beside 1" in text.getvalue()
    shown = page(made)
    assert "chat-canary" in shown and "10 % of the calls of chat" in shown
