"""Settings of the engine in a stack file: the planner counts with them, and the engine gets the same."""

from typing import Any

import pytest
from tests.stacks.stack_files import GIB, model, planned, pool, problems

from corral.stacks.planning.memory.vllm import pinned_version
from corral.stacks.planning.results.models import ModelPlan

WHOLE = [pool(name="whole", gpu="H100-80GB", sharing="whole", gpus_per_node=4)]


def served(**changes: Any) -> ModelPlan:
    """The plan of one model on whole H100s."""
    return planned(gpu_pools=WHOLE, models=[model(**changes)]).models[0]


def value(found: ModelPlan, flag: str) -> str:
    return found.args[found.args.index(flag) + 1]


def refused(**changes: Any) -> str:
    """The one line that a model on whole H100s is refused with."""
    found = problems(gpu_pools=WHOLE, models=[model(**changes)])
    assert len(found) == 1, found
    return found[0]


def test_a_share_is_what_the_plan_fills_and_the_engine_is_told():
    half, most = served(gpu_memory_utilization=0.5), served()
    assert value(half, "--gpu-memory-utilization") == "0.5"
    assert value(most, "--gpu-memory-utilization") == "0.92"
    assert half.memory.overhead - most.memory.overhead == pytest.approx(0.42 * half.memory.usable, abs=2)
    assert half.memory.free < most.memory.free


def test_a_share_beyond_what_the_driver_leaves_is_lowered_and_said():
    found = planned(models=[model(model="llama-3.2-1b", max_num_seqs=8, gpu_memory_utilization=0.95)])
    assert value(found.models[0], "--gpu-memory-utilization") == "0.87"
    assert found.models[0].notes == (
        "gpu-memory-utilization: 0.95 is lowered to 0.87, what the driver leaves of 4.8 GiB",
    )


def test_a_replica_is_spread_over_as_many_gpus_as_stated():
    found = served(tensor_parallel=4)
    assert value(found, "--tensor-parallel-size") == "4" and found.device == "4 GPUs"
    assert found.memory.weights < served().memory.weights / 3


def test_a_narrow_cache_holds_twice_the_tokens():
    wide, narrow = served(), served(kv_cache_dtype="fp8")
    assert value(narrow, "--kv-cache-dtype") == "fp8"
    assert narrow.memory.kv_cache * 2 == wide.memory.kv_cache
    assert any("kv-cache-dtype" in note for note in narrow.notes) and not wide.notes


def test_a_step_counts_as_stated():
    found = served(max_num_batched_tokens=2048)
    assert value(found, "--max-num-batched-tokens") == "2048"
    assert found.memory.activation < served().memory.activation
    many = served(max_num_batched_tokens=16384)
    assert many.memory.activation > served().memory.activation


def test_a_windowed_cache_shrinks_with_the_step():
    """vLLM logged a need of 5.98 GiB for gemma-4-26b-a4b at 262,144 tokens with steps of 2,048."""
    found = served(model="gemma-4-26b-a4b", context=262144, max_num_batched_tokens=2048)
    assert found.memory.kv_cache / GIB == pytest.approx(5.98, abs=0.005)


def test_without_graphs_none_are_counted_or_asked_for():
    eager = served(enforce_eager=True)
    assert "--enforce-eager" in eager.args and "--max-cudagraph-capture-size" not in eager.args
    assert eager.memory.overhead < served().memory.overhead


def test_without_prefixes_a_recurrent_model_keeps_one_state():
    both, one = served(model="qwen3.6-27b"), served(model="qwen3.6-27b", prefix_caching=False)
    assert "--no-enable-prefix-caching" in one.args
    assert "--enable-prefix-caching" in served(prefix_caching=True).args
    assert both.memory.kv_cache > one.memory.kv_cache


def test_blocks_are_as_long_as_stated():
    found = served(block_size=128, context=8193)
    assert value(found, "--block-size") == "128"
    assert found.memory.kv_cache == 8320 * 128 * 1024
    assert "--block-size" not in served().args


def test_both_engines_are_told_the_most_tokens_of_an_answer_in_their_own_words():
    assert value(served(max_tokens=512), "--override-generation-config") == '{"max_new_tokens": 512}'
    small = served(model="smollm2-135m", context=2048, max_tokens=512)
    assert value(small, "--predict") == "512"
    unlimited = served()
    assert "--override-generation-config" not in unlimited.args


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"max_tokens": 0}, "models[0].max-tokens: 0: "),
        (
            {"context": 2048, "max_tokens": 2048},
            "models[0].max-tokens: 2048: less than context, 2048: prompt and answer share it",
        ),
        (
            {"model": "bge-m3", "max_tokens": 5},
            "models[0].max-tokens: 5: bge-m3 answers without tokens: leave it out",
        ),
        (
            {"tensor_parallel": 3},
            "models[0].tensor-parallel: 3: heads, widths and blocks of llama-3.1-8b divide by 1, 2, 4, 8, 16",
        ),
        (
            {"tensor_parallel": 8},
            "models[0].tensor-parallel: 8: a node of any pool has at most 4 whole GPUs for one replica; "
            "slices and shares have no path",
        ),
        ({"tensor_parallel": 0}, "models[0].tensor-parallel: 0: "),
        (
            {"gpu_memory_utilization": 1.2},
            "models[0].gpu-memory-utilization: 1.2: use a share from 0.1 to 0.99",
        ),
        ({"gpu_memory_utilization": True}, "models[0].gpu-memory-utilization: "),
        ({"gpu_memory_utilization": "90%"}, "models[0].gpu-memory-utilization: 90%: use a share"),
        ({"kv_cache_dtype": "int8"}, "models[0].kv-cache-dtype: int8: "),
        ({"block_size": 20}, "models[0].block-size: 20: use one of 16, 32, 64, 128"),
        ({"enforce_eager": "yes"}, "models[0].enforce-eager: yes: "),
        (
            {"max_num_batched_tokens": 16},
            "models[0].max-num-batched-tokens: 16: at least max-num-seqs, 32: a step computes a token of",
        ),
        (
            {"model": "bge-m3", "max_num_batched_tokens": 4096},
            "models[0].max-num-batched-tokens: 4096: at least context, 8192: embedding takes its input in",
        ),
        (
            {"model": "bge-m3", "kv_cache_dtype": "fp8"},
            "models[0].kv-cache-dtype: fp8: bge-m3 keeps no cache",
        ),
        (
            {"model": "smollm2-135m", "context": 2048, "enforce_eager": True},
            "models[0].enforce-eager: True: a setting of vLLM, and llama.cpp serves smollm2-135m: leave",
        ),
        (
            {"time_to_first_token": 2},
            "models[0].time-to-first-token: 2.0: use one of 0.1, 0.25, 0.5, 0.75, 1, 2.5",
        ),
        ({"time_to_first_token": 0}, "models[0].time-to-first-token: 0"),
        (
            {"model": "bge-m3", "time_to_first_token": 2.5},
            "models[0].time-to-first-token: 2.5: bge-m3 answers at once: leave it out",
        ),
        (
            {"model": "smollm2-135m", "context": 2048, "time_to_first_token": 2.5},
            "models[0].time-to-first-token: 2.5: a setting of vLLM, and llama.cpp serves smollm2-135m: leave",
        ),
        (
            {"model": "deepseek-r1", "block_size": 64},
            "models[0].block-size: 64: the kernels for latent attention of deepseek-r1 choose it: leave",
        ),
    ],
)
def test_a_setting_that_the_engine_would_refuse_is_one_line(changes: dict[str, Any], line: str):
    assert refused(**changes).startswith(line)


def test_slices_are_never_spread_over():
    line = problems(models=[model(tensor_parallel=2)])
    assert line == [
        "models[0].tensor-parallel: 2: a node of any pool has at most 1 whole GPU for one replica; "
        "slices and shares have no path"
    ]


def test_a_stated_spread_that_is_too_small_names_what_each_gpu_lacks():
    line = refused(model="llama-3.3-70b", tensor_parallel=1)
    assert line.startswith("models[0]: chat needs 1") and "GiB of GPU memory: the largest device" in line


@pytest.mark.parametrize("version", ["0.30.0", "v0.30.0"])
def test_the_version_of_the_engine_that_runs_may_be_pinned(version: str):
    changes = {"models": [model(name="chat", model="qwen3-0.6b", engine_version=version)]}
    assert problems(**changes) == []


@pytest.mark.parametrize(
    ("key", "version", "allowed"),
    [
        ("qwen3-0.6b", "0.29.0", "0.30.0, the one version of vllm"),
        ("qwen3-0.6b", "latest", "0.30.0, the one version of vllm"),
        ("smollm2-135m", "0.30.0", "b11151, the one version of llama.cpp"),
    ],
)
def test_another_version_of_the_engine_is_refused_with_the_one_that_runs(
    key: str, version: str, allowed: str
):
    (line,) = problems(models=[model(name="chat", model=key, context=2048, engine_version=version)])
    assert line.startswith(f"models[0].engine-version: {version}: use {allowed}")


def test_the_version_that_may_be_pinned_is_the_one_that_sizing_counts_with():
    assert problems(models=[model(name="chat", model="qwen3-0.6b", engine_version=pinned_version())]) == []
