"""What nodes keep before a replica comes, and how engines read it: planned, sized, or refused by its path."""

from datetime import date
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from tests.stacks.stack_files import parsed, pool, problems

from corral.catalogue.cold_start import cold_start_figures
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Addon, AddonState, Engine, Load
from corral.stacks.config.errors import PlanErrors
from corral.stacks.config.model_lock import LockedFile, LockedModel
from corral.stacks.planning.cold_start import cold_start
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html import page
from corral.stacks.reports.terminal.plan import render

WHOLE = pool(name="whole", gpu="H100-80GB", nodes={"names": ["gpu-0"]}, gpus_per_node=4, sharing="whole")
DAY = date(2026, 11, 28)
SOURCE = "s3://models/intake-llama"
CHAT: dict[str, Any] = {"name": "chat", "model": "llama-3.1-8b", "source": SOURCE, "context": 8192}
KEPT = {**CHAT, "local-cache": True}
EXISTING = {"kind": "existing"}


def lock(names: tuple[str, ...] = ("model.safetensors",), digest: str = "ab") -> dict[str, LockedModel]:
    """The lock of model `chat`: files of 16 GiB and a byte together."""
    size = (16 * GIB) // len(names) + 1
    files = tuple(LockedFile(name=name, sha256=digest * 32, size=size) for name in names)
    return {"chat": LockedModel(source=SOURCE, date=DAY, files=files)}


def kept(locked: dict[str, LockedModel] | None = None, **changes: Any) -> Plan:
    """The plan of one model that nodes of an existing cluster keep."""
    stack = {"models": [KEPT], "gpu_pools": [WHOLE], "cluster": EXISTING, **changes}
    return plan(parsed(**stack), "test", lock() if locked is None else locked)


def refused(locked: dict[str, LockedModel] | None = None, **changes: Any) -> list[str]:
    with pytest.raises(PlanErrors) as raised:
        kept(locked, **changes)
    return [str(one) for one in raised.value.problems]


def lines(made: Plan) -> str:
    text = StringIO()
    render(made, Console(file=text, width=240))
    return text.getvalue()


def test_a_kept_model_is_fetched_once_per_node_and_not_by_a_replica():
    (model,), (apart,) = kept().models, kept(models=[CHAT]).models
    assert (model.cold_start.fetch, model.cold_start.node_fetch) == (0, apart.cold_start.fetch)
    assert model.cold_start.seconds == apart.cold_start.seconds - apart.cold_start.fetch
    assert model.cold_start.verify == apart.cold_start.verify > 0, (
        "what a node keeps is verified all the same"
    )


def test_the_room_on_a_node_is_what_its_models_take_unless_more_is_stated():
    def room(**changes: Any) -> tuple[int, int]:
        (cache,) = kept(gpu_pools=[{**WHOLE, **changes}]).model_caches
        return cache.room_gib, cache.used_gib

    assert room() == (17, 17), "16 GiB and a byte"
    assert room(**{"model-cache": "500Gi"}) == (500, 17)


def test_less_room_than_the_models_take_is_named_with_what_they_need():
    (line,) = refused(gpu_pools=[{**WHOLE, "model-cache": "16Gi"}])
    assert line.startswith("gpu-pools[0].model-cache: 16Gi") and "chat 16.0 GiB" in line and "17Gi" in line


def test_room_for_no_model_is_refused():
    (line,) = refused(models=[CHAT], gpu_pools=[{**WHOLE, "model-cache": "16Gi"}])
    assert line.startswith("gpu-pools[0].model-cache: 16Gi") and "leave model-cache out" in line


def test_other_files_lie_elsewhere_in_the_store_kept_on_nodes_or_not():
    first, other = kept().models[0].storage_path, kept(lock(digest="cd")).models[0].storage_path
    assert first != other and first.startswith("chat-") and other.startswith("chat-")
    assert kept(models=[CHAT]).models[0].storage_path == first


def test_the_addon_is_there_for_a_model_that_nodes_keep_alone():
    assert kept().state(Addon.MODEL_CACHE) is AddonState.MANAGED
    assert kept(models=[CHAT]).state(Addon.MODEL_CACHE) is AddonState.OFF
    assert [one.keeps_models for one in kept().pools] == [True]


def test_a_canary_is_kept_as_its_model_is_and_counts_on_the_node():
    canary: dict[str, Any] = {"weight": 10, "source": "s3://models/intake-other"}
    locked = {
        **lock(),
        "chat-canary": LockedModel(source="s3://models/intake-other", date=DAY, files=lock()["chat"].files),
    }
    made = kept(locked, models=[{**KEPT, "canary": canary}], gateway={"host": "models.example.eu"})
    (cache,) = made.model_caches
    assert len({one.name for one in cache.models}) == 2 and cache.used_gib == 34


@pytest.mark.parametrize(
    ("changes", "path", "hint"),
    [
        ({"models": [{**KEPT, "weights": "simulated"}]}, "models[0].local-cache: true", "leave local-cache"),
        ({"addons": {"kserve": "existing"}}, "addons.kserve: existing", "use managed"),
        ({"addons": {"model-cache": "off"}}, "addons.model-cache: off", "leave local-cache out"),
        ({"addons": {"kyverno": "off"}}, "addons.kyverno: off", "model-cache needs it"),
        (
            {
                "sovereignty": {
                    "profile": "open",
                    "region": "r",
                    "registry": "r.eu/m",
                    "pull-secret": "mirror",
                }
            },
            "sovereignty.pull-secret: mirror",
            "takes no pull secret",
        ),
    ],
)
def test_a_cache_that_kserve_could_not_fill_is_refused_by_its_path(
    changes: dict[str, Any], path: str, hint: str
):
    found = problems(**{"models": [KEPT], "gpu_pools": [WHOLE], "cluster": EXISTING, **changes})
    (line,) = [one for one in found if one.startswith(path)]
    assert hint in line


def test_a_bucket_that_pods_enter_by_their_own_identity_is_refused():
    store = {"kind": "gcs", "bucket": "b"}
    found = problems(models=[KEPT], gpu_pools=[WHOLE], cluster=EXISTING, model_storage=store)
    assert any(one.startswith("model-storage.kind: gcs") and "no identity" in one for one in found)


def test_files_that_are_not_locked_are_refused():
    (line,) = refused({})
    assert line.startswith("models[0].local-cache") and "corral lock --models" in line


def test_nodes_made_on_demand_have_an_empty_disk():
    made = {**WHOLE, "nodes": {"min": 2, "max": 2}}
    cluster = {"kind": "existing", "stack": "organization/corral/cluster"}
    (line,) = refused(gpu_pools=[made], cluster=cluster)
    assert line.startswith("models[0].local-cache: pool whole") and "made on demand" in line


def test_a_streamed_model_loads_at_the_rate_of_the_streamer_with_a_buffer_per_gpu_on_the_host():
    figures = cold_start_figures()
    size = 65 * 10**9
    start = cold_start(size, Engine.VLLM, None, load=Load.STREAM)
    assert 0 <= start.load * figures.stream_mbps - 65_000 < figures.stream_mbps, "rounded up"
    two = {**CHAT, "tensor-parallel": 2}
    (plain,), (streamed,) = kept(models=[two]).models, kept(models=[{**two, "load": "stream"}]).models
    assert streamed.cold_start.load < plain.cold_start.load
    assert streamed.host_memory_gib == plain.host_memory_gib + 2 * 4
    words = list(streamed.args)
    assert words[words.index("--load-format") + 1] == "runai_streamer"
    assert words[words.index("--model-loader-extra-config") + 1] == (
        '{"concurrency": 16, "memory_limit": 4294967296}'
    )
    assert "--load-format" not in plain.args


def test_what_has_no_tensors_to_stream_is_refused():
    streamed = {**CHAT, "load": "stream"}
    (line,) = refused(lock(("pytorch_model.bin",)), models=[streamed])
    assert line.startswith("models[0].load: stream") and ".safetensors" in line
    small = {"name": "s", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2, "load": "stream"}
    (line,) = problems(models=[small])
    assert line.startswith("models[0].load: stream") and "a setting of vLLM" in line


def test_nodes_of_a_pool_hold_the_images_of_the_engines_placed_on_it():
    slices = {"name": "tiny", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2, "pool": "slices"}
    pools = [
        {**WHOLE, "pre-pull": True},
        pool(**{"pre-pull": True}),
    ]
    made = kept(models=[{**CHAT, "pool": "whole"}, slices], gpu_pools=pools)
    assert {one.pool: one.engines for one in made.pre_pulls} == {
        "whole": (Engine.VLLM,),
        "slices": (Engine.LLAMA_CPP,),
    }
    assert kept().pre_pulls == ()


def test_nodes_that_run_programs_pull_no_image():
    (line,) = problems(gpu_pools=[pool(**{"pre-pull": True})])
    assert line.startswith("gpu-pools[0].pre-pull: true") and "leave pre-pull out" in line


def test_the_plan_says_what_nodes_keep():
    made = kept(models=[{**KEPT, "load": "stream"}], gpu_pools=[{**WHOLE, "pre-pull": True}])
    seconds = made.models[0].cold_start.node_fetch
    for text in (lines(made), page(made)):
        assert f"each node of pool whole keeps 17Gi of 17Gi: chat 17Gi (fetched once in {seconds} s)" in text
        assert "each node of pool whole holds the image of vllm beforehand" in text
        assert "1046 MB/s streamed from disk to GPU: chat" in text
    assert "MB/s from the store" not in lines(made), "no replica fetches"
