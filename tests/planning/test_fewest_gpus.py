"""The fewest GPUs: against every demand of a few GPUs, two other ways to count, and a proof for all sizes."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator

import pytest
from tests.marks import first_of, further
from tests.planning.other_gpus import uneven

from corral.catalogue.gpus import geometry, gpus, shape
from corral.stacks.planning.mig import packing
from corral.stacks.planning.mig.layouts import fits_geometry, layouts, maximal_layouts
from corral.stacks.planning.mig.packing import bound, fewest, lower_bound, pack
from corral.stacks.planning.mig.vectors import Vector, layout_of, plus, vector
from corral.stacks.planning.mig.weights import weighings

GPU = "A100-40GB"
CUTTABLE = [key for key, entry in gpus().items() if entry.profiles]


def every_demand(gpu: str, most: int) -> dict[Vector, int]:
    """Fewest GPUs of every demand that `most` GPUs can have, by adding layouts to layouts."""
    one_gpu = [vector(gpu, one) for one in layouts(gpu)]
    found = {vector(gpu, ()): 0}
    for count in range(1, most + 1):
        for known in [demand for demand, needed in found.items() if needed == count - 1]:
            for one in one_gpu:
                found.setdefault(plus(known, one), count)
    return found


def check_covers(gpu: str, found: packing.Packing, wanted: Vector) -> None:
    total = vector(gpu, ())
    for one in found.layouts:
        assert fits_geometry(gpu, dict(one)), f"{one} cannot be cut"
        total = plus(total, vector(gpu, one))
    assert all(few <= many for few, many in zip(wanted, total, strict=True)), (wanted, found)


@pytest.mark.parametrize(("gpu", "most"), [("A30", 5), further(GPU, 3)])
def test_every_demand_of_a_few_gpus_gets_the_fewest(gpu: str, most: int):
    expected = every_demand(gpu, most)
    assert len(expected) > 100
    for wanted, count in expected.items():
        found = fewest(gpu, wanted, most)
        assert found is not None and len(found.layouts) == count, layout_of(gpu, wanted)
        assert found.proof.bound == count and found.proof.exhausted is None
        check_covers(gpu, found, wanted)
    outside = {
        beyond
        for wanted in expected
        for key in gpus()[gpu].profiles
        if (beyond := plus(wanted, vector(gpu, ((key, 1),)))) not in expected
    }
    assert outside
    for wanted in outside:
        assert bound(gpu, wanted) > most and fewest(gpu, wanted, most) is None, layout_of(gpu, wanted)


def test_a_set_of_slices_fits_on_a_gpu_when_compute_and_memory_do():
    """What a second formulation may rest on: positions never decide which sets can be cut."""
    for gpu in CUTTABLE:
        grid, shapes = geometry(gpu), [shape(gpu, key) for key in gpus()[gpu].profiles]
        sums = {
            counts
            for counts in itertools.product(*(range(grid.memory // one.memory + 1) for one in shapes))
            if sum(one.compute * n for one, n in zip(shapes, counts, strict=True)) <= grid.compute
            and sum(one.memory * n for one, n in zip(shapes, counts, strict=True)) <= grid.memory
        }
        assert sums == {vector(gpu, one) for one in layouts(gpu)}, gpu


def fill(gpu: str, demand: Counter[str], count: int) -> bool:
    """Whether `demand` fits, slice by slice into bins of two sizes: no layouts, no weights, no positions."""
    sizes = [(shape(gpu, key).compute, shape(gpu, key).memory) for key in demand.elements()]
    sizes.sort(key=lambda size: size[::-1], reverse=True)
    grid = geometry(gpu)
    states = {((grid.compute, grid.memory),) * count}
    for compute, memory in sizes:
        states = {
            tuple(sorted((*state[:at], (has - compute, room - memory), *state[at + 1 :])))
            for state in states
            for at, (has, room) in enumerate(state)
            if has >= compute and room >= memory
        }
    return bool(states)


def test_filling_bins_slice_by_slice_needs_the_same_number():
    dice = random.Random(11)
    for _ in range(60):
        gpu = dice.choice(CUTTABLE)
        demand = Counter(dice.choices(list(gpus()[gpu].profiles), k=dice.randint(1, 11)))
        found = fewest(gpu, vector(gpu, tuple(demand.items())), 11)
        assert found is not None
        assert fill(gpu, demand, len(found.layouts)), demand
        assert not fill(gpu, demand, len(found.layouts) - 1), demand


def light_demands(gpu: str, count: int) -> Iterator[Vector]:
    """Demands that weigh at most `count` GPUs, as large as they can be in their last profile.

    The profile that fills a GPU alone is left out: every weighing counts it as one GPU.
    """
    kinds = [vector(gpu, ((key, 1),)) for key in gpus()[gpu].profiles]
    assert all(one.total(kinds[-1]) == one.capacity for one in weighings(gpu))

    def extend(chosen: Vector, rest: list[Vector]) -> Iterator[Vector]:
        first, *others = rest
        while bound(gpu, chosen) <= count:
            if others:
                yield from extend(chosen, others)
            elif bound(gpu, plus(chosen, first)) > count:
                yield chosen
            chosen = plus(chosen, first)

    return extend(vector(gpu, ()), kinds[:-1])


@pytest.mark.parametrize("gpu", first_of(("A30", GPU)))
def test_for_demands_of_any_size_the_weights_give_the_optimum(gpu: str):
    """The finite part of the proof in docs/packing.md.

    A demand that weighs more GPUs than it has profiles has a layout that can be taken off whole, so that what
    is left weighs one GPU less. Here the same is found for all that weigh less, by trying.
    """
    every = [vector(gpu, one) for one in maximal_layouts(gpu)]
    for count in range(1, len(gpus()[gpu].profiles)):
        demands = list(light_demands(gpu, count))
        assert demands
        for wanted in demands:
            rests = (
                tuple(max(0, want - has) for want, has in zip(wanted, one, strict=True)) for one in every
            )
            assert any(bound(gpu, rest) <= count - 1 for rest in rests), (count, layout_of(gpu, wanted))


@pytest.mark.parametrize("gpu", CUTTABLE)
def test_no_layout_weighs_more_than_a_gpu_so_that_the_bound_is_one(gpu: str):
    assert weighings(gpu)
    for one in weighings(gpu):
        weights = [one.total(vector(gpu, found)) for found in layouts(gpu)]
        assert max(weights) == one.capacity > 0


def test_the_weights_of_seven_compute_slices_are_four():
    named = {
        tuple(zip(gpus()[GPU].profiles, one.weights, strict=True)): one.capacity for one in weighings(GPU)
    }
    keys = ("1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb", "7g.40gb")
    assert named == {
        tuple(zip(keys, weights, strict=True)): capacity
        for weights, capacity in (
            ((1, 2, 2, 4, 4, 8), 8),
            ((1, 1, 2, 3, 4, 7), 7),
            ((0, 0, 1, 1, 2, 3), 3),
            ((0, 0, 0, 0, 1, 1), 1),
        )
    }, "memory slices, compute slices, and two that are neither"


@pytest.mark.parametrize("demand", [{"2g.10gb": 7}, {"4g.20gb": 3}, {"2g.10gb": 5, "4g.20gb": 1}])
def test_the_bound_sees_what_counting_slices_does_not(demand: dict[str, int]):
    compute = -(-sum(shape(GPU, key).compute * n for key, n in demand.items()) // geometry(GPU).compute)
    memory = -(-sum(shape(GPU, key).memory * n for key, n in demand.items()) // geometry(GPU).memory)
    assert max(compute, memory) == 2
    found = pack(GPU, demand, 9)
    assert found is not None and len(found) == lower_bound(GPU, demand) == 3


def test_hundreds_of_gpus_are_packed_without_ever_going_back(monkeypatch: pytest.MonkeyPatch):
    dice, steps = random.Random(3), []
    real = packing._steps
    monkeypatch.setattr(packing, "_steps", lambda gpu, rest: steps.append(rest) or real(gpu, rest))
    for _ in range(40):
        gpu = dice.choice(CUTTABLE)
        profiles = list(gpus()[gpu].profiles)
        demand = Counter(dice.choices(profiles, [dice.random() ** 3 for _ in profiles], k=900))
        wanted, before = vector(gpu, tuple(demand.items())), len(steps)
        found = fewest(gpu, wanted, 900)
        assert found is not None and len(found.layouts) == found.proof.bound > 100
        assert len(steps) - before == len(found.layouts), "one step for each GPU"
        check_covers(gpu, found, wanted)


def test_where_the_bound_is_below_the_optimum_the_search_has_tried_everything():
    with uneven() as gpu:
        wanted = vector(gpu, (("half", 1), ("third", 2), ("fifth", 4)))
        found = fewest(gpu, wanted, 9)
        assert found is not None and len(found.layouts) == 3
        assert (found.proof.bound, found.proof.exhausted) == (2, 2)
        check_covers(gpu, found, wanted)
        assert pack(gpu, {"half": 1, "third": 2, "fifth": 4}, 2) is None


def test_the_search_is_exact_where_weights_are_not_enough():
    with uneven() as gpu:
        gaps = 0
        for wanted, count in every_demand(gpu, 5).items():
            found = fewest(gpu, wanted, 5)
            assert found is not None and len(found.layouts) == count, layout_of(gpu, wanted)
            gaps += found.proof.bound < count
            assert (found.proof.exhausted is None) == (found.proof.bound == count)
        assert gaps == 10, "among 1,000 and more demands"


def test_an_empty_demand_needs_no_gpu():
    found = fewest(GPU, vector(GPU, ()), 0)
    assert found is not None and found.layouts == () and found.proof.bound == 0
