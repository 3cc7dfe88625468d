"""Fewest GPUs for a demand of MIG slices: exact, and with the proof that no fewer do.

One GPU after the other is cut such that what is left can still have a bound within the GPUs left; where that
ends nowhere the search goes back, and where it has tried everything, one GPU more is needed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from corral.catalogue.gpus import gpus, shape
from corral.stacks.planning.mig.layouts import Layout, layout, maximal_layouts
from corral.stacks.planning.mig.vectors import Vector, layout_of, vector, within
from corral.stacks.planning.mig.weights import weighings
from corral.stacks.planning.results.pools import Proof


@dataclass(frozen=True)
class Packing:
    """The fewest GPUs that hold a demand."""

    layouts: tuple[Layout, ...]
    """One maximal layout per GPU."""
    proof: Proof


def lower_bound(gpu: str, demand: Mapping[str, int]) -> int:
    """GPUs without which `demand`, slices by profile, cannot fit: the best that weights can show."""
    return bound(gpu, vector(gpu, layout(gpu, demand)))


def bound(gpu: str, demand: Vector) -> int:
    """`lower_bound` of a vector."""
    return max(one.gpus(demand) for one in weighings(gpu))


def proof(gpu: str, demand: Vector, exhausted: int | None = None) -> Proof:
    """The weights that give the lower bound of `demand`.

    `exhausted`: so many GPUs were tried with every layout, in vain.
    """
    best = max(weighings(gpu), key=lambda one: one.gpus(demand))
    weights = tuple(zip(gpus()[gpu].profiles, best.weights, strict=True))
    return Proof(weights, best.capacity, best.total(demand), exhausted)


def fewest(gpu: str, demand: Vector, limit: int) -> Packing | None:
    """The fewest GPUs that together have `demand`; None: they are over `limit`."""
    least = bound(gpu, demand)
    for count in range(least, limit + 1):
        vectors = cover(gpu, demand, count)
        if vectors is not None:
            layouts = tuple(layout_of(gpu, one) for one in vectors)
            return Packing(layouts, proof(gpu, demand, count - 1 if count > least else None))
    return None


@lru_cache(maxsize=1 << 14)
def holds(gpu: str, demand: Vector, limit: int) -> bool:
    """Whether `limit` GPUs can have `demand`."""
    return fewest(gpu, demand, limit) is not None


def pack(gpu: str, demand: Mapping[str, int], limit: int) -> tuple[Layout, ...] | None:
    """One maximal layout per GPU, on the fewest GPUs, that together have `demand`; None: over `limit` GPUs.

    `demand` is slices by profile.
    """
    packing = fewest(gpu, vector(gpu, layout(gpu, demand)), limit)
    return packing.layouts if packing else None


def cover(gpu: str, demand: Vector, count: int) -> tuple[Vector, ...] | None:
    """At most `count` maximal layouts that together have `demand`; None: all were tried, and none do."""
    if not any(demand):
        return ()
    if bound(gpu, demand) > count:
        return None
    chosen: list[Vector] = []
    trail = [(demand, _steps(gpu, demand))]
    dead: set[tuple[Vector, int]] = set()
    while trail:
        rest, steps = trail[-1]
        left = count - len(trail)
        for one, after in steps:
            if not any(after):
                return (*chosen, one)
            if (after, left) not in dead and bound(gpu, after) <= left:
                chosen.append(one)
                trail.append((after, _steps(gpu, after)))
                break
        else:
            dead.add((rest, left + 1))
            trail.pop()
            del chosen[-1:]
    return None


def _steps(gpu: str, rest: Vector) -> Iterator[tuple[Vector, Vector]]:
    """(layout of the next GPU, what is still wanted)."""
    most = _most(gpu)
    for one in _choices(gpu, tuple(map(min, rest, most))):
        yield one, tuple(max(0, want - has) for want, has in zip(rest, one, strict=True))


@cache
def _choices(gpu: str, rest: Vector) -> tuple[Vector, ...]:
    """Layouts of the next GPU, which takes one of the largest profile, best filled first.

    `rest` needs no more of a profile than one GPU can have. Of layouts that serve alike, the one that leaves
    more slices over; none that serves less than another.
    """
    keys = tuple(gpus()[gpu].profiles)
    sizes = [(shape(gpu, key).memory, shape(gpu, key).compute) for key in keys]
    largest = max((index for index, count in enumerate(rest) if count), key=lambda index: sizes[index])
    taken: dict[Vector, Vector] = {}
    for one in (vector(gpu, cut) for cut in maximal_layouts(gpu)):
        used = tuple(map(min, one, rest))
        if used[largest] and (used not in taken or within(taken[used], one)):
            taken[used] = one
    best = [used for used in taken if not any(within(used, other) for other in taken if other != used)]
    best.sort(key=lambda used: -sum(memory * n for (memory, _), n in zip(sizes, used, strict=True)))
    return tuple(taken[used] for used in best)


@cache
def _most(gpu: str) -> Vector:
    return tuple(shape(gpu, key).max for key in gpus()[gpu].profiles)
