"""Fewest GPUs for a demand of MIG slices: exact, by iterative deepening over the maximal layouts."""

from collections.abc import Iterator, Mapping
from functools import cache

from corral.catalogue.gpus import geometry, shape
from corral.stacks.layouts import Layout, layout, maximal_layouts


def lower_bound(gpu: str, demand: Mapping[str, int]) -> int:
    """GPUs without which `demand` cannot fit: by compute and memory slices, and by each profile's maximum."""
    grid = geometry(gpu)
    compute = sum(shape(gpu, key).compute * count for key, count in demand.items())
    memory = sum(shape(gpu, key).memory * count for key, count in demand.items())
    bounds = [-(-compute // grid.compute), -(-memory // grid.memory)]
    return max(bounds + [-(-count // shape(gpu, key).max) for key, count in demand.items()])


def pack(gpu: str, demand: Mapping[str, int], limit: int) -> tuple[Layout, ...] | None:
    """One maximal layout per GPU, on the fewest GPUs, that together have `demand`; None: over `limit` GPUs.

    `demand` is slices by profile. Exact; meant for pools of tens of GPUs.
    """
    wanted = layout(gpu, demand)
    for count in range(lower_bound(gpu, demand), limit + 1):
        found = _cover(gpu, wanted, count)
        if found is not None:
            return found
    return None


@cache
def _cover(gpu: str, wanted: Layout, count: int) -> tuple[Layout, ...] | None:
    """`count` maximal layouts that cover `wanted`, or None."""
    if not wanted:
        return ()
    if count < lower_bound(gpu, dict(wanted)):
        return None
    for chosen, rest in _steps(gpu, wanted):
        found = _cover(gpu, rest, count - 1)
        if found is not None:
            return (chosen, *found)
    return None


def _steps(gpu: str, wanted: Layout) -> Iterator[tuple[Layout, Layout]]:
    """(layout of the next GPU, what is still wanted); the next GPU takes one of the largest profile.

    Of layouts that serve alike, the one that leaves more slices over: a further replica finds one there.
    """
    left = dict(wanted)
    largest = max(left, key=lambda key: (shape(gpu, key).memory, shape(gpu, key).compute))
    taken: dict[Layout, Layout] = {}
    for one in maximal_layouts(gpu):
        used = layout(gpu, {key: min(count, left.get(key, 0)) for key, count in one})
        if dict(used).get(largest) and (used not in taken or _within(taken[used], one)):
            taken[used] = one
    best = [used for used in taken if not any(_within(used, other) for other in taken if other != used)]
    for used in sorted(best, key=lambda used: -sum(shape(gpu, key).memory * n for key, n in used)):
        rest = {key: count - dict(used).get(key, 0) for key, count in left.items()}
        yield taken[used], layout(gpu, rest)


def _within(small: Layout, large: Layout) -> bool:
    counts = dict(large)
    return all(counts.get(key, 0) >= count for key, count in small)
