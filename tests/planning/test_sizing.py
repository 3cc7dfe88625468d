"""Memory of models: published figures, smallest slices, and rules that hold for every model."""

import itertools

import pytest
from tests.stacks.stack_files import GIB

from corral.catalogue.attention import Cache
from corral.catalogue.gpus import gpus
from corral.catalogue.models import models
from corral.catalogue.vocabulary import Engine
from corral.stacks.planning.memory.sizing import (
    cache_per_token,
    full_sequences_that_fit,
    largest_context,
    memory,
    reserved_tokens,
    smallest_device,
    splits,
    state_per_sequence,
    utilisation,
)
from corral.stacks.planning.memory.vllm import step_tokens
from corral.stacks.planning.results.models import MemoryPlan

KIB_PER_TOKEN = {
    "llama-3.2-1b": 32,
    "llama-3.2-3b": 112,
    "llama-3.1-8b": 128,
    "llama-3.3-70b": 320,
    "llama-3.1-405b": 504,
    "llama-4-scout": 192,
    "llama-4-maverick": 192,
    "mistral-7b-v0.3": 128,
    "mistral-small-24b": 160,
    "mistral-large-2407": 352,
    "mixtral-8x7b": 128,
    "mixtral-8x22b": 224,
    "qwen2.5-7b": 56,
    "qwen2.5-coder-7b": 56,
    "qwen2.5-14b": 192,
    "qwen2.5-32b": 256,
    "qwen2.5-72b": 320,
    "qwen3-0.6b": 112,
    "qwen3-4b": 144,
    "qwen3-8b": 144,
    "qwen3-14b": 160,
    "qwen3-32b": 256,
    "qwen3-30b-a3b": 96,
    "qwen3-235b-a22b": 188,
    "qwen3.6-27b": 64,
    "qwen3.6-35b-a3b": 20,
    "qwen3.5-122b-a10b": 24,
    "gpt-oss-20b": 48,
    "gpt-oss-120b": 72,
    "deepseek-v3": 68.625,
    "gemma-2-9b": 336,
    "gemma-2-27b": 368,
    "gemma-3-12b": 384,
    "gemma-4-31b": 50 * 16 + 10 * 8,
    "gemma-4-26b-a4b": 25 * 8 + 5 * 4,
    "phi-4": 200,
    "phi-4-mini": 128,
    "kimi-k2.5": 68.625,
    "smollm2-135m": 22.5,
    "bge-m3": 0,
    "e5-mistral-7b": 128,
}
EVERY = pytest.mark.parametrize("name", models())
PARALLEL = (1, 2, 4, 8)
LIMITS = {"context": 4096, "max_num_seqs": 32, "full_sequences": 1}


def on(name: str, usable: int = 140 * GIB, **changes: int) -> MemoryPlan:
    """Memory of model `name` on a device, with changes to `LIMITS`."""
    facts = models()[name]
    return memory(facts, facts.engine, usable=usable, **{**LIMITS, **changes})


def test_cache_per_token_is_the_published_one():
    assert {name: cache_per_token(models()[name]) / 1024 for name in KIB_PER_TOKEN} == KIB_PER_TOKEN


def test_layers_that_pad_a_pool_of_windows_count_as_vllm_counts_them():
    """Measured: 11.4 % less concurrency than all 62 layers give for gemma-3-27b, 2.8 % for 34 of the 4b."""
    assert cache_per_token(models()["gemma-3-27b"]) / 1024 == pytest.approx(496 * 70 / 62)
    assert cache_per_token(models()["gemma-3-4b"]) / 1024 == pytest.approx(136 * 35 / 34)


def test_a_windowed_layer_holds_its_window_and_one_step():
    """vLLM logged a need of 4.54 GiB for gpt-oss-120b at 131,072 tokens, which steps of 1,024 give."""
    facts = models()["gpt-oss-120b"]
    needed = facts.attention.sequence(facts.layers, 1, tokens=131072, step=1024)
    assert needed / GIB == pytest.approx(4.54, abs=0.005)
    assert on("gpt-oss-120b", 79 * GIB, context=131072).kv_cache > needed, "steps are larger on an H100"


@pytest.mark.parametrize("gpu", ["A100-80GB", "L40S", "RTX-PRO-6000-96GB"])
def test_marlin_pads_the_experts_of_a_gpu_without_native_four_bit_kernels(gpu: str):
    """vLLM logged 65.97 GiB with Marlin (issue 23278) and 64.38 with Triton (issue 33155)."""
    facts = models()["gpt-oss-120b"]

    def loaded(capability: str | None) -> float:
        return memory(facts, Engine.VLLM, usable=80 * GIB, capability=capability, **LIMITS).weights / GIB

    marlin = loaded(gpus()[gpu].compute_capability)
    assert 65.97 <= marlin <= 65.97 * 1.01
    assert 64.38 <= loaded(gpus()["H100-80GB"].compute_capability) <= 64.38 * 1.01
    assert loaded(None) == marlin, "an unknown GPU counts as the worst"


def test_split_experts_are_padded_on_each_device():
    """1,440 of 2,880 columns become 1,536 with Marlin, so that two devices hold more than one."""
    facts = models()["gpt-oss-120b"]
    one, two = (
        memory(facts, Engine.VLLM, usable=80 * GIB, capability="8.0", parallel=count, **LIMITS).weights
        for count in (1, 2)
    )
    assert 2 * two / one == pytest.approx(1 + (3072 / 2944 - 1) * 61.86 / 65.93, abs=0.002)


def test_layers_that_see_all_have_heads_of_their_own():
    """vLLM logged a need of 5.98 GiB, with two steps of 2,048 tokens in flight."""
    found = on("gemma-4-26b-a4b", 60 * GIB, context=262144)
    assert found.kv_cache / GIB == pytest.approx(5.98, abs=0.005)


def test_a_narrow_cache_takes_half_and_a_packed_latent_its_scales():
    eight = Cache(element=1)
    for name in ("llama-3.1-8b", "gemma-3-27b", "gpt-oss-120b"):
        facts = models()[name]
        assert 2 * facts.attention.token(facts.layers, 1, eight) == facts.attention.token(facts.layers, 1)
    facts = models()["deepseek-v3"]
    assert facts.attention.token(facts.layers, 1, eight) == 61 * 656


def test_sparse_attention_keeps_an_index_beside_its_latent():
    extra = cache_per_token(models()["deepseek-v3.2"]) - cache_per_token(models()["deepseek-v3"])
    assert extra == 61 * 132


def test_tensor_parallelism_divides_the_cache_until_heads_run_out():
    facts = models()["qwen2.5-coder-7b"]
    assert cache_per_token(facts, 4) == cache_per_token(facts) // 4
    assert cache_per_token(facts, 8) == cache_per_token(facts, 4), "heads are replicated"


def test_a_latent_cache_is_replicated_on_every_device():
    facts = models()["deepseek-r1"]
    assert cache_per_token(facts, 8) == cache_per_token(facts, 1) == 70_272


def test_only_layers_that_attend_grow_and_the_others_keep_a_state_for_each_sequence():
    facts = models()["qwen3.6-27b"]
    recurrent, convolution = 48 * 128 * 128 * 4, (48 + 2 * 16) * 128 * 3 * 2
    page = 784 * 4 * 2 * 256 * 2
    assert recurrent + convolution <= page < recurrent + convolution + 16 * 4 * 2 * 256 * 2
    assert state_per_sequence(facts) == 2 * 48 * page, "a state is padded to a page of 784 tokens"
    assert state_per_sequence(facts, 2) == state_per_sequence(facts) // 2
    assert on("qwen3.6-27b", context=785).kv_cache == on("qwen3.6-27b", context=1568).kv_cache
    more = on("qwen3.6-27b", max_num_seqs=33).kv_cache - on("qwen3.6-27b").kv_cache
    assert more == state_per_sequence(facts), "each sequence that may run has its state at the start"


SURVEYED = ("A30", "A100-40GB", "A100-80GB", "H100-80GB", "H200-141GB", "L40S", "L4")
"""GPUs among whose devices the smallest were worked out."""


@pytest.mark.parametrize(
    ("name", "sequences", "device"),
    [
        ("llama-3.2-1b", 1, "1g.5gb"),
        ("llama-3.2-1b", 8, "1g.6gb"),
        ("llama-3.2-3b", 1, "1g.10gb"),
        ("llama-3.2-3b", 8, "1g.18gb"),
        ("llama-3.1-8b", 1, "3g.20gb"),
        ("llama-3.1-8b", 8, "1g.35gb"),
        ("llama-3.1-8b-fp8", 1, "2g.12gb"),
        ("llama-3.1-8b-fp8", 8, "3g.20gb"),
        ("mistral-7b-v0.3", 1, "3g.20gb"),
        ("qwen2.5-7b", 1, "3g.20gb"),
        ("qwen2.5-7b", 8, "L4"),
        ("qwen3-14b", 1, "7g.40gb"),
        ("qwen3-14b", 8, "L40S"),
        ("gpt-oss-20b", 1, "1g.18gb"),
        ("gpt-oss-20b", 8, "3g.20gb"),
        ("qwen3-32b-fp8", 1, "7g.40gb"),
        ("qwen3-32b-fp8", 8, "3g.71gb"),
    ],
)
def test_the_smallest_device_of_all_is_the_one_that_was_worked_out_by_hand(
    name: str, sequences: int, device: str
):
    """8,192 tokens, 64 sequences; where two are of one size, the first of the catalogue."""
    among = {key: gpus()[key] for key in SURVEYED}
    kinds = [(one.usable, key, gpu) for gpu in among.values() for key, one in gpu.profiles.items()]
    kinds += [(gpu.usable, key, gpu) for key, gpu in among.items()]
    limits = {"context": 8192, "max_num_seqs": 64, "full_sequences": sequences}
    facts = models()[name]
    fitting = (
        key
        for usable, key, gpu in sorted(kinds, key=lambda kind: kind[0])
        if memory(facts, facts.engine, usable=usable, capability=gpu.compute_capability, **limits).free >= 0
    )
    assert next(fitting) == device


def fits(name: str, usable: int, **limits: int) -> bool:
    return on(name, usable, **limits).free >= 0


@EVERY
def test_a_model_fits_a_device_of_just_its_smallest_size_and_none_below(name: str):
    facts = models()[name]
    smallest = smallest_device(facts, facts.engine, **LIMITS)
    assert fits(name, smallest)
    assert not fits(name, smallest - 1)


@EVERY
def test_more_context_sequences_or_concurrency_never_need_less(name: str):
    steps = [
        {"context": context, "max_num_seqs": seqs, "full_sequences": full}
        for context, seqs, full in itertools.product((1, 100, 512), (1, 32, 256, 1024), (1, 4, 64))
        if full <= seqs
    ]
    for first, then in itertools.permutations(steps, 2):
        if all(first[key] <= then[key] for key in first):
            assert on(name, **first).used <= on(name, **then).used, (first, then)


@EVERY
def test_spreading_never_adds_to_a_device(name: str):
    spread = [on(name, parallel=count) for count in PARALLEL]
    for fewer, more in itertools.pairwise(spread):
        assert more.weights <= fewer.weights
        assert more.kv_cache <= fewer.kv_cache
        assert more.activation <= fewer.activation


@EVERY
def test_devices_of_one_replica_hold_all_weights_together(name: str):
    for count in PARALLEL:
        assert on(name, parallel=count).weights * count >= models()[name].weights - count


@EVERY
def test_the_largest_context_fits_and_one_token_more_does_not(name: str):
    facts = models()[name]
    limits = {"max_num_seqs": 8, "full_sequences": 2}
    for usable in (int(4.75 * GIB), 40 * GIB, 80 * GIB, 640 * GIB):
        longest = largest_context(facts, facts.engine, usable=usable, **limits)
        assert 0 <= longest <= facts.context
        assert longest == 0 or fits(name, usable, context=longest, **limits)
        assert longest == facts.context or not fits(name, usable, context=longest + 1, **limits)


@pytest.mark.parametrize("name", [name for name, facts in models().items() if not facts.encoder])
def test_as_many_full_sequences_as_are_counted_fit_and_one_more_does_not(name: str):
    facts, usable = models()[name], 120 * GIB
    limits = {"context": facts.context // 4, "max_num_seqs": 64}
    number = full_sequences_that_fit(facts, facts.engine, usable=usable, **limits)
    reserved = facts.engine is Engine.LLAMA_CPP
    for sequences, wanted in ((number, True), (number + 1, False)):
        if 1 <= sequences <= 64:
            seqs = sequences if reserved else 64
            asked = {**limits, "max_num_seqs": seqs, "full_sequences": sequences}
            assert fits(name, usable, **asked) is wanted


def test_what_one_step_takes_is_told_to_the_engine_and_grows_with_the_device():
    facts = models()["llama-3.1-8b"]
    assert step_tokens(facts, 40 * GIB, context=131072, max_num_seqs=32) == 2048
    assert step_tokens(facts, 79 * GIB, context=131072, max_num_seqs=32) == 8192
    assert step_tokens(models()["qwen3.6-27b"], 139 * GIB, context=8192, max_num_seqs=32) == 2048, (
        "scratch for each token is not profiled"
    )
    assert step_tokens(models()["bge-m3"], 5 * GIB, context=8192, max_num_seqs=32) == 8192, (
        "its longest input in one"
    )


def test_a_small_device_leaves_what_the_driver_has_taken_before_the_engine_starts():
    assert utilisation(Engine.VLLM, 80 * GIB) == utilisation(Engine.VLLM, 8 * GIB) == 0.92
    assert utilisation(Engine.VLLM, int(4.75 * GIB)) == 0.87
    for hundredths in range(1, 800):
        usable = hundredths * GIB // 100
        left = usable * (1 - utilisation(Engine.VLLM, usable))
        assert left >= min(usable, 0.6 * GIB) - 1, "vLLM refuses to fill more than is free"


def test_a_step_counts_where_few_sequences_run_and_the_sampler_where_many_do():
    few, many = on("llama-3.1-8b", max_num_seqs=32), on("llama-3.1-8b", max_num_seqs=1024)
    assert few.activation == 8192 * 2 * (3 * 14336 + 4.5 * 4096)
    assert many.activation == int(15.2 * 1024 * 128256) + 8192 * 2 * 4096


def test_all_experts_are_resident_and_a_step_needs_room_for_those_it_passes():
    facts = models()["qwen3-30b-a3b"]
    found = on("qwen3-30b-a3b")
    assert found.weights >= facts.weights, "not only the active ones"
    dense = facts.model_copy(update={"experts": None})
    without = memory(dense, Engine.VLLM, usable=140 * GIB, **LIMITS)
    assert found.activation - without.activation == 8192 * 2 * (8 * (2048 + 2048) + 2048)


def test_a_multimodal_model_is_sized_above_its_text_alone():
    facts = models()["gemma-3-27b"]
    text = memory(facts.model_copy(update={"multimodal": False}), Engine.VLLM, usable=80 * GIB, **LIMITS)
    whole = on("gemma-3-27b", 80 * GIB)
    assert whole.weights > text.weights and whole.activation > text.activation


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("phi-4", (1, 2)),  # 10 key-value heads
        ("qwen2.5-7b", (1, 2, 4)),  # 28 heads
        ("llama-3.3-70b", (1, 2, 4, 8)),
        ("qwen3-0.6b", (1, 2, 4, 8)),
        ("qwen3-235b-a22b", (1, 2, 4, 8)),
        ("qwen3-235b-a22b-fp8", (1, 2, 4)),  # experts of 1,536 in blocks of 128
        ("deepseek-r1", (1, 2, 4, 8)),
        ("smollm2-135m", (1,)),  # 9 heads
        ("qwen3.6-27b", (1, 2, 4, 8)),
    ],
)
def test_a_replica_is_spread_only_as_its_heads_and_blocks_divide(name: str, counts: tuple[int, ...]):
    facts = models()[name]
    assert tuple(n for n in PARALLEL if splits(facts, facts.engine, n)) == counts


def test_a_version_of_vllm_that_nobody_measured_is_refused():
    facts = models()["llama-3.1-8b"]
    with pytest.raises(ValueError, match=r"vLLM 0\.9\.1 is older than 0\.10, the oldest that is sized"):
        memory(facts, Engine.VLLM, usable=80 * GIB, version="0.9.1", **LIMITS)
    with pytest.raises(ValueError, match="'nightly' is no version such as v0"):
        memory(facts, Engine.VLLM, usable=80 * GIB, version="nightly", **LIMITS)


def test_later_versions_profile_a_smaller_peak_and_take_graphs_from_the_budget():
    facts, limits = models()["llama-3.1-8b"], {**LIMITS, "max_num_seqs": 1024, "usable": 80 * GIB}
    early, middle, late = (
        memory(facts, Engine.VLLM, version=one, **limits) for one in ("0.16", "0.20", "0.21")
    )
    assert early.activation > 2 * middle.activation
    assert late.overhead > middle.overhead
    assert memory(facts, Engine.VLLM, version="v1.2.3", **limits) == late, "newer than all: as the newest"


def test_llama_cpp_reserves_every_sequence_and_vllm_pages_in_blocks():
    assert reserved_tokens(Engine.LLAMA_CPP, 2048, 4, 1) == 8192
    assert reserved_tokens(Engine.VLLM, 2040, 4, 1) == 2048
    found = on("smollm2-135m", 5 * GIB, context=2048, max_num_seqs=4)
    assert found.weights == models()["smollm2-135m"].weights, "the file as it is"
    assert found.kv_cache == 8192 * 23040


@EVERY
def test_used_and_free_add_up_to_what_is_usable(name: str):
    found = on(name, 5 * GIB)
    assert found.used + found.free == 5 * GIB
    assert (found.kv_cache == 0) == models()[name].encoder
