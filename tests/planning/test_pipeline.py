"""Models on several nodes: which nodes, how much of each, and what is refused."""

from typing import Any

import pytest

from corral.catalogue.models import models
from corral.catalogue.vocabulary import Addon, AddonState
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.planning.memory.stages import stage
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan

LARGE = {
    "name": "large",
    "model": "llama-3.1-405b",
    "source": "s3://models/large",
    "kind": "LLMInferenceService",
    "pipeline-parallel": 2,
}
POOL = {"name": "whole", "gpu": "H100-80GB", "nodes": {"names": ["n-0", "n-1"]}, "gpus-per-node": 8}
SMALL = {"name": "small", "model": "llama-3.1-8b", "source": "s3://models/small"}


def stack(*more: dict[str, Any], pools: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """The stack file of one model on two nodes, and of `more` after it."""
    return {
        "sovereignty": {"profile": "open", "region": "eu-central-1"},
        "cluster": {"kind": "existing", "context": "x"},
        "gpu-pools": pools or [POOL],
        "models": [{**LARGE, **changes}, *more],
        "model-sources": [{"name": "intake", "url": "s3://models", "endpoint": "https://s3.example.eu"}],
    }


def planned(content: dict[str, Any]) -> Plan:
    return plan(parse(content), "test", pinned=False)


def refused(content: dict[str, Any]) -> str:
    with pytest.raises(StackErrors) as caught:
        planned(content)
    return str(caught.value)


def test_a_replica_has_all_gpus_of_as_many_nodes_as_it_has_stages():
    made = planned(stack())
    (model,) = made.models
    assert [(one.node, one.gpu) for one in model.placements] == [("n-0", 0), ("n-1", 0)]
    assert (model.nodes, model.claim.count, model.device) == (2, 8, "2 nodes x 8 GPUs")
    assert all(slot.model == "large" for gpu in made.pools[0].gpus for slot in gpu.slices)


def test_vllm_is_told_stages_and_shares_exactly():
    (model,) = planned(stack()).models
    said = dict(zip(model.args, model.args[1:], strict=False))
    assert (said["--tensor-parallel-size"], said["--pipeline-parallel-size"]) == ("8", "2")
    assert said["--port"] == "8000"


def test_a_stage_weighs_less_than_the_model_and_more_than_its_even_share():
    for key in ("llama-3.1-405b", "qwen3-235b-a22b", "deepseek-v3"):
        facts = models()[key]
        for stages in (2, 4):
            assert facts.weights / stages < stage(facts, stages).weights < facts.weights, (key, stages)


def test_stages_of_layers_that_differ_keep_the_whole_of_a_sequence():
    alike, differing = models()["llama-3.1-405b"], models()["gpt-oss-120b"]
    assert stage(alike, 2).layers == alike.layers // 2
    assert stage(differing, 2).layers == differing.layers


def test_more_stages_leave_more_memory_on_each_gpu():
    nodes = {"names": [f"n-{number}" for number in range(4)]}
    pools = [{**POOL, "nodes": nodes}]
    two, four = (planned(stack(pools=pools, **{"pipeline-parallel": number})) for number in (2, 4))
    assert two.models[0].memory.free < four.models[0].memory.free


def test_a_tenant_has_the_devices_of_every_node():
    made = planned(stack())
    (share,) = made.shares.tenants
    assert [one.count for one in share.needed] == [16]


def test_the_set_of_a_group_and_its_controllers_are_there_for_it_alone():
    made = planned(stack())
    assert made.state(Addon.LWS) is made.state(Addon.LLM_INFERENCE_SERVICE) is AddonState.MANAGED
    one = planned(stack(model="llama-3.1-8b", **{"pipeline-parallel": 1}))
    assert one.state(Addon.LWS) is AddonState.OFF
    assert one.state(Addon.LLM_INFERENCE_SERVICE) is AddonState.MANAGED


def test_an_inference_service_needs_neither():
    made = planned(stack(model="llama-3.1-8b", kind="InferenceService", **{"pipeline-parallel": 1}))
    assert made.state(Addon.LLM_INFERENCE_SERVICE) is made.state(Addon.LWS) is AddonState.OFF


def test_a_full_pool_is_refused_with_the_nodes_that_are_left():
    text = refused(stack({**SMALL, "pool": "whole"}, replicas=2))
    assert "large needs 2 x 2 nodes" in text and "2 of pool whole" in text
    others = refused({**stack(), "models": [SMALL, LARGE]})
    assert "nodes without another model are 1 of pool whole" in others


def test_a_canary_is_counted_beside_its_model():
    host = {"gateway": {"host": "models.example.eu"}}
    text = refused({**stack(canary={"weight": 10, "context": 4096}), **host})
    assert "models[0].canary" in text and "large-canary needs 1 x 2 nodes" in text


@pytest.mark.parametrize(
    ("pool", "reason"),
    [
        ({"nodes": {"names": ["n-0"]}}, "pool whole has 1 node: use a pool of whole GPUs with 2 nodes"),
        ({"sharing": {"mig": "auto"}}, "has GPUs in parts (mig), and parts have no path between them"),
        ({"gpus-per-node": 3}, "has 3 GPUs a node, which 128 attention heads do not divide among"),
    ],
)
def test_nodes_that_no_replica_can_span_are_refused(pool, reason):
    assert reason in refused(stack(pools=[{**POOL, **pool}]))


def test_a_stage_that_fits_on_no_node_is_refused_with_what_it_needs():
    pool = {**POOL, "gpu": "A100-40GB"}
    text = refused(stack(pools=[pool]))
    assert "of each GPU for its largest of 2 stages" in text and "use more stages" in text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "InferenceService"}, "replicas on 2 nodes: use LLMInferenceService"),
        ({"replicas": {"min": 1, "max": 2}}, "replicas on 2 nodes have a fixed number: use replicas: 2"),
        ({"model": "bge-m3"}, "bge-m3 is for embedding and fits on one node: use 1"),
        ({"model": "smollm2-135m", "source": None}, "llama.cpp serves from one node: use 1"),
        ({"model": "llama-4-scout"}, "llama-4-scout has an encoder, whose stage is not sized"),
        ({"tensor-parallel": 4}, "all of which a stage takes, and tensor-parallel is 4"),
        ({"local-cache": True}, "nodes keep files for kind InferenceService"),
    ],
)
def test_what_cannot_span_nodes_is_refused_by_its_place(change, reason):
    stated = {key: value for key, value in {**LARGE, **change}.items() if value is not None}
    text = refused({**stack(), "models": [stated]})
    assert reason in text and "models[0]" in text


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"addons": {"lws": "off"}}, "LeaderWorkerSet makes its groups; use managed or existing"),
        ({"addons": {"llm-inference-service": "off"}}, "models[0].kind is LLMInferenceService"),
        ({"fair-sharing": {"borrowing": True}}, "queues do not hold groups of pods here"),
        (
            {"cluster": {"kind": "embedded"}, "sovereignty": {"profile": "open", "region": "embedded"}},
            "cluster kind embedded runs programs, and LeaderWorkerSet is none of them: use 1",
        ),
    ],
)
def test_where_nobody_makes_groups_it_is_refused_in_one_line(more, reason):
    assert reason in refused({**stack(), **more})
