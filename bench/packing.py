"""How good and how stable the packing of slices is, beside first-fit decreasing on the same fleets."""

import json
import math
import os
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bench.figures import Figure
from bench.processes import ROOT, run
from corral.catalogue.gpus import gpus, shape
from corral.stacks.planning.mig.allocation import PlannedAllocation
from corral.stacks.planning.mig.layouts import fits_geometry
from corral.stacks.planning.mig.packing import lower_bound

GPU = "A100-40GB"
PATH = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
"""Of this checkout, wherever `corral` is installed from."""
SIZES = (10, 100, 1000)
POOLS = 20
FLEETS = 200
SLICES = 60
RUNS = 3
"""Plans of each size, of which the fastest counts."""


def first_fit_decreasing(gpu: str, profiles: Sequence[str]) -> list[int]:
    """Position of the GPU of each slice: the largest first, each on the first GPU where it fits."""
    filled: list[Counter[str]] = []
    places = [0] * len(profiles)
    sizes = {key: (shape(gpu, key).memory, shape(gpu, key).compute) for key in gpus()[gpu].profiles}
    for index in sorted(range(len(profiles)), key=lambda index: sizes[profiles[index]], reverse=True):
        more = Counter([profiles[index]])
        place = next((at for at, one in enumerate(filled) if fits_geometry(gpu, one + more)), len(filled))
        if place == len(filled):
            filled.append(Counter())
        filled[place] += more
        places[index] = place
    return places


def _fleets(count: int) -> Iterator[list[str]]:
    """Profiles of slices in the order of a stack file, each fleet with a mix of its own."""
    dice = random.Random(20)
    profiles = list(gpus()[GPU].profiles)
    for _ in range(count):
        yield dice.choices(profiles, [dice.random() ** 2 for _ in profiles], k=SLICES)


def packing() -> Iterator[Figure]:
    """GPUs above the bound and slices moved, on random fleets; plans of many models over many pools."""
    bound = ours = theirs = 0
    for fleet in _fleets(FLEETS):
        allocation = PlannedAllocation(GPU, len(fleet))
        for profile in fleet:
            allocation.take(profile, 1, profile)
        bound += lower_bound(GPU, Counter(fleet))
        ours += len(allocation.layouts())
        theirs += 1 + max(first_fit_decreasing(GPU, fleet))
    label = f"GPUs above the bound, {FLEETS} fleets of {SLICES} slices"
    excess = [100 * (gpus_used - bound) / bound for gpus_used in (ours, theirs)]
    yield Figure(label, excess[0], "%", "first-fit decreasing", excess[1], target=0)
    yield _moves()
    yield from _plans()


def _moves() -> Figure:
    """Slices that move while a fleet grows one by one."""
    ours = theirs = 0
    fleets = list(_fleets(FLEETS // 10))
    for fleet in fleets:
        allocation, packed = PlannedAllocation(GPU, len(fleet)), list[int]()
        for size, profile in enumerate(fleet, 1):
            before = [one.gpu for one in allocation.slices]
            allocation.take(profile, 1, profile)
            ours += sum(old != one.gpu for old, one in zip(before, allocation.slices, strict=False))
            anew = first_fit_decreasing(GPU, fleet[:size])
            theirs += sum(old != new for old, new in zip(packed, anew, strict=False))
            packed = anew
    added = len(fleets) * SLICES
    label = "slices moved, per slice added"
    return Figure(label, ours / added, "", "first-fit decreasing anew", theirs / added)


def _plans() -> Iterator[Figure]:
    seconds: dict[int, float] = {}
    for size in SIZES:
        best = _plan(size, "auto")
        seconds[size] = best["seconds"]
        label = f"plan of {size} models over {POOLS} pools, {best['gpus']} GPUs used"
        target = 5 if size == SIZES[-1] else None
        yield Figure(label, best["seconds"], "s", "reading the stack file", best["reading"], target)
    on_demand = _plan(SIZES[-1], "dynamic")
    label = f"plan of {SIZES[-1]} models, slices cut on demand, {on_demand['gpus']} GPUs if packed"
    yield Figure(label, on_demand["seconds"], "s", "planned allocation", seconds[SIZES[-1]], 5)
    growth = math.log(seconds[SIZES[-1]] / seconds[SIZES[-2]]) / math.log(SIZES[-1] / SIZES[-2])
    yield Figure("growth exponent of a plan, 100 to 1000 models", growth, "", target=1.15)


def _plan(models: int, mig: str) -> Mapping[str, float]:
    """The fastest of several plans."""
    command = [sys.executable, "-m", "bench.pools", str(models), str(POOLS), mig]
    took = [json.loads(run(command, {"PYTHONPATH": PATH}).out.splitlines()[-1]) for _ in range(RUNS)]
    return min(took, key=lambda one: one["seconds"])
