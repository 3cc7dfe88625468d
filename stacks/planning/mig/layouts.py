"""MIG layouts of one GPU: which sets of slices can be cut at once, and mig-parted's names for some."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from corral.catalogue.gpus import geometry, gpus, shape

Layout = tuple[tuple[str, int], ...]
"""(profile, count) pairs, sorted by the catalogue's order of profiles."""
MigPlacement = frozenset[tuple[str, int]]
"""(profile, first memory slice) of every instance on one GPU."""


def layout(gpu: str, counts: Mapping[str, int]) -> Layout:
    """`counts` without zeros, in the catalogue's order."""
    return tuple((key, counts[key]) for key in gpus()[gpu].profiles if counts.get(key, 0))


def _placements(gpu: str) -> Iterator[MigPlacement]:
    """Every valid placement of instances on one GPU, the empty one included."""
    grid = geometry(gpu)
    steps = [
        (profile, start, shape(gpu, profile))
        for profile in gpus()[gpu].profiles
        for start in shape(gpu, profile).starts
    ]

    def extend(first: int, chosen: MigPlacement, taken: int, compute: int) -> Iterator[MigPlacement]:
        yield chosen
        for index in range(first, len(steps)):
            profile, start, size = steps[index]
            mask = ((1 << size.memory) - 1) << start
            alike = sum(1 for name, _start in chosen if name == profile)
            if not taken & mask and compute + size.compute <= grid.compute and alike < size.max:
                more = chosen | {(profile, start)}
                yield from extend(index + 1, more, taken | mask, compute + size.compute)

    yield from extend(0, frozenset(), 0, 0)


@cache
def placements(gpu: str) -> frozenset[MigPlacement]:
    """All valid placements on one `gpu`: memory slices disjoint, compute slices enough, maxima kept."""
    return frozenset(_placements(gpu))


@cache
def maximal_placements(gpu: str) -> frozenset[MigPlacement]:
    """Placements to which nothing can be added."""
    smaller = {placement - {one} for placement in placements(gpu) for one in placement}
    return frozenset(placement for placement in placements(gpu) if placement not in smaller)


@cache
def layouts(gpu: str) -> frozenset[Layout]:
    """All layouts that can be cut on one `gpu`, the empty one included."""
    return frozenset(layout(gpu, Counter(name for name, _ in placement)) for placement in placements(gpu))


@cache
def maximal_layouts(gpu: str) -> tuple[Layout, ...]:
    """Layouts of maximal placements, sorted: fewest slices first."""
    every = {layout(gpu, Counter(name for name, _ in place)) for place in maximal_placements(gpu)}
    return tuple(sorted(every, key=lambda one: (sum(count for _, count in one), one)))


def fits_geometry(gpu: str, counts: Mapping[str, int]) -> bool:
    """Whether `counts` slices of each profile can be cut together on one `gpu`."""
    return layout(gpu, counts) in layouts(gpu)


def config_names(gpu: str) -> tuple[str, ...]:
    """mig-parted's own configurations that suit `gpu`."""
    if not gpus()[gpu].profiles:
        return ()
    balanced = ("all-balanced",) if geometry(gpu).compute >= 4 else ()
    return ("all-disabled", *(f"all-{profile}" for profile in gpus()[gpu].profiles), *balanced)


def named(gpu: str, name: str) -> Layout | None:
    """What mig-parted's configuration `name` cuts on each `gpu`; None: there is no such configuration.

    `all-disabled` is the empty layout.
    """
    if name not in config_names(gpu):
        return None
    if name == "all-disabled":
        return ()
    if name == "all-balanced":
        return _balanced(gpu)
    profile = name.removeprefix("all-")
    return ((profile, shape(gpu, profile).max),)


def _balanced(gpu: str) -> Layout:
    """2 x 1g, 1 x 2g and, on GPUs of seven compute slices, 1 x 3g."""
    balanced = {"1g": 2, "2g": 1, "3g": 1 if geometry(gpu).compute == 7 else 0}
    return layout(gpu, {key: balanced.get(entry.shape, 0) for key, entry in gpus()[gpu].profiles.items()})
