"""A context that the pinned vLLM does not derive by itself: the plan has what the engine must be told."""

import json
from typing import Any

import pytest
from tests.stacks.stack_files import model, planned, pool, problems

from corral.stacks.planning.results.models import ModelPlan

ALLOW = {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}
OVERRIDES = json.dumps({"max_position_embeddings": 4096, "rope_parameters": {"rope_type": "dynamic"}})
WHOLE = [pool(name="whole", gpu="H100-80GB", sharing="whole")]
FACTS: dict[str, Any] = {
    "task": "chat",
    "license": "MIT",
    "dtype": "bf16",
    "weights-gib": 14.96,
    "layers": 32,
    "hidden": 4096,
    "intermediate": 14336,
    "vocabulary": 128256,
    "context": 131072,
    "attention": {"kind": "gqa", "heads": 32, "kv-heads": 8, "head-dim": 128},
    "long-context": {"above": 32768},
}


def stacked(tokens: int, **changes: Any) -> dict[str, Any]:
    entry = {key: value for key, value in {**FACTS, **changes}.items() if value is not None}
    chosen = model(model="ours", source="s3://models/ours", context=tokens, max_num_seqs=4)
    return {"custom_models": {"ours": entry}, "models": [chosen], "gpu_pools": WHOLE}


def served(tokens: int, **changes: Any) -> ModelPlan:
    return planned(**stacked(tokens, **changes)).models[0]


def test_above_what_vllm_derives_it_is_told_and_the_plan_says_so():
    found = served(131072)
    assert found.environment == ALLOW and "--hf-overrides" not in found.args
    assert found.notes == (
        "context: 131072: vLLM takes 32768 tokens of its files untold, "
        "and is told VLLM_ALLOW_LONG_MAX_MODEL_LEN=1",
    )


@pytest.mark.parametrize("context", [8192, 32768])
def test_up_to_what_vllm_derives_nothing_is_told(context: int):
    found = served(context)
    assert not found.environment and not found.notes


def test_a_cache_that_must_be_raised_is_raised_by_overrides():
    long = {"above": 2048, "overrides": OVERRIDES}
    found = served(4096, **{"context": 4096, "long-context": long})
    assert found.args[found.args.index("--hf-overrides") + 1] == OVERRIDES
    assert not found.environment and OVERRIDES in found.notes[0]
    assert "--hf-overrides" not in served(2048, **{"context": 4096, "long-context": long}).args


def test_llama_cpp_is_told_nothing():
    gguf = {"engine": "llama.cpp", "dtype": "Q4_1", "weights-gib": 5}
    found = served(131072, **gguf)
    assert found.engine.value == "llama.cpp"
    assert not found.environment and not found.notes and "--hf-overrides" not in found.args


def test_overrides_that_are_no_object_are_refused():
    (line,) = problems(**stacked(4096, **{"long-context": {"above": 2048, "overrides": "[1]"}}))
    assert line.startswith("custom-models.ours.long-context.overrides: [1]: a JSON object in quotes")
