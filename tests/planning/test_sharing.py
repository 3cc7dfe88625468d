"""How GPUs are shared, and what follows from it everywhere."""

import pytest
from tests.stacks.stack_files import GIB, model, planned, pool, problems

from corral.catalogue.gpus import gpus
from corral.catalogue.vocabulary import Allocator, SharingKind
from corral.stacks.planning.results.models import ClaimPlan, ResourcePlan

PLUGIN = {"dra-driver": "off"}
SMALL = {"name": "m", "model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}


def shared(**sharing):
    return pool(gpu="L40S", sharing={key.replace("_", "-"): value for key, value in sharing.items()})


def embedder(**changes):
    return model(name="e", model="bge-m3", **changes)


def test_a_share_by_time_is_an_equal_part_of_the_memory_and_the_server_keeps_to_it():
    found = planned(gpu_pools=[shared(time_slicing=4)], models=[embedder(replicas=3)], addons=PLUGIN)
    (one,) = found.models
    assert one.claim == ResourcePlan("nvidia.com/gpu.shared", 1)
    assert one.device == "1/4 GPU"
    assert one.memory.usable == gpus()["L40S"].usable // 4
    assert one.args[one.args.index("--gpu-memory-utilization") + 1] == "0.23", "0.92 of a fourth"
    assert found.pools[0].sharing is SharingKind.TIME_SLICING and found.pools[0].shares == 4
    assert [[slot.model for slot in gpu.slices] for gpu in found.pools[0].gpus] == [
        ["e", "e", "e", None],
        [None] * 4,
    ]
    assert found.allocator is Allocator.DEVICE_PLUGIN


def test_a_server_never_takes_more_than_its_share_whatever_the_number():
    for shares in range(2, 8):
        found = planned(gpu_pools=[shared(time_slicing=shares)], models=[embedder()], addons=PLUGIN).models[0]
        share = float(found.args[found.args.index("--gpu-memory-utilization") + 1])
        assert 0.85 / shares < share <= 0.92 / shares


def test_as_many_replicas_fit_as_there_are_shares_and_not_one_more():
    full = {"gpu_pools": [shared(time_slicing=4)], "addons": PLUGIN}
    assert len(planned(**full, models=[embedder(replicas=8)]).models[0].placements) == 8
    (refused,) = problems(**full, models=[embedder(replicas=9)])
    assert "replicas that still fit are 8 on 1/4 GPU of slices" in refused


def test_a_model_larger_than_a_share_is_refused_though_the_gpu_would_hold_it():
    (refused,) = problems(gpu_pools=[shared(time_slicing=4)], models=[model()], addons=PLUGIN)
    assert refused.startswith("models[0]: chat needs 18.") and "11.1 GiB (1/4 GPU of pool slices)" in refused
    assert planned(gpu_pools=[shared(time_slicing=2)], models=[model()], addons=PLUGIN)


@pytest.mark.parametrize("way", ["time-slicing", "mps"])
def test_two_allocators_on_one_node_are_refused(way):
    (refused,) = problems(gpu_pools=[pool(gpu="L40S", sharing={way: 2})], models=[SMALL])
    assert refused.startswith(f"gpu-pools[0].sharing.{way}: 2: the device plugin shares GPUs like this")
    assert refused.endswith("use addons: {dra-driver: off}, or mig")


def test_without_a_dra_driver_slices_and_gpus_are_resources_by_name():
    found = planned(models=[SMALL, model(pool="whole")], gpu_pools=[pool(), whole()], addons=PLUGIN).models
    assert [one.claim for one in found] == [
        ResourcePlan("nvidia.com/mig-1g.5gb", 1),
        ResourcePlan("nvidia.com/gpu", 1),
    ]
    claimed = planned(models=[SMALL], gpu_pools=[pool()]).models[0].claim
    assert claimed == ClaimPlan("mig-1g-5gb.corral.dev", "1g.5gb", None, 1)


def whole():
    return pool(name="whole", gpu="H100-80GB", nodes={"names": ["whole-0"]}, sharing="whole")


def test_tenants_of_several_data_classes_never_share_a_gpu_by_time():
    tenants = [{"name": "a", "data-class": "public"}, {"name": "b", "data-class": "restricted"}]
    both = [embedder(tenant="a"), {**embedder(tenant="b"), "name": "f"}]
    wanted = {"tenants": tenants, "models": both, "addons": PLUGIN}
    (refused,) = problems(gpu_pools=[shared(time_slicing=4)], **wanted)
    assert refused.startswith("gpu-pools[0].sharing.time-slicing: 4: tenants of several data classes")
    assert "public, restricted" in refused
    for one in both:
        one["pool"] = "slices" if one["tenant"] == "a" else "whole"
    assert planned(gpu_pools=[shared(time_slicing=4), whole()], **wanted)
    same = [{**tenant, "data-class": "public"} for tenant in tenants]
    assert planned(gpu_pools=[shared(time_slicing=4), whole()], **{**wanted, "tenants": same})


def test_vllm_is_kept_off_mps_since_nobody_has_measured_what_it_sees_there():
    (refused,) = problems(gpu_pools=[shared(mps=2)], models=[embedder()], addons=PLUGIN)
    assert refused.endswith("there is no GPU pool that vllm can use: add one to gpu-pools")
    found = planned(gpu_pools=[shared(mps=2), whole()], models=[embedder(), SMALL], addons=PLUGIN)
    assert [one.pool for one in found.models] == ["whole", "slices"]
    assert found.models[1].memory.usable == gpus()["L40S"].usable // 2 > 20 * GIB


@pytest.mark.parametrize(
    ("sharing", "line"),
    [
        ({"time-slicing": 1}, "gpu-pools[0].sharing.time-slicing: 1: use 2 or more"),
        ({"time-slicing": "4"}, "gpu-pools[0].sharing.time-slicing: 4: use a whole number, without quotes"),
        ({"mps": 49}, "gpu-pools[0].sharing.mps: 49: use 48 at most"),
        (
            {"mig": "auto", "mps": 2},
            'gpu-pools[0].sharing: {"mig": "auto", "mps": 2}: a GPU is divided one way',
        ),
        ({"slices": 3}, 'gpu-pools[0].sharing: {"slices": 3}: use one of whole'),
    ],
)
def test_a_way_of_sharing_that_is_none_is_refused_with_those_there_are(sharing, line):
    found = problems(gpu_pools=[pool(sharing=sharing)], addons=PLUGIN)
    assert len(found) == 1 and found[0].startswith(line), found


def test_without_operator_and_driver_nobody_hands_gpus_out():
    parts = {"dra-driver": "off", "gpu-operator": "off"}
    found = problems(gpu_pools=[whole()], models=[model()], addons=parts)
    assert found == [
        "addons.gpu-operator: off: its device plugin hands GPUs out, since the DRA driver is off: "
        "use managed or existing"
    ]


def test_nodes_of_the_cluster_s_own_may_go_without_a_taint_and_nodes_made_for_a_pool_may_not():
    assert planned(gpu_pools=[pool(dedicated=False)]).pools[0].dedicated is False
    assert planned().pools[0].dedicated is True
    made = pool(dedicated=False, nodes={"min": 1, "max": 2})
    (found,) = [one for one in problems(gpu_pools=[made]) if "dedicated" in one]
    assert found.startswith("gpu-pools[0].dedicated: false: nodes that are made for a pool bear its taint")
