"""Memory of models against published figures."""

import pytest
from tests.stacks.stack_files import GIB

from corral.catalogue.models import models
from corral.catalogue.vocabulary import Engine
from corral.stacks.sizing import cache_per_token, memory, reserved_tokens, smallest_device

KIB_PER_TOKEN = {
    "llama-3.1-8b": 128,
    "mistral-7b-v0.3": 128,
    "qwen3-8b": 144,
    "qwen3-32b": 256,
    "gpt-oss-20b": 48,
    "qwen2.5-coder-7b": 56,
    "smollm2-135m": 22.5,
    "bge-m3": 0,
}


def test_cache_per_token_is_the_published_one():
    assert {name: cache_per_token(entry) / 1024 for name, entry in models().items()} == KIB_PER_TOKEN


def test_tensor_parallelism_divides_the_cache_until_heads_run_out():
    facts = models()["qwen2.5-coder-7b"]
    assert cache_per_token(facts, 4) == cache_per_token(facts) // 4
    assert cache_per_token(facts, 8) == cache_per_token(facts, 4), "heads are replicated"


@pytest.mark.parametrize(
    ("name", "sequences", "gib"),
    [
        ("llama-3.1-8b", 1, 18.0),
        ("llama-3.1-8b", 8, 25.6),
        ("mistral-7b-v0.3", 1, 16.2),
        ("mistral-7b-v0.3", 8, 23.8),
        ("qwen2.5-coder-7b", 1, 16.6),
        ("qwen2.5-coder-7b", 8, 20.0),
    ],
)
def test_the_smallest_device_is_the_published_one_within_a_tenth(name: str, sequences: int, gib: float):
    found = smallest_device(
        models()[name], Engine.VLLM, context=8192, max_num_seqs=64, full_sequences=sequences
    )
    assert found / GIB == pytest.approx(gib, abs=0.1)


def test_a_model_fits_a_device_of_just_its_smallest_size_and_none_below():
    facts = models()["llama-3.1-8b"]
    limits = {"context": 8192, "max_num_seqs": 32, "full_sequences": 1}
    smallest = smallest_device(facts, Engine.VLLM, **limits)
    assert memory(facts, Engine.VLLM, usable=smallest + 1024, **limits).free >= 0
    assert memory(facts, Engine.VLLM, usable=smallest - 1024, **limits).free < 0


def test_free_cache_on_an_a100_matches_a_measured_start():
    """157,648 tokens of cache for Llama-3.1-8B on an A100-40GB at 0.90, 256 sequences: within 0.75 GiB."""
    facts = models()["llama-3.1-8b"]
    found = memory(facts, Engine.VLLM, context=1, max_num_seqs=256, full_sequences=1, usable=int(39.4 * GIB))
    fixed = found.weights + found.activation + int(0.15 * GIB)
    free = (int(39.4 * GIB * 0.90) - fixed) / GIB
    assert free == pytest.approx(157_648 * 128 / 1024 / 1024, abs=0.75)


def test_llama_cpp_reserves_every_sequence_and_vllm_pages():
    assert reserved_tokens(Engine.LLAMA_CPP, 2048, 4, 1) == 8192
    assert reserved_tokens(Engine.VLLM, 2048, 4, 1) == 2048
    facts = models()["smollm2-135m"]
    found = memory(facts, Engine.LLAMA_CPP, context=2048, max_num_seqs=4, full_sequences=1, usable=5 * GIB)
    assert found.weights == facts.weights, "the file as it is"
    assert found.kv_cache == 8192 * 23040


def test_more_sequences_cost_activation_in_proportion():
    facts = models()["qwen3-32b"]
    limits = {"context": 8192, "full_sequences": 1, "usable": 80 * GIB}
    small = memory(facts, Engine.VLLM, max_num_seqs=32, **limits)
    large = memory(facts, Engine.VLLM, max_num_seqs=1024, **limits)
    assert large.activation == 32 * small.activation
    assert large.activation / GIB == pytest.approx(5.65, abs=0.05)


def test_used_and_free_add_up_to_what_is_usable():
    facts = models()["bge-m3"]
    found = memory(facts, Engine.VLLM, context=8192, max_num_seqs=32, full_sequences=1, usable=5 * GIB)
    assert found.used + found.free == 5 * GIB
    assert found.kv_cache == 0, "an encoder keeps no cache"
