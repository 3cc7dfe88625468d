"""MIG geometry against the published counts, and packing against exhaustive search."""

import itertools
import random
from collections import Counter

import pytest

from corral.catalogue.gpus import gpus, shape
from corral.stacks.planning.mig.layouts import (
    Layout,
    config_names,
    fits_geometry,
    layout,
    layouts,
    maximal_layouts,
    maximal_placements,
    named,
    placements,
)
from corral.stacks.planning.mig.packing import lower_bound, pack

GPU = "A100-40GB"


def without_double(found: frozenset[frozenset[tuple[str, int]]]) -> set[frozenset[tuple[str, int]]]:
    return {one for one in found if all(name != "1g.10gb" for name, _ in one)}


def test_the_19_configurations_of_the_literature_are_found():
    plain = without_double(placements(GPU))
    maximal = {one for one in plain if not any(one < other for other in plain)}
    assert len(plain) == 298, "the empty one included"
    assert len(maximal) == 19
    assert len({layout(GPU, Counter(name for name, _ in one)) for one in maximal}) == 14


def test_with_double_memory_slices_there_are_723_placements_78_of_them_maximal():
    assert len(placements(GPU)) == 723
    assert len(maximal_placements(GPU)) == 78
    assert len(maximal_layouts(GPU)) == 38


def test_a_gpu_of_four_slices_has_five_maximal_placements_of_four_kinds():
    assert len(maximal_placements("A30")) == 5
    assert {tuple(count for _, count in one) for one in maximal_layouts("A30")} == {(4,), (2, 1), (2,), (1,)}


@pytest.mark.parametrize(
    ("counts", "fits"),
    [
        ({"3g.20gb": 2}, True),
        ({"3g.20gb": 2, "1g.5gb": 1}, False),
        ({"4g.20gb": 1, "3g.20gb": 1}, True),
        ({"4g.20gb": 1, "3g.20gb": 1, "1g.5gb": 1}, False),
        ({"4g.20gb": 2}, False),
        ({"3g.20gb": 1, "2g.10gb": 1, "1g.5gb": 2}, True),
        ({"1g.5gb": 7}, True),
        ({"1g.5gb": 8}, False),
        ({"1g.10gb": 4}, True),
        ({"1g.10gb": 4, "1g.5gb": 1}, False),
        ({"2g.10gb": 3, "1g.5gb": 1}, True),
        ({}, True),
    ],
)
def test_what_fits_on_one_gpu_is_known(counts: dict[str, int], fits: bool):
    assert fits_geometry(GPU, counts) is fits


@pytest.mark.parametrize(
    ("gpu", "name", "expected"),
    [
        (GPU, "all-1g.5gb", (("1g.5gb", 7),)),
        (GPU, "all-1g.10gb", (("1g.10gb", 4),)),
        ("A100-80GB", "all-1g.10gb", (("1g.10gb", 7),)),
        (GPU, "all-balanced", (("1g.5gb", 2), ("2g.10gb", 1), ("3g.20gb", 1))),
        ("A30", "all-balanced", (("1g.6gb", 2), ("2g.12gb", 1))),
        (GPU, "all-disabled", ()),
        (GPU, "all-1g.18gb", None),
        ("L4", "all-disabled", None),
    ],
)
def test_the_names_of_mig_parted_depend_on_the_gpu(gpu: str, name: str, expected: Layout | None):
    assert named(gpu, name) == expected


def test_every_named_configuration_can_be_cut():
    names = [(gpu, name) for gpu, entry in gpus().items() if entry.profiles for name in config_names(gpu)]
    assert len(names) > 20
    for gpu, name in names:
        found = named(gpu, name)
        assert found is not None and fits_geometry(gpu, dict(found)), (gpu, name)


def test_every_gpu_of_a_family_divides_alike_and_media_engines_change_nothing():
    counts = {"seven": (723, 78, 38), "four": (26, 5, 4), "two": (5, 2, 2)}
    divided = {key: entry for key, entry in gpus().items() if entry.geometry}
    assert {entry.geometry for entry in divided.values()} == counts.keys()
    for key, entry in divided.items():
        found = (len(placements(key)), len(maximal_placements(key)), len(maximal_layouts(key)))
        assert found == counts[entry.geometry or ""], key
        assert not {name for one in placements(key) for name, _start in one} & set(entry.media), key


def covers(found: tuple[Layout, ...], demand: dict[str, int]) -> bool:
    total: Counter[str] = Counter()
    for one in found:
        total.update(dict(one))
    return Counter(demand) <= total


@pytest.mark.parametrize(
    ("demand", "count"),
    [
        ({"1g.5gb": 7}, 1),
        ({"1g.5gb": 8}, 2),
        ({"3g.20gb": 2}, 1),
        ({"3g.20gb": 2, "1g.5gb": 1}, 2),
        ({"4g.20gb": 2, "3g.20gb": 2}, 2),
        ({"7g.40gb": 1, "1g.5gb": 7}, 2),
        ({"2g.10gb": 3, "1g.5gb": 1}, 1),
        ({"1g.10gb": 4, "1g.5gb": 3}, 2),
    ],
)
def test_known_demands_take_known_numbers_of_gpus(demand: dict[str, int], count: int):
    found = pack(GPU, demand, 9)
    assert found is not None and len(found) == count
    assert covers(found, demand)


def exhaustive(demand: Counter[str]) -> int:
    """Fewest GPUs by trying every multiset of layouts, without any of the packer's ideas."""
    usable = [Counter(dict(one)) for one in layouts(GPU)]
    for count in itertools.count():
        for chosen in itertools.combinations_with_replacement(usable, count):
            if demand <= sum(chosen, Counter()):
                return count
    raise AssertionError


def test_random_small_demands_are_packed_as_well_as_by_exhaustive_search():
    dice = random.Random(7)
    profiles = ("1g.5gb", "1g.10gb", "2g.10gb", "3g.20gb", "4g.20gb")
    searched = 0
    for _ in range(40):
        demand = Counter(dice.choice(profiles) for _ in range(dice.randint(1, 6)))
        best = exhaustive(demand) if lower_bound(GPU, demand) <= 2 else None
        found = pack(GPU, demand, 6)
        assert found is not None and covers(found, dict(demand)), demand
        assert all(fits_geometry(GPU, dict(one)) for one in found)
        if best is not None and best <= 2:
            assert len(found) == best, demand
            searched += 1
        assert len(found) >= lower_bound(GPU, demand)
    assert searched > 10


def test_a_demand_beyond_the_pool_is_refused():
    assert pack(GPU, {"3g.20gb": 3}, 1) is None
    assert pack(GPU, {"3g.20gb": 3}, 2) is not None


def test_a_large_pool_is_packed_exactly_in_reasonable_time():
    demand = {"1g.5gb": 40, "1g.10gb": 9, "2g.10gb": 13, "3g.20gb": 21, "4g.20gb": 5}
    found = pack(GPU, demand, 60)
    assert found is not None and covers(found, demand)
    assert len(found) == lower_bound(GPU, demand), "the bound is reached, so nothing can be better"


def test_the_lower_bound_counts_compute_memory_and_the_maximum_of_a_profile():
    assert lower_bound(GPU, {"1g.5gb": 8}) == 2, "compute"
    assert lower_bound(GPU, {"1g.10gb": 5}) == 2, "memory"
    assert lower_bound(GPU, {"4g.20gb": 2}) == 2, "maximum"
    assert shape(GPU, "4g.20gb").max == 1


def test_of_layouts_that_serve_alike_the_one_with_a_spare_slice_is_cut():
    (cut,) = pack("A100-40GB", {"1g.5gb": 3, "3g.20gb": 1}, 1) or ()
    assert dict(cut) == {"1g.5gb": 4, "3g.20gb": 1}, "a further small replica finds a slice without a new cut"
