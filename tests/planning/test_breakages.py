"""Deliberate breakages of geometry, bound, search and moves: each makes a test of packing fail."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.planning import test_fewest_gpus as fewest_gpus
from tests.planning import test_layouts_and_packing as layouts_tests
from tests.planning import test_slices_stay as stay
from tests.planning.other_gpus import catalogue_with, forget

from corral.stacks.planning.mig import allocation, layouts, packing, repacking, weights

GPU = "A100-40GB"
CHECKS: tuple[Callable[[], None], ...] = (
    stay.test_the_plan_names_who_moved_and_for_whom,
    layouts_tests.test_the_19_configurations_of_the_literature_are_found,
    layouts_tests.test_with_double_memory_slices_there_are_723_placements_78_of_them_maximal,
    layouts_tests.test_a_gpu_of_four_slices_has_five_maximal_placements_of_four_kinds,
    fewest_gpus.test_the_weights_of_seven_compute_slices_are_four,
    lambda: fewest_gpus.test_every_demand_of_a_few_gpus_gets_the_fewest("A30", 5),
    lambda: fewest_gpus.test_every_demand_of_a_few_gpus_gets_the_fewest(GPU, 2),
    fewest_gpus.test_filling_bins_slice_by_slice_needs_the_same_number,
    lambda: stay.grow(GPU, 0, 40, allocation.PlannedAllocation(GPU, 99)),
    lambda: stay.test_as_many_slices_fit_as_are_said_to_be_free(GPU),
    stay.test_moves_are_few,
)


def red(sign: type[Exception] = AssertionError) -> bool:
    """Whether a check fails by `sign`; one that fails by anything else shows nothing."""
    return any(_shows(check, sign) for check in CHECKS)


def _shows(check: Callable[[], None], sign: type[Exception]) -> bool:
    try:
        check()
    except Exception as error:
        return isinstance(error, sign)
    return False


@pytest.mark.exhaustive
def test_unbroken_all_checks_pass():
    for check in CHECKS:
        check()


def _grid(geometry: str, **changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["geometries"][geometry].update(changes)


def _shape(geometry: str, name: str, **changes: object) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["geometries"][geometry]["shapes"][name].update(changes)


GEOMETRIES = {
    "six compute slices": _grid("seven", compute=6),
    "three compute slices of four": _grid("four", compute=3),
    "1g in the last memory slice": _shape("seven", "1g", starts=range(8)),
    "six 1g": _shape("seven", "1g", max=6),
    "no double memory at the end": _shape("seven", "1g-double", starts=(0, 2, 4)),
    "2g at two places": _shape("seven", "2g", starts=(0, 2)),
    "2g with one memory slice": _shape("seven", "2g", memory=1),
    "3g with three memory slices": _shape("seven", "3g", memory=3),
    "3g at one place": _shape("seven", "3g", starts=(0,)),
    "4g with five compute slices": _shape("seven", "4g", compute=5),
    "one 2g of four": _shape("four", "2g", max=1),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("change", GEOMETRIES.values(), ids=GEOMETRIES)
def test_a_wrong_geometry_is_noticed(change: Callable[[dict[str, Any]], None]):
    with catalogue_with(change):
        assert red()


BREAKS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "a bound that counts slices": ("bound", lambda _real: lambda gpu, wanted: sum(wanted)),
    "a bound one too high": ("bound", lambda real: lambda gpu, wanted: real(gpu, wanted) + (sum(wanted) > 9)),
    "weights of memory alone": ("weighings", lambda real: lambda gpu: real(gpu)[:1]),
    "room for anything": ("holds", lambda _real: lambda gpu, wanted, limit: True),
    "room for nothing": ("holds", lambda _real: lambda gpu, wanted, limit: False),
    "a search with a GPU too many": ("cover", lambda real: lambda gpu, w, count: real(gpu, w, count + 1)),
    "a search that gives up": ("cover", lambda _real: lambda gpu, wanted, count: None),
    "a search of one layout": ("_choices", lambda real: lambda gpu, rest: real(gpu, rest)[-1:]),
    "no moves": ("repack", lambda _real: lambda gpu, used, kind: None),
    "every GPU cut anew": ("FEW", lambda _real: ()),
    "eight of anything on a GPU": ("fits", lambda _real: lambda gpu, one: sum(one) < 8),
    "one more on each GPU": ("more", lambda real: lambda gpu, used, kind: real(gpu, used, kind) + 1),
    "a slice that is always spare": ("within", lambda _real: lambda small, large: True),
}
STOPPED = {"eight of anything on a GPU": ValueError, "a slice that is always spare": IndexError}
"""Breakages that stop the planner itself, before an assertion sees what it made."""
MODULES = (layouts, weights, packing, repacking, allocation)


@pytest.mark.exhaustive
@pytest.mark.parametrize("breakage", BREAKS)
def test_a_wrong_capacity_bound_search_or_move_is_noticed(breakage: str, monkeypatch: pytest.MonkeyPatch):
    name, broken = BREAKS[breakage]
    forget()
    holders = [module for module in MODULES if hasattr(module, name)]
    for module in holders:
        monkeypatch.setattr(module, name, broken(getattr(module, name)))
    failed = red(STOPPED.get(breakage, AssertionError))
    monkeypatch.undo()
    forget()
    assert holders and failed
