"""How long a sequence rotary positions allow, and what the pinned vLLM must be told of it."""

import json
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from tests.config.test_custom_models import LLAMA, facts, folder, refused

from corral.catalogue.models import ModelSpec

YARN = {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
DYNAMIC = {"type": "dynamic", "factor": 2.0}


def read(base: Path, scaling: object, positions: int = 32768, **more: Any) -> ModelSpec:
    """The model of a configuration with `scaling` of `positions`."""
    return facts(
        fresh(base), {**LLAMA, "rope_scaling": scaling, "max_position_embeddings": positions, **more}
    )


def fresh(base: Path) -> Path:
    """A new folder under `base`."""
    return Path(mkdtemp(dir=base))


def told(spec: ModelSpec) -> Any:
    """What vLLM must be told: from how many tokens on, and the overrides."""
    known = spec.long_context
    assert known is not None
    return known.above, known.overrides and json.loads(known.overrides)


@pytest.mark.parametrize("scaling", [YARN, {"rope_type": "yarn", "factor": 4}, {**YARN, "rope_type": "yarn"}])
def test_the_cache_of_yarn_holds_the_factor_which_vllm_does_not_derive(tmp_path: Path, scaling: object):
    found = read(tmp_path, scaling)
    assert found.context == 131072
    assert told(found) == (32768, None)


def test_nothing_is_told_where_positions_have_the_factor(tmp_path: Path):
    found = read(tmp_path, YARN, 131072)
    assert (found.context, found.long_context) == (131072, None)


def test_positions_that_the_cache_of_yarn_lacks_are_no_context(tmp_path: Path):
    found = read(tmp_path, {**YARN, "original_max_position_embeddings": 8192}, 131072)
    assert (found.context, found.long_context) == (32768, None)


def test_positions_before_yarn_may_stand_beside_it(tmp_path: Path):
    found = read(tmp_path, {"type": "yarn", "factor": 4.0}, 32768, original_max_position_embeddings=4096)
    assert (found.context, found.long_context) == (16384, None)


def test_the_cache_of_dynamic_holds_what_its_positions_are_raised_to(tmp_path: Path):
    found = read(tmp_path, DYNAMIC, 2048, rope_theta=500000.0, partial_rotary_factor=0.5)
    assert found.context == 4096
    above, overrides = told(found)
    assert above == 2048
    assert overrides == {
        "max_position_embeddings": 4096,
        "rope_parameters": {
            "rope_type": "dynamic",
            "factor": 2.0,
            "max_trained_positions": 2048,
            "rope_theta": 500000.0,
            "partial_rotary_factor": 0.5,
        },
    }


def test_a_model_inside_a_wrapper_is_told_under_the_keys_that_it_is_in(tmp_path: Path):
    inside = {**LLAMA, "rope_scaling": DYNAMIC, "max_position_embeddings": 32768, "rope_theta": 1e6}
    outer = {"architectures": ["InternVLChatModel"], "llm_config": inside, "vision_config": {}}
    found = facts(tmp_path, outer)
    assert found.context == 65536
    _above, overrides = told(found)
    assert set(overrides) == {"llm_config"}
    assert overrides["llm_config"]["max_position_embeddings"] == 65536


def test_vllm_derives_a_linear_factor_and_takes_it_as_a_float_alone(tmp_path: Path):
    plain = read(tmp_path, {"type": "linear", "factor": 4.0}, 4096)
    assert (plain.context, plain.long_context) == (16384, None)
    whole = read(tmp_path, {"type": "linear", "factor": 4}, 4096, rope_theta=10000)
    assert whole.context == 16384
    above, overrides = told(whole)
    assert above == 0
    assert '"factor": 4.0' in json.dumps(overrides)
    assert overrides == {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000}}


def test_the_shortest_cache_of_several_types_of_layers_is_the_context(tmp_path: Path):
    plain = {"rope_type": "default", "rope_theta": 10000.0}
    linear = {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}
    mixed = {"full_attention": linear, "sliding_attention": plain}
    config = {**LLAMA, "rope_parameters": mixed, "max_position_embeddings": 8192}
    assert facts(fresh(tmp_path), config).context == 8192
    both = {"full_attention": linear, "sliding_attention": linear}
    assert facts(fresh(tmp_path), {**config, "rope_parameters": both}).context == 65536


def test_chunks_of_two_sizes_have_a_cache_of_their_positions(tmp_path: Path):
    found = read(tmp_path, YARN, 32768, dual_chunk_attention_config={"chunk_size": 8192})
    assert (found.context, found.long_context) == (32768, None)


@pytest.mark.parametrize(
    ("scaling", "line"),
    [
        ({"rope_type": "telepathic", "factor": 2.0}, "rope_type: 'telepathic': vLLM knows default, llama3"),
        ({"type": "yarn"}, "rope_scaling.factor: null: a number of 1 to 1024"),
        ({"type": "dynamic"}, "rope_scaling.factor: null: a number of 1 to 1024"),
        ({"type": "linear", "rope_type": "yarn", "factor": 2.0}, "rope_type: 'yarn' beside type 'linear'"),
        ({"rope_type": ["yarn"], "factor": 2.0}, "rope_scaling.rope_type: "),
    ],
)
def test_a_scaling_that_vllm_does_not_start_with_is_refused(tmp_path: Path, scaling: object, line: str):
    folder(tmp_path, {**LLAMA, "rope_scaling": scaling})
    assert line in refused(tmp_path, folder="ours")


def test_a_context_stated_beside_a_folder_is_at_most_what_its_positions_allow(tmp_path: Path):
    folder(tmp_path, {**LLAMA, "max_position_embeddings": 8192})
    assert refused(tmp_path, folder="ours", context=16384) == (
        "custom-models.ours.context: 16384: config.json in ours allows 8192 tokens"
    )
    short = facts(fresh(tmp_path), {**LLAMA, "max_position_embeddings": 8192}, context=4096)
    assert short.context == 4096
