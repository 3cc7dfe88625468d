"""Prompts read by replicas of their own: which GPUs, which memory, who counts them, and what is refused."""

import json
from io import StringIO
from itertools import pairwise
from typing import Any

import pytest
from rich.console import Console

from corral.catalogue.vocabulary import Addon, AddonState
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.planning.digests import artifacts
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.models import PrefillPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.document import page
from corral.stacks.reports.terminal.plan import render

CHAT = {
    "name": "chat",
    "model": "qwen3-32b",
    "source": "s3://models/chat",
    "kind": "LLMInferenceService",
    "replicas": 2,
    "prefill": {"replicas": 3},
}
POOL = {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n-0"]}, "gpus-per-node": 8}
OTHER = {**POOL, "name": "prefill", "nodes": {"names": ["p-0"]}}
HYBRID = {
    "task": "chat",
    "license": "Apache-2.0",
    "gated": False,
    "dtype": "bf16",
    "engine": "vllm",
    "weights-gib": 50,
    "layers": 64,
    "hidden": 5120,
    "intermediate": 17408,
    "vocabulary": 248320,
    "context": 32768,
    "attention": {
        "kind": "hybrid",
        "heads": 24,
        "kv-heads": 4,
        "head-dim": 256,
        "full-layers": 16,
        "state-heads": 48,
        "state-key-heads": 16,
        "state-dim": 128,
        "kernel": 4,
    },
}
GATEWAY = {"host": "models.example.eu"}


def stack(*pools: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The stack file of one model on `pools`, changed by `changes`; None takes a key out."""
    model = {**CHAT, **{key.replace("_", "-"): value for key, value in changes.items()}}
    return {
        "sovereignty": {"profile": "open", "region": "eu-central-1"},
        "cluster": {"kind": "existing", "context": "x"},
        "gpu-pools": list(pools) or [POOL],
        "models": [{key: value for key, value in model.items() if value is not None}],
        "model-sources": [{"name": "intake", "url": "s3://models", "endpoint": "https://s3.example.eu"}],
        "gateway": GATEWAY,
    }


def planned(content: dict[str, Any]) -> Plan:
    return plan(parse(content), "test", pinned=False)


def prefill_of(made: Plan) -> PrefillPlan:
    (prefill,) = [one.prefill for one in made.models]
    assert prefill is not None
    return prefill


def refused(content: dict[str, Any]) -> str:
    with pytest.raises(StackErrors) as caught:
        planned(content)
    return str(caught.value)


def said(args: tuple[str, ...]) -> dict[str, str]:
    return dict(pairwise(args))


def test_its_replicas_have_gpus_of_their_own_behind_those_of_the_model():
    made = planned(stack())
    (model,) = made.models
    assert [one.gpu for one in model.placements] == [0, 1]
    assert [one.gpu for one in prefill_of(made).placements] == [2, 3, 4]
    named = [slot.model for gpu in made.pools[0].gpus for slot in gpu.slices]
    assert named == ["chat"] * 2 + ["chat-prefill"] * 3 + [None] * 3


def test_a_pool_of_its_own_holds_it_alone():
    made = planned(stack(POOL, OTHER, prefill={"pool": "prefill"}, pool="whole"))
    prefill = prefill_of(made)
    assert (prefill.pool, prefill.replicas, made.models[0].pool) == ("prefill", 1, "whole")
    assert {one.node for one in prefill.placements} == {"p-0"}


def test_without_a_pool_it_follows_the_model_even_where_another_is_smaller():
    small = {**OTHER, "gpu": "A100-80GB"}
    assert prefill_of(planned(stack(small, POOL, pool="whole"))).pool == "whole"


def test_it_is_spread_as_the_model_is_unless_it_says_otherwise():
    assert prefill_of(planned(stack(tensor_parallel=2, replicas=1))).claim.count == 6 // 3
    made = planned(stack(tensor_parallel=2, replicas=1, prefill={"replicas": 1, "tensor-parallel": 4}))
    prefill = prefill_of(made)
    assert (prefill.claim.count, prefill.device, made.models[0].claim.count) == (4, "4 GPUs", 2)
    assert said(prefill.args)["--tensor-parallel-size"] == "4"
    assert prefill.memory.weights < made.models[0].memory.weights


def test_each_side_is_told_its_part_and_its_port_exactly():
    made = planned(stack())
    decode, prefill = said(made.models[0].args), said(prefill_of(made).args)
    assert (decode["--port"], prefill["--port"]) == ("8001", "8000")
    config = {"kv_connector": "NixlConnector", "kv_load_failure_policy": "fail"}
    assert json.loads(decode["--kv-transfer-config"]) == {**config, "kv_role": "kv_consumer"}
    assert json.loads(prefill["--kv-transfer-config"]) == {**config, "kv_role": "kv_producer"}
    alike = {"--max-model-len", "--block-size", "--kv-cache-dtype", "--dtype", "--served-model-name"}
    assert {key: decode.get(key) for key in alike} == {key: prefill.get(key) for key in alike}


def test_a_model_without_it_has_neither_flag_nor_port_of_it():
    (model,) = planned(stack(prefill=None)).models
    assert model.prefill is None and "--kv-transfer-config" not in model.args
    assert said(model.args)["--port"] == "8000" and model.service.startswith("chat-kserve-workload-svc.")


def test_calls_go_to_the_side_that_answers():
    made = planned(stack())
    assert made.models[0].service == "chat-decode.models.svc.cluster.local"
    assert made.gateway is not None and made.gateway.tenants[0].disaggregated == ("chat",)


def test_tenants_and_costs_count_both_sides():
    made = planned(stack({**POOL, "price-per-hour": 16, "purchase": "on-demand"}))
    assert [one.count for one in made.shares.tenants[0].needed] == [5]
    hours = {one.model: one.hour for pool in made.cost.pools for one in pool.models}
    assert hours["chat-prefill"] * 2 == hours["chat"] * 3
    tenant = {"name": "team", "gpus": {"whole": 4}}
    assert "its models need 5 x whole GPU: use 5 or more" in refused({**stack(), "tenants": [tenant]})


def test_what_replaces_an_api_pays_for_both_sides():
    pool = {**POOL, "price-per-hour": 16, "purchase": "on-demand"}
    both, alone = (planned(stack(pool, prefill=prefill)) for prefill in ({"replicas": 2}, None))
    assert both.cost.apis[0].tokens == pytest.approx(2 * alone.cost.apis[0].tokens, rel=1e-6)
    assert both.cost.apis[0].utilisation is None


def test_early_images_are_pulled_to_both_pools():
    pools = [{**one, "pre-pull": True} for one in (POOL, OTHER)]
    made = planned(stack(*pools, prefill={"pool": "prefill"}, pool="whole"))
    assert [one.pool for one in made.pre_pulls] == ["whole", "prefill"]


def test_a_full_pool_is_refused_at_the_side_that_has_no_room():
    text = refused(stack(prefill={"replicas": 7}))
    assert "models[0].prefill: chat-prefill needs 7 x" in text and "use replicas: 6, or more GPUs" in text


def test_the_plan_says_what_a_prompt_hands_over_and_what_is_not_known():
    (model,) = planned(stack(context=4096, full_sequences=2)).models
    prefill = model.prefill
    assert prefill is not None
    # 64 layers, 8 heads of 128, keys and values of 2 bytes: 256 KiB a token.
    assert prefill.memory.kv_cache == 2 * 4096 * 256 * 1024
    (handed, unknown) = model.notes
    assert "a prompt of 4096 tokens hands over 1.0 GiB at most" in handed and "not been measured" in handed
    assert "handed over by TCP" in unknown


def test_table_and_page_show_both_sides():
    made = planned(stack())
    text = StringIO()
    render(made, Console(file=text, width=120))
    lines = text.getvalue().splitlines()
    (row,) = [one for one in lines if "prefill of chat" in one]
    assert row.split()[-3:] == ["whole", "GPU", "x3"]
    assert len([one for one in lines if one.startswith("chat-prefill ")]) == 2
    html = page(made)
    assert "prefill of chat" in html and "5 replicas" in html


def test_the_sidecar_is_pulled_for_it_alone():
    for prefill in (True, False):
        used = artifacts({Addon.LLM_INFERENCE_SERVICE: AddonState.MANAGED}, None, [], None, prefill=prefill)
        assert ("routing-sidecar" in {one.name for one in used.images}) is prefill


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"kind": "InferenceService"}, "models[0].kind", "use LLMInferenceService"),
        ({"model": "smollm2-135m", "source": None}, "models[0].prefill", "vllm alone hands prompts over"),
        ({"model": "bge-m3", "engine": "vllm"}, "models[0].prefill", "nothing follows its prompts"),
        ({"model": "llama-4-scout"}, "models[0].prefill", "use a model of text alone"),
        ({"pipeline_parallel": 2}, "models[0].pipeline-parallel", "leave it or prefill out"),
        (
            {"adapters": [{"name": "law", "source": "s3://models/law", "rank": 8}]},
            "models[0].adapters",
            "leave it or prefill out",
        ),
        (
            {"replicas": None, "scaling": {"max": 2}},
            "models[0].scaling",
            "use replicas and prefill.replicas",
        ),
        ({"canary": {"weight": 5, "context": 4096}}, "models[0].canary", "leave it or prefill out"),
        ({"time_to_first_token": 1}, "models[0].time-to-first-token", "without the time to read it"),
        ({"prefill": {"pool": "hole"}}, "models[0].prefill.pool", "whole"),
        ({"local_cache": True}, "models[0].local-cache", "leave local-cache out"),
    ],
)
def test_what_cannot_have_it_is_refused_by_its_place_with_a_way_out(change, path, reason):
    (line,) = [one for one in refused(stack(**change)).splitlines() if f"{path}:" in one]
    assert reason in line


def test_without_a_gateway_nothing_would_name_it():
    content = {key: value for key, value in stack().items() if key != "gateway"}
    assert "models[0].prefill: without gateway" in refused(content)
    assert "add the section gateway" in refused(content)


def test_a_model_of_the_same_name_is_refused():
    content = stack()
    content["models"].append({"name": "chat-prefill", "model": "qwen3-8b", "source": "s3://models/x"})
    assert "models[1].name: chat-prefill" in refused(content)


@pytest.mark.parametrize("where", ["pool", "prefill"])
@pytest.mark.parametrize("sharing", [{"mig": "auto"}, {"time-slicing": 2}])
def test_parts_of_gpus_are_refused_for_either_side(where, sharing):
    parts = {**OTHER, "sharing": sharing}
    change = {"pool": {"pool": "prefill"}, "prefill": {"pool": "whole", "prefill": {"pool": "prefill"}}}
    text = refused(stack(POOL, parts, **change[where]))
    path = {"pool": "models[0].pool", "prefill": "models[0].prefill.pool"}[where]
    assert f"{path}: prefill" in text and "use a pool with sharing: whole" in text


def test_where_there_are_parts_alone_it_is_refused_without_a_stated_pool():
    text = refused(stack({**POOL, "sharing": {"mig": "auto"}}))
    assert "chat needs whole GPUs" in text and "pool whole has mig: use a pool with sharing: whole" in text


def test_gpus_that_choose_another_attention_backend_are_refused():
    other = {**OTHER, "gpu": "A100-80GB"}
    text = refused(stack(POOL, other, pool="whole", prefill={"pool": "prefill"}))
    assert "models[0].prefill.pool: prefill with A100-80GB" in text and "use pool whole" in text
    like = {**OTHER, "gpu": "H200-141GB"}
    assert prefill_of(planned(stack(POOL, like, pool="whole", prefill={"pool": "prefill"}))).pool == "prefill"


def test_states_of_layers_are_not_divided_anew():
    content = stack(model="own", replicas=1, tensor_parallel=2, prefill={"tensor-parallel": 4})
    text = refused({**content, "custom-models": {"own": HYBRID}})
    assert "models[0].prefill.tensor-parallel" in text and "use 2, as the model" in text


def test_without_the_controller_it_is_refused():
    text = refused({**stack(), "addons": {"llm-inference-service": "off"}})
    assert "models[0].kind is LLMInferenceService: use managed or existing" in text
