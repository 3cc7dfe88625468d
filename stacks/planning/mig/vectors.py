"""Numbers of slices by profile as plain tuples, which are added and compared many times in a plan."""

from operator import add, sub

from corral.catalogue.gpus import gpus
from corral.stacks.planning.mig.layouts import Layout, layout

Vector = tuple[int, ...]
"""A number per profile, in the catalogue's order."""


def vector(gpu: str, one: Layout) -> Vector:
    """`one` with a number for each profile of `gpu`."""
    counts = dict(one)
    return tuple(counts.get(key, 0) for key in gpus()[gpu].profiles)


def layout_of(gpu: str, one: Vector) -> Layout:
    """`one` as a layout."""
    return layout(gpu, dict(zip(gpus()[gpu].profiles, one, strict=True)))


def unit(gpu: str, profile: str) -> Vector:
    """One slice of `profile`."""
    return vector(gpu, ((profile, 1),))


def plus(one: Vector, other: Vector) -> Vector:
    return tuple(map(add, one, other))


def minus(one: Vector, other: Vector) -> Vector:
    return tuple(map(sub, one, other))


def times(number: int, one: Vector) -> Vector:
    return tuple(number * count for count in one)


def within(small: Vector, large: Vector) -> bool:
    """Whether `large` has every slice of `small`."""
    return all(few <= many for few, many in zip(small, large, strict=True))


def shared(one: Vector, other: Vector) -> int:
    """How many slices both have."""
    return sum(map(min, one, other))
