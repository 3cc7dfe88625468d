"""Weights of MIG slices: what makes a lower bound on GPUs a proof that anybody can add up.

If no layout of a GPU weighs more than `capacity`, slices that weigh W need at least W / capacity GPUs.
Counting compute slices is one such weighing, counting memory slices another. `weighings` finds all that
matter: the vertices of the dual of the linear relaxation, whose optimum, rounded up, is their best bound.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import gcd
from operator import mul

from corral.stacks.planning.mig.layouts import maximal_layouts
from corral.stacks.planning.mig.vectors import Vector, vector, within


@dataclass(frozen=True)
class Weighing:
    """Weights by profile, and the most that one GPU can be cut into."""

    weights: Vector
    capacity: int

    def total(self, demand: Vector) -> int:
        """What `demand` weighs."""
        return sum(map(mul, self.weights, demand))

    def gpus(self, demand: Vector) -> int:
        """GPUs below which `demand` weighs too much."""
        return -(-self.total(demand) // self.capacity)


@cache
def weighings(gpu: str) -> tuple[Weighing, ...]:
    """The weighings of `gpu` that can give the best bound, largest capacity first."""
    return _weighings(frozenset(vector(gpu, one) for one in maximal_layouts(gpu)))


@cache
def _weighings(every: frozenset[Vector]) -> tuple[Weighing, ...]:
    """The same of all GPUs whose layouts have these numbers of slices."""
    rows = sorted(one for one in every if not any(one != other and within(one, other) for other in every))
    most = [(*(-count for count in row), 1) for row in rows]
    weighings = {Weighing(ray[:-1], ray[-1]) for ray in rays(most) if ray[-1]}
    best = [one for one in weighings if not any(other != one and _below(one, other) for other in weighings)]
    return tuple(sorted(best, key=lambda one: (-one.capacity, one.weights)))


def _below(one: Weighing, other: Weighing) -> bool:
    """Whether `other` never gives a smaller bound than `one`."""
    return within(
        tuple(weight * other.capacity for weight in one.weights),
        tuple(weight * one.capacity for weight in other.weights),
    )


def rays(constraints: Sequence[Vector]) -> list[Vector]:
    """Extreme rays of the cone of vectors, none negative, whose product with no constraint is below 0.

    Double description: one constraint after the other cuts the cone, in whole numbers. Each ray carries which
    constraints it meets exactly, as bits; two rays span an edge when no third meets all that both meet.
    """
    size = len(constraints[0])
    extreme = [(_unit(index, size), ((1 << size) - 1) ^ (1 << index)) for index in range(size)]
    for number, row in enumerate(constraints):
        bit = 1 << (size + number)
        slack = [(ray, met, sum(map(mul, ray, row))) for ray, met in extreme]
        tight = [(ray, met | bit) for ray, met, left in slack if left == 0]
        loose = [(ray, met) for ray, met, left in slack if left > 0]
        edges = [
            (_combined(one, left, other, over), met & also | bit)
            for one, met, left in slack
            if left > 0
            for other, also, over in slack
            if over < 0 and _adjacent(met & also, size, extreme)
        ]
        extreme = [*loose, *tight, *edges]
    return [ray for ray, _met in extreme]


def _unit(index: int, size: int) -> Vector:
    return tuple(int(place == index) for place in range(size))


def _adjacent(both: int, size: int, rays: Iterable[tuple[Vector, int]]) -> bool:
    """Whether two rays that both meet the constraints `both` span an edge."""
    return both.bit_count() >= size - 2 and sum(1 for _, met in rays if met & both == both) == 2


def _combined(one: Vector, left: int, other: Vector, over: int) -> Vector:
    """The point between two rays that meets the new constraint, in lowest terms."""
    mixed = [left * second - over * first for first, second in zip(one, other, strict=True)]
    shared = gcd(*mixed)
    return tuple(value // shared for value in mixed)
