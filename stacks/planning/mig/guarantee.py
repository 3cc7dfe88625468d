"""What MIG slices that are cut on demand can promise: room in every order in which pods come and go.

Nobody plans where such a slice is cut. Whatever pods came and went before, a replica finds its slice if the
others, wherever they lie, leave a place for it on one GPU of the pool: unless they suffice to keep every GPU
full for its profile. `room_for_all` decides that exactly; docs/packing.md has the derivation.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from operator import mul

from corral.catalogue.gpus import gpus, shape
from corral.stacks.planning.mig.layouts import layout, placements
from corral.stacks.planning.mig.vectors import Vector, minus, times, unit, vector, within
from corral.stacks.planning.mig.weights import rays
from corral.stacks.planning.results.pools import Guarantee


@dataclass(frozen=True)
class Blockade:
    """Weights by profile, such that whatever keeps a GPU full for one profile weighs at least `least`."""

    weights: Vector
    least: int

    def gpus(self, others: Vector) -> int:
        """GPUs that `others` can keep full at most."""
        return sum(map(mul, self.weights, others)) // self.least


@cache
def blocking(gpu: str, profile: str) -> tuple[Vector, ...]:
    """Sets of slices that can lie on one `gpu` such that no `profile` fits, each without one to spare."""
    every, starts = placements(gpu), shape(gpu, profile).starts
    full = {
        vector(gpu, layout(gpu, Counter(name for name, _ in placed)))
        for placed in every
        if not any((profile, at) not in placed and placed | {(profile, at)} in every for at in starts)
    }
    return tuple(
        sorted(one for one in full if not any(one != other and within(other, one) for other in full))
    )


@cache
def blockades(gpu: str, profile: str) -> tuple[Blockade, ...]:
    """The weights of `gpu` that can give the best bound on GPUs kept full for `profile`, smallest first."""
    least = [(*one, -1) for one in blocking(gpu, profile)]
    bounds = {Blockade(ray[:-1], ray[-1]) for ray in rays(least) if ray[-1]}
    best = [one for one in bounds if not any(other != one and _above(one, other) for other in bounds)]
    return tuple(sorted(best, key=lambda one: (one.least, one.weights)))


def _above(one: Blockade, other: Blockade) -> bool:
    """Whether `other` never gives a larger bound than `one`."""
    return within(times(one.least, other.weights), times(other.least, one.weights))


def block(gpu: str, profile: str, others: Vector, count: int) -> tuple[Vector, ...] | None:
    """What of `others` keeps `count` GPUs full for `profile`, a set for each; None: nothing does."""
    sets, bounds = blocking(gpu, profile), blockades(gpu, profile)
    dead: set[tuple[int, Vector, int]] = set()

    def search(index: int, left: Vector, missing: int) -> tuple[Vector, ...] | None:
        if not missing:
            return ()
        state = (index, left, missing)
        if index == len(sets) or state in dead or any(one.gpus(left) < missing for one in bounds):
            return None
        one = sets[index]
        for often in range(_often(one, left, missing, bounds), -1, -1):
            rest = search(index + 1, minus(left, times(often, one)), missing - often)
            if rest is not None:
                return (*(one,) * often, *rest)
        dead.add(state)
        return None

    return search(0, others, count)


def _often(one: Vector, left: Vector, missing: int, bounds: tuple[Blockade, ...]) -> int:
    """How many GPUs `one` may keep full at most, so that no bound rules out the rest."""
    most = min(missing, *(has // need for has, need in zip(left, one, strict=True) if need))
    for bound in bounds:
        waste = sum(map(mul, bound.weights, one)) - bound.least
        spare = sum(map(mul, bound.weights, left)) - bound.least * missing
        most = min(most, spare // waste) if waste else most
    return most


@lru_cache(maxsize=1 << 14)
def kept_full(gpu: str, profile: str, others: Vector, limit: int) -> int:
    """GPUs, `limit` of them at most, that `others` can keep full for `profile`."""
    most = min(limit, *(one.gpus(others) for one in blockades(gpu, profile)))
    return next(count for count in range(most, -1, -1) if block(gpu, profile, others, count) is not None)


@lru_cache(maxsize=1 << 14)
def room_for_all(gpu: str, demand: Vector, total: int) -> bool:
    """Whether each slice of `demand` finds its place on `total` GPUs, wherever all the others lie."""
    return all(
        any(one.gpus(others) < total for one in blockades(gpu, profile))
        or kept_full(gpu, profile, others, total) < total
        for profile, others in _others(gpu, demand)
    )


def guarantee(gpu: str, demand: Vector) -> Guarantee | None:
    """How many GPUs `demand` needs in the worst order, and why; None: it is empty."""
    worst = [_worst(gpu, profile, others, demand) for profile, others in _others(gpu, demand)]
    return max(worst, key=lambda one: one.full, default=None)


def _worst(gpu: str, profile: str, others: Vector, demand: Vector) -> Guarantee:
    best = min(blockades(gpu, profile), key=lambda one: one.gpus(others))
    rows = zip(gpus()[gpu].profiles, best.weights, demand, strict=True)
    weights = tuple((key, weight) for key, weight, count in rows if count)
    full = kept_full(gpu, profile, others, best.gpus(others))
    return Guarantee(profile, weights, best.least, sum(map(mul, best.weights, others)), full)


def _others(gpu: str, demand: Vector) -> list[tuple[str, Vector]]:
    """(profile, all slices but one of it) for each profile that is wanted."""
    profiles = zip(gpus()[gpu].profiles, demand, strict=True)
    return [(key, minus(demand, unit(gpu, key))) for key, count in profiles if count]
