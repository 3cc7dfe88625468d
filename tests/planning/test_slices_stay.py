"""Growing fleets: a slice stays where it is unless moving it saves a GPU, and then the plan says so."""

import copy
import itertools
import os
import random
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from tests.planning.other_gpus import uneven
from tests.stacks.stack_files import ROOT, model, planned, pool

from corral.catalogue.gpus import gpus, shape
from corral.stacks.planning.mig.allocation import FixedAllocation, PlannedAllocation
from corral.stacks.planning.mig.layouts import fits_geometry, layout
from corral.stacks.planning.mig.packing import fewest
from corral.stacks.planning.mig.vectors import vector
from corral.stacks.planning.results.plan import Plan

GPU = "A100-40GB"
CUTTABLE = [key for key, entry in gpus().items() if entry.profiles]
SMALL = {"model": "smollm2-135m", "context": 2048, "max-num-seqs": 2, "weights": "simulated"}


def where(allocation: PlannedAllocation) -> list[int]:
    return [one.gpu for one in allocation.slices]


def on_each(allocation: PlannedAllocation) -> list[Counter[str]]:
    found = [Counter[str]() for _ in range(max(where(allocation), default=-1) + 1)]
    for one in allocation.slices:
        found[one.gpu][one.profile] += 1
    return found


def grow(gpu: str, seed: int, size: int, allocation: PlannedAllocation) -> None:
    """Slices of random profiles, one after the other, each step checked against the one before."""
    dice = random.Random(seed)
    profiles = list(gpus()[gpu].profiles)
    weights = [dice.random() ** 2 for _ in profiles]
    for number in range(size):
        profile = dice.choices(profiles, weights)[0]
        before, notes, held = where(allocation), len(allocation.repacked), on_each(allocation)
        assert allocation.take(profile, 1, f"m{number}")
        after = on_each(allocation)
        room_beside = any(fits_geometry(gpu, one + Counter([profile])) for one in held)
        unmoved = len(held) + (0 if room_beside else 1)
        moved = {
            f"m{at}"
            for at, (old, new) in enumerate(zip(before, where(allocation), strict=False))
            if old != new
        }
        if moved:
            assert len(after) < unmoved, f"{moved} moved for nothing"
            assert [set(one.moved) for one in allocation.repacked[notes:]] == [moved]
            assert allocation.repacked[-1].model == f"m{number}"
        else:
            assert len(after) == unmoved and len(allocation.repacked) == notes
        best = fewest(
            gpu, vector(gpu, layout(gpu, Counter(one.profile for one in allocation.slices))), number + 1
        )
        assert best is not None and len(after) == len(best.layouts), "the fewest at every step"
        for cut, used in zip(allocation.layouts(), after, strict=True):
            assert used <= Counter(dict(cut)) and fits_geometry(gpu, dict(cut)) and used


@pytest.mark.exhaustive
@pytest.mark.parametrize("gpu", CUTTABLE)
def test_a_slice_moves_only_when_that_saves_a_gpu_and_a_note_names_its_model(gpu: str):
    repacked = 0
    for seed in range(25):
        allocation = PlannedAllocation(gpu, 10**6)
        grow(gpu, seed, 40, allocation)
        repacked += len(allocation.repacked)
    few = len(gpus()[gpu].profiles) <= 3
    assert repacked > 5 or few, "the property is not kept by never moving anything"


def test_the_same_holds_where_weights_are_not_enough():
    with uneven() as gpu:
        gaps = 0
        for seed in range(40):
            allocation = PlannedAllocation(gpu, 10**6)
            grow(gpu, seed, 12, allocation)
            proof, used = allocation.proof(), len(on_each(allocation))
            assert proof.bound == used or proof.exhausted == used - 1
            gaps += proof.bound < used
        assert gaps > 0


def test_a_large_fleet_keeps_the_property_too():
    allocation = PlannedAllocation(GPU, 10**6)
    grow(GPU, 5, 250, allocation)
    assert len(on_each(allocation)) > 60


def test_moves_are_few():
    """Cutting all GPUs anew each time moves four times as many in these fleets."""
    moved = repacked = 0
    for seed in range(4):
        allocation = PlannedAllocation(GPU, 10**6)
        grow(GPU, seed, 80, allocation)
        repacked += len(allocation.repacked)
        moved += sum(len(one.moved) for one in allocation.repacked)
    assert repacked > 5 and moved / repacked < 2


def fleet(seed: int, size: int) -> list[dict[str, Any]]:
    dice = random.Random(seed)
    kinds: tuple[dict[str, Any], ...] = (
        SMALL,
        {"model": "bge-m3", "weights": "simulated"},
        {"model": "llama-3.1-8b", "context": 8192, "weights": "simulated"},
        {"model": "gpt-oss-20b", "context": 8192, "weights": "simulated"},
        {"model": "qwen2.5-coder-7b", "context": 32768, "max-num-seqs": 8, "weights": "simulated"},
    )
    return [
        {"name": f"m{number}", "replicas": dice.randint(1, 3), **dice.choice(kinds)} for number in range(size)
    ]


POOLS = [
    pool(name="a", nodes={"names": [f"a-{number}" for number in range(4)]}, gpus_per_node=2),
    pool(name="b", gpu="A30", nodes={"names": ["b-0", "b-1"]}, gpus_per_node=4),
    pool(name="c", gpu="H100-80GB", nodes={"names": [f"c-{number}" for number in range(4)]}, gpus_per_node=4),
    pool(name="d", gpu=GPU, nodes={"names": ["d-0"]}, gpus_per_node=4, sharing={"mig": "all-balanced"}),
]


def places(plan: Plan) -> dict[str, tuple[object, ...]]:
    return {one.name: one.placements for one in plan.models}


def gpus_used(plan: Plan) -> int:
    return sum(any(one.model for one in gpu.slices) for pool in plan.pools for gpu in pool.gpus)


def named_in_notes(plan: Plan) -> set[str]:
    return {name for pool in plan.pools for one in pool.repacked for name in one.moved}


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(6))
def test_every_prefix_of_a_stack_file_keeps_its_places_but_for_the_models_named(seed: int):
    models = fleet(seed, 22)
    plans = [planned(gpu_pools=POOLS, models=models[:size]) for size in range(len(models) + 1)]
    for short, long in itertools.combinations(plans, 2):
        earlier = places(short)
        moved = {name for name, found in earlier.items() if places(long)[name] != found}
        assert moved <= named_in_notes(long)
        for one, two in zip(short.pools, long.pools, strict=True):
            assert two.repacked[: len(one.repacked)] == one.repacked, "notes are added, none is taken back"


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(4))
def test_a_further_replica_of_the_last_model_keeps_every_place_but_those_named(seed: int):
    models = fleet(seed, 18)
    compared = 0
    for replicas in range(1, 8):
        fewer = planned(gpu_pools=POOLS, models=[*models[:-1], {**models[-1], "replicas": replicas}])
        more = planned(gpu_pools=POOLS, models=[*models[:-1], {**models[-1], "replicas": replicas + 1}])
        last = models[-1]["name"]
        if fewer.models[-1].pool != more.models[-1].pool:
            continue
        for name, found in places(fewer).items():
            kept = places(more)[name][: len(found)]
            assert kept == found or name in named_in_notes(more), name
        assert len(places(more)[last]) == replicas + 1
        compared += 1
    assert compared > 2


def test_a_plan_leaves_nothing_behind_that_a_later_one_sees():
    models = fleet(1, 12)
    before = planned(gpu_pools=POOLS, models=models[:-1])
    assert planned(gpu_pools=POOLS, models=models) != before
    assert planned(gpu_pools=POOLS, models=models[:-1]) == before


@pytest.mark.parametrize("gone", range(1, 16, 3))
def test_a_model_that_leaves_moves_none_that_stands_before_it_but_those_named(gone: int):
    models = fleet(2, 16)
    whole = planned(gpu_pools=POOLS, models=models)
    rest = planned(gpu_pools=POOLS, models=models[:gone] + models[gone + 1 :])
    named = named_in_notes(whole) | named_in_notes(rest)
    for one in models[:gone]:
        assert places(whole)[one["name"]] == places(rest)[one["name"]] or one["name"] in named


def test_a_model_put_in_the_line_of_another_of_its_size_moves_nobody():
    models = [{"name": f"m{number}", **SMALL} for number in range(9)]
    swapped = [*models[:2], {**models[2], "name": "other"}, *models[3:]]
    before, after = (places(planned(models=chosen)) for chosen in (models, swapped))
    assert after.pop("other") == before.pop("m2")
    assert after == before


def test_the_plan_names_who_moved_and_for_whom():
    small = [{"name": f"m{number}", **SMALL} for number in range(8)]
    large = [model(name="chat"), model(name="code")]
    before, after = (planned(models=[*small, *chosen]) for chosen in (large[:1], large))
    assert gpus_used(before) == gpus_used(after) == 2, "three without moving: 7 + 1 small ones, 1 and 1 large"
    (note,) = after.pools[0].repacked
    assert (note.model, note.moved) == ("code", ("m4", "m5", "m6"))
    changed = {name for name, found in places(before).items() if places(after)[name] != found}
    assert changed == set(note.moved) and before.pools[0].repacked == ()


def test_spare_slices_are_of_the_kind_in_use_so_that_a_replica_needs_no_new_cut():
    one, two = (planned(models=[model(replicas=number)]).pools[0] for number in (1, 2))
    assert one.mig_configs == two.mig_configs
    assert [found.profile for found in one.gpus[0].slices] == ["3g.20gb", "3g.20gb"]


@pytest.mark.exhaustive
def test_the_plan_does_not_depend_on_the_order_of_hashing():
    program = (
        "from tests.planning.test_slices_stay import *\n"
        "print([(places(planned(gpu_pools=POOLS, models=fleet(seed, 20))), allocation) for seed in range(3)\n"
        "  for allocation in [PlannedAllocation(GPU, 999)] if grow(GPU, seed, 60, allocation) is None])"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] and "m19" in said[0]


@pytest.mark.parametrize("gpu", CUTTABLE)
def test_as_many_slices_fit_as_are_said_to_be_free(gpu: str):
    for seed in range(12):
        allocation = PlannedAllocation(gpu, 3)
        dice = random.Random(seed)
        for number in range(dice.randint(0, 9)):
            allocation.take(dice.choice(list(gpus()[gpu].profiles)), 1, f"m{number}")
        for profile in gpus()[gpu].profiles:
            free = allocation.free(profile)
            assert 0 <= free <= 3 * shape(gpu, profile).max
            trial = copy.deepcopy(allocation)
            assert not trial.take(profile, free + 1, "too-many")
            assert vars(trial) == vars(allocation), "a refusal changes nothing"
            assert trial.take(profile, free, "all") and trial.free(profile) == 0


def test_slices_of_a_given_layout_are_handed_out_in_order_and_never_twice():
    allocation = FixedAllocation(GPU, ((("3g.20gb", 2),), (("1g.5gb", 3), ("3g.20gb", 1))))
    assert (allocation.free("3g.20gb"), allocation.free("7g.40gb")) == (3, 0)
    assert (
        allocation.take("3g.20gb", 2, "a")
        and not allocation.take("3g.20gb", 2, "b")
        and allocation.take("3g.20gb", 1, "b")
    )
    assert [(one.model, one.gpu) for one in allocation.slices] == [("a", 0), ("a", 0), ("b", 1)]
    assert allocation.repacked == [] and allocation.proof().bound == 2
