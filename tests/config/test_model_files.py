"""Files of models that others wrote, generated: each is read right, or refused in one line."""

import copy
import json
import tempfile
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.config.test_architectures import FALCON_H1, GEMMA_3_4B, JAMBA, KIMI_LINEAR, MIMO_V2, NEMOTRON_NANO
from tests.config.test_custom_models import DEEPSEEK, GPT_OSS, HYBRID, LLAMA, MIXTRAL
from tests.config.test_limits import FACTS
from tests.stacks.stack_files import GIB, model, pool, stack

from corral.catalogue.models import ModelSpec
from corral.catalogue.vocabulary import Dtype
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import parse
from corral.stacks.planning.memory.sizing import memory
from corral.stacks.planning.planner import plan

GEMMA: dict[str, Any] = {
    "architectures": ["Gemma4ForConditionalGeneration"],
    "torch_dtype": "bfloat16",
    "vision_config": {"hidden_size": 1152},
    "text_config": {
        "num_hidden_layers": 30,
        "hidden_size": 2816,
        "intermediate_size": 2112,
        "num_experts": 128,
        "top_k_experts": 8,
        "moe_intermediate_size": 704,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "num_global_key_value_heads": 2,
        "attention_k_eq_v": True,
        "head_dim": 256,
        "global_head_dim": 512,
        "vocab_size": 262144,
        "max_position_embeddings": 262144,
        "sliding_window": 1024,
        "layer_types": [*(5 * ["sliding_attention"]), "full_attention"] * 5,
        "tie_word_embeddings": True,
    },
}
BASES = (LLAMA, HYBRID, DEEPSEEK, GPT_OSS, MIXTRAL, GEMMA)
OTHERS = (NEMOTRON_NANO, JAMBA, FALCON_H1, KIMI_LINEAR, MIMO_V2, GEMMA_3_4B)
"""Recurrent, windowed and wrapped models."""
QUANTISED: tuple[dict[str, Any], ...] = (
    {"quant_method": "fp8", "weight_block_size": [128, 128]},
    {"quant_method": "fbgemm_fp8"},
    {"quant_method": "awq", "bits": 4, "group_size": 128},
    {"quant_method": "gptq", "bits": 8},
    {"quant_method": "modelopt", "quant_algo": "NVFP4"},
    {"quant_method": "bitsandbytes", "load_in_4bit": True},
    {"quant_method": "mxfp4"},
    {"quant_method": "quark", "global_quant_config": {"weight": {"dtype": "fp8_e4m3"}}},
    {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig"}}},
    {"quant_method": "modelopt", "quantized_layers": {"a": {"quant_algo": "NVFP4"}}},
    {
        "quant_method": "compressed-tensors",
        "config_groups": {"g": {"weights": {"type": "float", "num_bits": 8, "strategy": "block"}}},
    },
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 2**31, 2**63, 10**30, 10**400, 1.5, float("nan"), float("inf")])
    | st.integers(-10, 10**6)
    | st.text(max_size=5)
)
ODD = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
GENERATED = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def read(name: str, config: object, index: object) -> ModelSpec | list[str]:
    """The model in a folder of `config` and `index` under `name`, or the lines that it is refused with."""
    path = Path(name) / "ours"
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    entry = {"folder": "ours", "task": "chat", "license": "MIT"}
    served = model(model="ours", context=1, source="s3://intake/ours")
    whole = pool(gpu="H200-141GB", sharing="whole", gpus_per_node=8)
    content = stack(custom_models={"ours": entry}, models=[served], gpu_pools=[whole])
    try:
        parsed = parse(content, Path(name))
        try:
            plan(parsed, "test")
        except StackErrors as error:
            assert all("\n" not in str(problem) for problem in error.problems)
        return parsed.custom_models["ours"]
    except StackErrors as error:
        return [str(problem) for problem in error.problems]


def total(size: object, names: object = None) -> dict[str, Any]:
    """An index of `size`."""
    return {"metadata": {"total_size": size}, "weight_map": names or {"a": "model-1.safetensors"}}


def places(value: object) -> list[tuple[dict[str, Any], str]]:
    """Every (object, key) inside `value`."""
    if not isinstance(value, dict):
        return []
    found = cast("dict[str, Any]", value)
    return [(found, key) for key in found] + [one for inner in found.values() for one in places(inner)]


@pytest.mark.exhaustive
@GENERATED
@given(base=st.sampled_from((*BASES, *OTHERS)), data=st.data())
def test_any_value_at_any_depth_is_read_or_refused_in_one_line(base: dict[str, Any], data: st.DataObject):
    config = copy.deepcopy(base)
    if data.draw(st.booleans()):
        config["quantization_config"] = copy.deepcopy(data.draw(st.sampled_from(QUANTISED)))
    for _ in range(data.draw(st.integers(1, 3))):
        where, key = data.draw(st.sampled_from(places(config)))
        where[key] = data.draw(ODD)
    with tempfile.TemporaryDirectory() as name:
        found = read(name, config, total(data.draw(st.just(10**13) | SCALARS)))
    if isinstance(found, list):
        assert found and all("\n" not in line and len(line) < 2000 for line in found)
        return
    attention, layers = found.attention, found.layers
    assert found.encoder or attention.token(layers, 1) + attention.state(layers, 1) > 0
    assert found.context >= 1
    limits = {"context": 1, "max_num_seqs": 1, "full_sequences": 1}
    assert memory(found, found.engine, usable=80 * GIB, **limits).weights >= found.weights


@pytest.mark.exhaustive
@GENERATED
@given(base=st.sampled_from(BASES), share=st.floats(0.0, 0.7))
def test_an_index_of_too_little_is_refused_whatever_the_architecture(base: dict[str, Any], share: float):
    """The lower bound is at most three tenths below what the tensors of these models weigh."""
    published = {0: 16.06e9, 1: 54e9, 2: 671e9, 3: 12.8 * GIB, 4: 93.4e9, 5: 50e9}
    with tempfile.TemporaryDirectory() as name:
        found = read(name, base, total(max(1, int(share * published[BASES.index(base)]))))
    assert isinstance(found, list), "accepted"
    assert "describes a model of at least" in found[0]


@pytest.mark.exhaustive
@GENERATED
@given(index=ODD | st.builds(total, ODD, ODD))
def test_any_index_is_read_or_refused_in_one_line(index: object):
    with tempfile.TemporaryDirectory() as name:
        found = read(name, LLAMA, index)
    if isinstance(found, list):
        assert found and all("\n" not in line for line in found)
    else:
        assert found.weights >= 14e9


@pytest.mark.exhaustive
@GENERATED
@given(content=st.binary(max_size=64) | st.just(b"version https://git-lfs.github.com/spec/v1\nsize 9\n"))
def test_any_file_of_weights_is_read_or_refused_in_one_line(content: bytes):
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "ours"
        path.mkdir()
        (path / "config.json").write_text(json.dumps(LLAMA))
        (path / "model.safetensors").write_bytes(content)
        entry = {"folder": "ours", "task": "chat", "license": "MIT"}
        with pytest.raises(StackErrors) as error:
            parse(stack(custom_models={"ours": entry}, models=[]), Path(name))
    assert len(error.value.problems) == 1 and "\n" not in str(error.value)


@pytest.mark.exhaustive
@GENERATED
@given(
    dtype=st.sampled_from(list(Dtype)),
    parameters=st.floats(0.1, 2000),
    fewer=st.floats(0.01, 1),
)
def test_more_parameters_never_weigh_less_and_no_dtype_less_than_its_bits(
    dtype: Dtype, parameters: float, fewer: float
):
    bits = {Dtype.FP32: 32, Dtype.BF16: 16, Dtype.FP16: 16}
    eight = (Dtype.FP8, Dtype.FP8_BLOCK, Dtype.FBGEMM_FP8, Dtype.INT8)

    def weights(number: float) -> int:
        return ModelSpec.model_validate({**FACTS, "dtype": dtype, "parameters": number}).weights

    assert weights(parameters * fewer) <= weights(parameters)
    least = bits.get(dtype, 8 if dtype in eight else 4) / 8
    assert weights(parameters) >= int(least * parameters * 10**9) - 8
