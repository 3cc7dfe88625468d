"""Cutting GPUs anew under slices in use: which of them move so that one more fits without a further GPU."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import combinations_with_replacement

from corral.catalogue.gpus import geometry, gpus, shape
from corral.stacks.planning.mig.layouts import layouts, maximal_layouts
from corral.stacks.planning.mig.packing import bound, cover
from corral.stacks.planning.mig.vectors import Vector, minus, plus, shared, vector, within

FEW = (2, 3)
"""Numbers of GPUs that are cut anew together before all of a pool are."""


@cache
def fits(gpu: str, one: Vector) -> bool:
    """Whether `one` can be cut on one GPU."""
    return one in _vectors(gpu)


@cache
def more(gpu: str, used: Vector, kind: Vector) -> int:
    """How many more of `kind` fit beside `used` on one GPU."""
    number = 0
    while fits(gpu, used := plus(used, kind)):
        number += 1
    return number


@cache
def free_memory(gpu: str, used: Vector) -> int:
    """Memory slices that `used` leaves."""
    taken = (shape(gpu, key).memory * n for key, n in zip(gpus()[gpu].profiles, used, strict=True))
    return geometry(gpu).memory - sum(taken)


@cache
def spare(gpu: str, used: Vector) -> Vector:
    """The layout of a GPU with slices `used`: most spare slices of the same profiles, then fewest pieces.

    A further replica finds its slice there without a new cut.
    """
    able = [one for one in (vector(gpu, one) for one in maximal_layouts(gpu)) if within(used, one)]
    return max(able, key=lambda one: (sum(n for n, has in zip(one, used, strict=True) if has), -sum(one)))


def repack(gpu: str, used: Sequence[Vector], kind: Vector) -> Mapping[int, Vector] | None:
    """Slices in use on each GPU that changes, one more of `kind` among them; None: all layouts were tried.

    `used` is of each GPU. Moves are fewest among pairs of GPUs, then among three, else few over all.
    """
    for size in FEW:
        best = max(_partial(gpu, used, kind, size), key=lambda one: one[0], default=None)
        if best:
            return best[1]
    return _whole(gpu, used, kind)


def _partial(
    gpu: str, used: Sequence[Vector], kind: Vector, size: int
) -> Iterator[tuple[int, Mapping[int, Vector]]]:
    """(minus the slices moved, change) for each kind of `size` GPUs that can hold one more slice."""
    alike: dict[Vector, list[int]] = {}
    for place, one in enumerate(used):
        alike.setdefault(one, []).append(place)
    for chosen in combinations_with_replacement(sorted(alike), size):
        if any(chosen.count(one) > len(alike[one]) for one in chosen):
            continue
        total = kind
        for one in chosen:
            total = plus(total, one)
        halves = _split(gpu, total, chosen) if bound(gpu, total) <= size else None
        if halves:
            places = {one: iter(reversed(alike[one])) for one in chosen}
            yield (
                halves[0] - sum(total),
                {next(places[one]): new for one, new in zip(chosen, halves[1], strict=True)},
            )


@lru_cache(maxsize=1 << 14)
def _split(gpu: str, total: Vector, olds: tuple[Vector, ...]) -> tuple[int, tuple[Vector, ...]] | None:
    """`total` on as many GPUs as `olds`, with most slices where they were: (how many, slices of each)."""
    first, *others = olds
    if not others:
        return (shared(first, total), (total,)) if fits(gpu, total) else None
    best: tuple[int, tuple[Vector, ...]] | None = None
    for one in sorted(_vectors(gpu)):
        rest = minus(total, one)
        if min(rest) < 0 or bound(gpu, rest) > len(others):
            continue
        halves = _split(gpu, rest, tuple(others))
        if halves and (best is None or halves[0] + shared(first, one) > best[0]):
            best = (halves[0] + shared(first, one), (one, *halves[1]))
    return best


def _whole(gpu: str, used: Sequence[Vector], kind: Vector) -> Mapping[int, Vector] | None:
    total = kind
    for one in used:
        total = plus(total, one)
    layouts = cover(gpu, total, len(used))
    if layouts is None:
        return None
    waiting, caps, news = list(layouts), list[Vector](), list[Vector]()
    for old in used:
        best = max(waiting, key=lambda one: shared(one, old))
        waiting.remove(best)
        caps.append(best)
        news.append(tuple(map(min, best, old)))
        total = minus(total, news[-1])
    for place, (cap, new) in enumerate(zip(caps, news, strict=True)):
        extra = tuple(map(min, minus(cap, new), total))
        news[place], total = plus(new, extra), minus(total, extra)
    return {place: new for place, new in enumerate(news) if new != used[place]}


@cache
def _vectors(gpu: str) -> frozenset[Vector]:
    return frozenset(vector(gpu, one) for one in layouts(gpu))
