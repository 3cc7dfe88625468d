"""Text Embeddings Inference in place of vLLM: what is planned of it, and what is refused."""

import pytest
from tests.stacks.stack_files import model, parsed, planned, pool, problems

from corral.catalogue.engines import text_embeddings as known
from corral.catalogue.gpus import gpus, served
from corral.catalogue.models import ModelSpec, models
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Dtype, Engine
from corral.stacks.planning.memory import text_embeddings
from corral.stacks.planning.memory.settings import EngineSettings

EMBED = {"name": "embed", "model": "bge-m3", "engine": "text-embeddings"}


def embedding(**more):
    (one,) = planned(models=[model(**{**EMBED, **more})]).models
    return one


def flag(args, name):
    return args[args.index(name) + 1]


def test_every_size_of_the_server_is_stated_and_none_is_a_flag_of_vllm():
    one = embedding(**{"max-num-seqs": 64})
    assert one.engine is Engine.TEXT_EMBEDDINGS
    assert flag(one.args, "--model-id") == "/mnt/models"
    assert flag(one.args, "--served-model-name") == "embed"
    assert flag(one.args, "--max-batch-requests") == "64"
    assert flag(one.args, "--dtype") == "float16"
    assert "--json-output" in one.args
    assert not {"--max-model-len", "--gpu-memory-utilization", "--host"} & {*one.args}


def test_an_input_that_is_too_long_is_refused_and_the_longest_is_one_batch():
    """Its server does not start where it may not cut inputs off and its longest is more than a batch."""
    one = embedding()
    assert flag(one.args, "--auto-truncate") == "false"
    assert int(flag(one.args, "--max-batch-tokens")) >= models()["bge-m3"].context == one.context
    long = models()["e5-mistral-7b"]
    assert text_embeddings.batch_tokens(long, EngineSettings(step=4096)) == long.context


def test_a_call_of_as_many_inputs_as_openai_takes_is_not_sent_back_for_want_of_places():
    args = embedding().args
    assert 2048 == int(flag(args, "--max-client-batch-size")) <= int(flag(args, "--max-concurrent-requests"))


def test_weights_are_counted_as_they_are_computed_with():
    stored = models()["bge-m3"]
    wide = stored.model_copy(update={"dtype": Dtype.FP32, "weights_gib": 2 * (stored.weights_gib or 0)})
    assert text_embeddings.weights(wide) == pytest.approx(text_embeddings.weights(stored), abs=2)


def test_a_larger_batch_takes_more_memory_and_keeps_nothing():
    small, large = embedding().memory, embedding(**{"max-num-batched-tokens": 65536}).memory
    assert large.activation == 4 * small.activation
    assert small.kv_cache == large.kv_cache == 0
    assert small.weights == pytest.approx(1.06 * GIB, rel=0.01)


def test_without_flash_attention_every_pair_of_tokens_counts():
    facts = models()["bge-m3"]
    padded, flash = (text_embeddings.activation(facts, one) for one in ("7.5", "8.6"))
    tokens, heads = known().batch_tokens, facts.attention.heads
    assert padded - flash == 2 * text_embeddings.SCORES * heads * tokens * facts.context


@pytest.mark.parametrize("gpu", [name for name in served() if gpus()[name].resolved])
def test_a_gpu_is_taken_where_the_image_has_a_program_for_it(gpu):
    capability = gpus()[gpu].compute_capability
    small = model(**{**EMBED, "model": "multilingual-e5-large", "context": 512})
    wanted = {"gpu_pools": [pool(gpu=gpu, sharing="whole")], "models": [small]}
    if capability in known().capabilities:
        assert planned(**wanted).models[0].engine is Engine.TEXT_EMBEDDINGS
    else:
        (reason,) = problems(**wanted)
        assert reason.startswith("models[0].engine: text-embeddings: no program of it computes multilingual")
        assert f"capability {capability} of" in reason


def test_a_decoder_needs_flash_attention():
    assert not text_embeddings.runs_on(models()["e5-mistral-7b"], "7.5")
    assert text_embeddings.runs_on(models()["e5-mistral-7b"], "8.0")
    assert text_embeddings.runs_on(models()["bge-m3"], "7.5")
    assert not text_embeddings.runs_on(models()["bge-m3"], None)


def test_a_replica_is_on_one_gpu():
    pools = [pool(gpu="L4", sharing="whole", gpus_per_node=8)]
    large = {**EMBED, "model": "e5-mistral-7b", "context": 32768}
    assert planned(gpu_pools=pools, models=[model(**large)]).models[0].claim.count == 1
    (reason,) = problems(gpu_pools=pools, models=[model(**{**large, "max-num-batched-tokens": 65536})])
    assert "for a batch of 65536 tokens" in reason and "use max-num-batched-tokens: 32768" in reason


def test_a_batch_that_is_too_large_for_a_gpu_without_flash_attention_names_the_key_that_helps():
    wanted = {"gpu_pools": [pool(gpu="T4", sharing="whole")]}
    (reason,) = problems(models=[model(**EMBED)], **wanted)
    assert "for a batch of 16384 tokens" in reason and "use max-num-batched-tokens: 8192" in reason
    assert planned(models=[model(**{**EMBED, "max-num-batched-tokens": 8192})], **wanted).models


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"model": "llama-3.1-8b"},
            "engine: text-embeddings: llama-3.1-8b comes as bf16 for chat, which vllm serves",
        ),
        (
            {"engine": "llama.cpp"},
            "engine: llama.cpp: bge-m3 comes as fp16 for embedding, which vllm or text-",
        ),
        ({"context": 512}, "context: 512: text-embeddings takes the 8192 tokens that its files have"),
        ({"tensor-parallel": 2}, "tensor-parallel: 2: a setting of vLLM, and text-embeddings serves bge-m3"),
        ({"max-num-batched-tokens": 512}, "max-num-batched-tokens: 512: at least context, 8192"),
        ({"engine-version": "1.2"}, "engine-version: 1.2: use 1.9.3"),
        (
            {"scaling": {"max": 2, "triggers": [{"metric": "running-requests", "threshold": 1}]}},
            "metric: running-requests: text-embeddings does not print it",
        ),
    ],
)
def test_what_it_cannot_do_is_refused_with_the_way_out(change, named):
    found = problems(models=[model(**{**EMBED, **change})])
    assert any(f"models[0].{named}" in one or named in one for one in found), found


def test_a_custom_model_names_it_where_it_embeds():
    facts = models()["bge-m3"].model_dump(mode="json", by_alias=True)
    keys = (
        "task",
        "license",
        "dtype",
        "layers",
        "hidden",
        "intermediate",
        "attention",
        "vocabulary",
        "context",
    )
    own = {**{key: facts[key] for key in keys}, "weights-gib": 1.06, "engine": "text-embeddings"}
    made = planned(custom_models={"own": own}, models=[model(**{**EMBED, "model": "own", "engine": None})])
    assert made.models[0].engine is Engine.TEXT_EMBEDDINGS
    with pytest.raises(
        Exception, match="text-embeddings serves models of task embedding in fp32, bf16, fp16"
    ):
        parsed(custom_models={"own": {**own, "task": "chat"}}, models=[model(model="own")])


def test_models_that_it_serves_are_those_that_embed_in_a_dtype_that_it_reads():
    able: list[ModelSpec] = [one for one in models().values() if Engine.TEXT_EMBEDDINGS in one.engines]
    assert able and {one.task.value for one in able} == {"embedding"}
    narrow = able[0].model_copy(update={"dtype": Dtype.FP8})
    assert narrow.engines == (Engine.VLLM,)


def test_the_plan_says_that_its_memory_was_not_measured():
    assert any("without calibration" in one for one in embedding().notes)
