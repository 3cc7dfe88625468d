"""Slices that are cut when pods come: what is promised holds whatever came and went before."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import product
from operator import mul

import pytest
from tests.planning.other_gpus import forget

from corral.catalogue.gpus import gpus, shape
from corral.stacks.planning.mig import guarantee
from corral.stacks.planning.mig.guarantee import Blockade, block, blockades, blocking, kept_full, room_for_all
from corral.stacks.planning.mig.guarantee import guarantee as promised
from corral.stacks.planning.mig.layouts import layout, placements
from corral.stacks.planning.mig.packing import fewest
from corral.stacks.planning.mig.vectors import Vector, plus, times, unit, vector, within

GPU = "A100-40GB"
MIG = tuple(key for key, entry in gpus().items() if entry.profiles)
SIZES = {
    "A30": {"1g.6gb": (1, range(4)), "2g.12gb": (2, (0, 2)), "4g.24gb": (4, (0,))},
    GPU: {
        "1g.5gb": (1, range(7)),
        "1g.10gb": (2, (0, 2, 4, 6)),
        "2g.10gb": (2, (0, 2, 4)),
        "3g.20gb": (4, (0, 4)),
        "4g.20gb": (4, (0,)),
        "7g.40gb": (8, (0,)),
    },
}
"""Memory slices and starts of every profile, as the driver lists them: a second time, on purpose."""


def places(gpu: str, profile: str) -> list[int]:
    """The memory slices of each place of `profile`, as bits."""
    size, starts = SIZES[gpu][profile]
    return [((1 << size) - 1) << start for start in starts]


def never_pending(gpu: str, demand: Vector, count: int) -> bool:
    """Whether no order of arrivals and departures ever leaves a pod without a place: every state is tried.

    A scheduler may choose any free place. A departure leads to a state that arrivals alone lead to as well.
    """
    start = ((0,) * count, (0,) * len(demand))
    seen, waiting = {start}, [start]
    while waiting:
        taken, present = waiting.pop()
        for index, profile in enumerate(SIZES[gpu]):
            if present[index] == demand[index]:
                continue
            more = tuple(number + (place == index) for place, number in enumerate(present))
            open_now = [
                (number, mask)
                for number, used in enumerate(taken)
                for mask in places(gpu, profile)
                if not used & mask
            ]
            if not open_now:
                return False
            for number, mask in open_now:
                after = tuple(sorted((*taken[:number], taken[number] | mask, *taken[number + 1 :])))
                if (after, more) not in seen:
                    seen.add((after, more))
                    waiting.append((after, more))
    return True


def test_on_one_gpu_the_promise_is_that_of_every_order_tried_out():
    for gpu, most in (("A30", (5, 3, 2)), (GPU, (4, 3, 3, 3, 2, 1))):
        found = Counter[bool]()
        for demand in product(*(range(number + 1) for number in most)):
            if sum(demand) <= 7:
                right = never_pending(gpu, demand, 1)
                assert room_for_all(gpu, demand, 1) is right, (gpu, demand)
                found[right] += 1
        assert min(found.values()) > 5, "both answers are met"


def test_on_two_gpus_too():
    for demand in product(range(6), range(4), range(3)):
        assert room_for_all("A30", demand, 2) is never_pending("A30", demand, 2), demand
    dice, found = random.Random(4), Counter[bool]()
    for _ in range(60):
        demand = tuple(dice.choice((0, 0, 0, 1, 1, 2, 3)) for _ in SIZES[GPU])
        if sum(demand) <= 6:
            right = never_pending(GPU, demand, 2)
            assert room_for_all(GPU, demand, 2) is right, demand
            found[right] += 1
    assert min(found[True], found[False]) > 5, found


def demands(gpu: str, seed: int, number: int, most: int) -> Iterator[Vector]:
    dice = random.Random(seed)
    for _ in range(number):
        some = [dice.random() < 0.5 for _ in gpus()[gpu].profiles]
        yield tuple(dice.randint(0, most) if one else 0 for one in some)


@pytest.mark.parametrize("gpu", ["A30", GPU, "RTX-PRO-5000-48GB"])
def test_what_keeps_gpus_full_is_shown_slice_by_slice(gpu: str):
    for profile in gpus()[gpu].profiles:
        lying = {counted(gpu, found) for found in placements(gpu) if full(gpu, profile, found)}
        for others in demands(gpu, 1, 60, 9):
            count = kept_full(gpu, profile, others, 99)
            sets = block(gpu, profile, others, count)
            assert sets is not None and len(sets) == count and lying.issuperset(sets), (profile, others)
            total = vector(gpu, ())
            for one in sets:
                total = plus(total, one)
            assert within(total, others), "nobody has slices that were not asked for"


def counted(gpu: str, found: frozenset[tuple[str, int]]) -> Vector:
    return vector(gpu, layout(gpu, Counter(name for name, _ in found)))


def full(gpu: str, profile: str, found: frozenset[tuple[str, int]]) -> bool:
    starts = shape(gpu, profile).starts
    return not any((profile, at) not in found and found | {(profile, at)} in placements(gpu) for at in starts)


@pytest.mark.parametrize("gpu", MIG)
def test_no_set_that_keeps_a_gpu_full_weighs_less_than_is_said(gpu: str):
    for profile in gpus()[gpu].profiles:
        for one in blockades(gpu, profile):
            weights = [
                sum(w * n for w, n in zip(one.weights, found, strict=True))
                for found in blocking(gpu, profile)
            ]
            assert min(weights) == one.least, (profile, one)


def test_the_weights_of_seven_compute_slices_are_those_of_the_docs():
    found = {key: [(one.weights, one.least) for one in blockades(GPU, key)] for key in gpus()[GPU].profiles}
    double = [((1, 1, 0, 1, 0, 1), 1), ((1, 1, 1, 2, 0, 2), 2), ((1, 1, 1, 2, 2, 4), 4)]
    assert found["7g.40gb"] == found["4g.20gb"] == [((1, 1, 1, 1, 1, 1), 1)]
    assert found["3g.20gb"] == [((1, 1, 1, 1, 0, 1), 1), ((1, 1, 1, 1, 1, 2), 2)]
    assert found["2g.10gb"] == [*found["3g.20gb"], ((1, 1, 1, 2, 2, 3), 3)]
    assert found["1g.10gb"] == double
    more = [((1, 2, 2, 3, 0, 3), 3), ((1, 2, 2, 3, 3, 6), 6), ((1, 2, 2, 4, 4, 7), 7)]
    assert sorted(found["1g.5gb"]) == sorted([*double, *more])


@pytest.mark.exhaustive
@pytest.mark.parametrize("gpu", ["A30", "RTX-PRO-5000-48GB", GPU])
def test_for_slices_of_any_number_the_weights_say_how_many_gpus_they_keep_full(gpu: str):
    """The finite part of the proof in docs/packing.md: all smallest others that weigh enough for few GPUs."""
    for profile in gpus()[gpu].profiles:
        sets, bounds = blocking(gpu, profile), blockades(gpu, profile)
        assert [one for one in sets if one[-1]] == [unit(gpu, list(gpus()[gpu].profiles)[-1])]
        assert all(one.weights[-1] == one.least and one.weights[0] for one in bounds), (
            "the full profile is apart"
        )
        few = len(gpus()[gpu].profiles) - 1
        for count in range(1, few + 1):
            for others in smallest(sets, bounds, count):
                assert block(gpu, profile, others, count) is not None, (profile, others, count)


def smallest(sets: Sequence[Vector], bounds: Sequence[Blockade], count: int) -> Iterator[Vector]:
    """All others without the full profile that weigh enough for `count` GPUs, and with one less do not."""

    @cache
    def first(rest: Vector) -> int:
        needs = (one.least * count - sum(map(mul, one.weights[1:-1], rest)) for one in bounds)
        return max(0, *(-(-need // one.weights[0]) for need, one in zip(needs, bounds, strict=True)))

    every = [range(1 + count * max(one[index] for one in sets)) for index in range(1, len(sets[0]) - 1)]
    for rest in product(*every):
        number = first(rest)
        less = ((*rest[:at], has - 1, *rest[at + 1 :]) for at, has in enumerate(rest) if has)
        if all(first(one) > number for one in less):
            yield (number, *rest, 0)


@pytest.mark.parametrize("gpu", MIG)
def test_slices_of_one_profile_find_room_up_to_the_last(gpu: str):
    for profile in gpus()[gpu].profiles:
        most = 3 * shape(gpu, profile).max
        assert room_for_all(gpu, times(most, unit(gpu, profile)), 3)
        assert not room_for_all(gpu, times(most + 1, unit(gpu, profile)), 3)


def test_more_slices_never_make_room():
    more_fit = 0
    for demand in demands(GPU, 2, 150, 6):
        total = 1 + sum(demand) // 3
        for profile in gpus()[GPU].profiles:
            if room_for_all(GPU, plus(demand, unit(GPU, profile)), total):
                assert room_for_all(GPU, demand, total), (demand, profile)
                more_fit += 1
            if room_for_all(GPU, demand, total):
                assert room_for_all(GPU, demand, total + 1), demand
    assert more_fit > 20


def test_what_finds_room_in_every_order_also_fits_packed_and_needs_as_many_gpus_as_are_said():
    for demand in demands(GPU, 3, 150, 12):
        found = promised(GPU, demand)
        if found is None:
            assert not any(demand)
            continue
        packed = fewest(GPU, demand, 99)
        assert packed is not None and len(packed.layouts) <= found.needed
        assert room_for_all(GPU, demand, found.needed) and not room_for_all(GPU, demand, found.needed - 1)


def first_fit(gpu: str, demand: Vector, count: int, seed: int) -> bool:
    """Whether pods that come and go by chance always find a place; the scheduler's order of GPUs changes."""
    dice = random.Random(seed)
    taken = [0] * count
    running: list[tuple[int, int, int]] = []
    missing = [index for index, number in enumerate(demand) for _ in range(number)]
    for _ in range(400):
        if missing and (not running or dice.random() < 0.6):
            index = missing.pop(dice.randrange(len(missing)))
            order = dice.sample(range(count), count)
            masks = places(gpu, list(SIZES[gpu])[index])
            spot = next(((n, mask) for n in order for mask in masks if not taken[n] & mask), None)
            if spot is None:
                return False
            taken[spot[0]] |= spot[1]
            running.append((index, *spot))
        elif running:
            index, number, mask = running.pop(dice.randrange(len(running)))
            taken[number] &= ~mask
            missing.append(index)
    return True


def test_pods_that_come_and_go_by_chance_never_wait_where_room_is_promised():
    waited = 0
    for seed, demand in enumerate(demands(GPU, 5, 60, 5)):
        found = promised(GPU, demand)
        if found is None:
            continue
        assert first_fit(GPU, demand, found.needed, seed), demand
        packed = fewest(GPU, demand, 99)
        assert packed is not None
        waited += not first_fit(GPU, demand, len(packed.layouts), seed)
    assert waited > 10, "on as few GPUs as a planned cut needs, some do"


CHECKS: tuple[Callable[[], None], ...] = (
    test_on_one_gpu_the_promise_is_that_of_every_order_tried_out,
    lambda: test_slices_of_one_profile_find_room_up_to_the_last(GPU),
    lambda: test_what_keeps_gpus_full_is_shown_slice_by_slice(GPU),
    test_what_finds_room_in_every_order_also_fits_packed_and_needs_as_many_gpus_as_are_said,
)


def red() -> bool:
    """Whether a check fails."""
    for check in CHECKS:
        forget()
        try:
            check()
        except AssertionError:
            return True
    return False


def _itself_too(gpu: str, demand: Vector) -> list[tuple[str, Vector]]:
    return [(key, demand) for key, wanted in zip(gpus()[gpu].profiles, demand, strict=True) if wanted]


def _anywhere(gpu: str, profile: str) -> tuple[Vector, ...]:
    """Counting memory slices, as if a slice could begin anywhere."""
    sizes = [shape(gpu, key).memory for key in gpus()[gpu].profiles]
    room = sum(sizes[-1:]) - shape(gpu, profile).memory
    every = (counted(gpu, one) for one in placements(gpu))
    found = {one for one in every if sum(a * b for a, b in zip(one, sizes, strict=True)) > room}
    return tuple(sorted(one for one in found if not any(o != one and within(o, one) for o in found)))


OTHERS = guarantee._others
BROKEN: dict[str, dict[str, object]] = {
    "the replica keeps itself out": {"_others": _itself_too},
    "slices begin anywhere": {"blocking": _anywhere},
    "one GPU more may be full": {"kept_full": lambda *_: 0, "blockades": lambda *_: ()},
    "a set keeps one GPU full at most": {"_often": lambda *_: 1},
    "the smallest profile alone": {"_others": lambda gpu, demand: OTHERS(gpu, demand)[:1]},
}


@pytest.mark.exhaustive
def test_unbroken_all_checks_pass():
    assert not red()


@pytest.mark.exhaustive
@pytest.mark.parametrize("broken", BROKEN)
def test_a_promise_that_is_made_wrong_is_noticed(broken: str, monkeypatch: pytest.MonkeyPatch):
    for name, value in BROKEN[broken].items():
        monkeypatch.setattr(guarantee, name, value)
    assert red()
    monkeypatch.undo()
    forget()
