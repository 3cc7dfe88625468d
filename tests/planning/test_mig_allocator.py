"""Pools of MIG slices: what is free, refused, left over and shown."""

import io

import pytest
from rich.console import Console
from tests.planning.other_gpus import uneven
from tests.stacks.stack_files import model, parsed, planned, pool, problems

from corral.catalogue.gpus import geometry, gpus
from corral.stacks.planning.gpu_pools.allocators import pool_allocator
from corral.stacks.planning.gpu_pools.devices import DeviceKind
from corral.stacks.planning.gpu_pools.mig import MigAllocator
from corral.stacks.planning.mig.allocation import PlannedAllocation
from corral.stacks.planning.mig.layouts import maximal_layouts
from corral.stacks.planning.results.pools import Proof, Stranded, stranded
from corral.stacks.reports.terminal.plan import pool_notes, render

SMALL = {"model": "smollm2-135m", "context": 2048, "max-num-seqs": 2}


def small(number: int) -> list[dict[str, object]]:
    return [{"name": f"m{index}", **SMALL} for index in range(number)]


def free(gpu: str, profile: str, sharing: object) -> int:
    (one,) = parsed(gpu_pools=[pool(gpu=gpu, sharing=sharing)], models=[]).gpu_pools
    found = pool_allocator(one)
    (device,) = [device for device in found.devices() if device.profile == profile]
    return found.free(device)


@pytest.mark.parametrize("sharing", [{"mig": "auto"}, {"mig": "all-1g.10gb"}])
def test_a_profile_of_one_name_fits_as_often_as_its_gpu_says(sharing: object):
    assert free("A100-40GB", "1g.10gb", sharing) == 2 * 4
    assert free("A100-80GB", "1g.10gb", sharing) == 2 * 7
    assert free("H100-80GB", "1g.10gb", sharing) == 2 * 7


def test_the_same_profile_is_planned_by_its_gpu():
    twice = [pool(name="a", gpus_per_node=1), pool(name="b", gpu="A100-80GB", nodes={"names": ["b"]})]
    found = planned(
        gpu_pools=twice,
        models=[model(name="x", model="bge-m3", pool="b"), *({**one, "pool": "a"} for one in small(1))],
    )
    assert [(one.claim.profile, one.memory.usable) for one in found.models] == [
        ("1g.10gb", gpus()["A100-80GB"].profiles["1g.10gb"].usable),
        ("1g.5gb", gpus()["A100-40GB"].profiles["1g.5gb"].usable),
    ]


def test_a_slice_that_can_never_be_cut_is_not_counted_for_ever():
    (one,) = parsed(gpu_pools=[pool(nodes={"names": ["n"]}, gpus_per_node=16)], models=[]).gpu_pools
    found = pool_allocator(one)
    assert [found.free(device) for device in found.devices()] == [112, 64, 48, 32, 16, 16]


def test_a_refused_model_leaves_the_room_as_it_was():
    (one,) = parsed(models=[]).gpu_pools
    found = pool_allocator(one)
    device = found.devices()[0]
    assert not found.take(device, 1, 15, ("much", 1))
    assert found.take(device, 1, 14, ("right", 2)) and found.free(device) == 0
    plan, where = found.finish()
    assert {one.model for gpu in plan.gpus for one in gpu.slices} == {"right"}
    assert set(where) == {"right"} and len(where["right"]) == 14


def test_a_refusal_among_many_pools_names_those_with_most_room():
    many = [
        pool(name=name, nodes={"names": [name]}, gpus_per_node=gpus)
        for name, gpus in (("a", 1), ("b", 3), ("c", 2))
    ]
    (found,) = problems(gpu_pools=many, models=[model(replicas=9)])
    assert "6 on 3g.20gb of b, 4 on 3g.20gb of c, 3 on 4g.20gb of b and 6 others; use replicas: 6" in found


def test_a_refusal_by_a_full_pool_asks_for_gpus():
    found = problems(gpu_pools=[pool(gpus_per_node=1)], models=[model(replicas=2), model(name="more")])
    assert found[0].endswith("use more GPUs, or fewer models")


@pytest.mark.parametrize(
    ("cut", "left"),
    [
        ({"3g.20gb": 2}, (1, 0)),
        ({"1g.5gb": 7}, (0, 1)),
        ({"1g.10gb": 4}, (3, 0)),
        ({"4g.20gb": 1, "2g.10gb": 1, "1g.5gb": 1}, (0, 1)),
        ({"4g.20gb": 1, "3g.20gb": 1}, (0, 0)),
        ({"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2}, (0, 0)),
    ],
)
def test_what_a_layout_strands_is_known(cut: dict[str, int], left: tuple[int, int]):
    assert stranded("A100-40GB", cut) == Stranded(*left)


def test_no_layout_strands_less_than_nothing_or_more_than_half_a_gpu():
    divided = [key for key, entry in gpus().items() if entry.profiles]
    assert len(divided) > 5
    for gpu in divided:
        for one in maximal_layouts(gpu):
            left = stranded(gpu, dict(one))
            assert 0 <= left.compute < geometry(gpu).compute / 2 and 0 <= left.memory <= 1, (gpu, one)


def shown(**changes: object) -> str:
    screen = io.StringIO()
    render(planned(**changes), Console(file=screen, width=200, no_color=True))
    return screen.getvalue()


def test_the_title_of_a_pool_says_that_fewer_gpus_do_not_do_and_what_is_stranded():
    text = shown(models=[model(replicas=3)])
    assert "Pool slices: A100-40GB, MIG slices, 2 of 2 used, the fewest, strands 2 compute\n" in text
    assert "at least 2 needed: 12 memory slices, and a GPU has at most 8\n" in text


def test_a_layout_of_the_stack_file_that_needs_more_gpus_is_not_called_the_fewest():
    wasteful = pool(sharing={"mig": [{"3g.20gb": 1}, {"4g.20gb": 1}]})
    text = shown(gpu_pools=[wasteful], models=[model(replicas=1), model(name="more", pool="slices")])
    assert "2 of 2 used, at least 1 needed, strands 7 compute, 8 memory" in text
    assert "the fewest" not in text


def test_a_bound_by_other_weights_is_explained():
    (only,) = planned(models=[model()]).pools
    weights = (("1g.5gb", 0), ("2g.10gb", 1), ("3g.20gb", 1), ("4g.20gb", 2))
    (note,) = pool_notes(only.__class__(**{**vars(only), "proof": Proof(weights, 3, 7)}))
    assert note == (
        "at least 3 needed: 2g.10gb counts 1, 3g.20gb counts 1, 4g.20gb counts 2: 7, and a GPU has at most 3"
    )


def test_an_optimum_above_the_bound_is_shown_with_what_was_tried():
    with uneven() as gpu:
        (one,) = parsed(models=[], gpu_pools=[pool(gpus_per_node=4)]).gpu_pools
        allocation = PlannedAllocation(gpu, 4)
        found = MigAllocator(
            one.model_copy(update={"gpu": gpu}), allocation, tuple(gpus()[gpu].profiles), None
        )
        for profile, count in (("half", 1), ("third", 2), ("fifth", 4)):
            assert found.take(DeviceKind(profile, 1, 1), 1, count, (profile, 1))
        plan, _where = found.finish()
        assert (plan.lower_bound, sum(any(one.model for one in gpu.slices) for gpu in plan.gpus)) == (2, 3)
        (note,) = pool_notes(plan)
        assert note.endswith("and a GPU has at most 30; with 2 every layout was tried")


def test_moves_are_shown_and_many_are_counted():
    eight = small(8)
    text = shown(models=[*eight, model(name="chat"), model(name="code")])
    assert "repacked for code: saves 1 GPU, moves m4, m5, m6\n" in text
    (only,) = planned(models=[*eight, model(name="chat"), model(name="code")]).pools
    many = only.__class__(**{**vars(only), "repacked": only.repacked * 5})
    assert list(pool_notes(many))[-1] == "and 2 more times"
    assert "repacked" not in shown()
