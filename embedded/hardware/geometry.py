"""MIG geometry: which slices can be cut from one GPU at the same time, and where they lie.

Allowed starts, sizes and profile IDs are those of `nvidia-smi mig -lgipp` (NVIDIA MIG user guide, read
2026-11-23).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corral.embedded.hardware.inventory import Product


class Impossible(Exception):
    """The GPU cannot be cut so; the text says which profile and why."""


@dataclass(frozen=True)
class Shape:
    """What one kind of slice takes."""

    compute: int
    """Compute slices."""
    memory: int
    """Memory slices, adjacent."""
    starts: Sequence[int]
    """Memory slices at which it may begin."""
    most: int
    """At most so many on one GPU."""
    profile_id: int
    """ID of the GPU instance profile, as `nvidia-smi mig -lgip` lists it."""


@dataclass(frozen=True)
class Placed:
    """One slice of a GPU."""

    profile: str
    start: int
    """First memory slice."""
    size: int
    """Memory slices."""


SHAPES: Mapping[int, Mapping[str, Shape]] = {
    7: {
        "1g": Shape(1, 1, range(7), 7, 19),
        "1g+me": Shape(1, 1, range(7), 1, 20),
        "1g-double": Shape(1, 2, (0, 2, 4, 6), 4, 15),
        "2g": Shape(2, 2, (0, 2, 4), 3, 14),
        "3g": Shape(3, 4, (0, 4), 2, 9),
        "4g": Shape(4, 4, (0,), 1, 5),
        "7g": Shape(7, 8, (0,), 1, 0),
    },
    4: {
        "1g": Shape(1, 1, range(4), 4, 14),
        "1g+me": Shape(1, 1, range(4), 1, 21),
        "2g": Shape(2, 2, (0, 2), 2, 5),
        "4g": Shape(4, 4, (0,), 1, 0),
    },
}
"""Shapes by the number of compute slices of the GPU."""


def place(product: Product, counts: Mapping[str, int]) -> tuple[Placed, ...]:
    """Places for the wanted number of slices of each profile, in the order of their starts.

    Raises:
        Impossible: the product has no such profile, or they do not fit together.
    """
    if product.compute_slices is None:
        raise Impossible(f"{product.name} has no MIG")
    shapes = SHAPES[product.compute_slices]
    for profile, count in counts.items():
        if profile not in product.profiles:
            allowed = ", ".join(product.profiles)
            raise Impossible(f"{product.name} has no profile {profile!r}; allowed: {allowed}")
        most = shapes[product.profiles[profile].shape].most
        if not 0 < count <= most:
            raise Impossible(f"{count} x {profile}: allowed: 1 to {most} on one {product.name}")
    slices = [
        (profile, shapes[product.profiles[profile].shape])
        for profile, count in counts.items()
        for _ in range(count)
    ]
    request = " + ".join(f"{count} x {profile}" for profile, count in counts.items())
    compute = sum(shape.compute for _, shape in slices)
    if compute > product.compute_slices:
        raise Impossible(f"{request} takes {compute} compute slices of {product.compute_slices}")
    slices.sort(key=lambda each: (-each[1].memory, -each[1].compute, each[0]))
    placed_slices = _search(slices, frozenset())
    if placed_slices is None:
        raise Impossible(f"{request} does not fit into the memory slices of one {product.name}")
    return tuple(sorted(placed_slices, key=lambda placed: placed.start))


def _search(slices: Sequence[tuple[str, Shape]], taken: frozenset[int]) -> list[Placed] | None:
    if not slices:
        return []
    (profile, shape), *rest = slices
    for start in shape.starts:
        span = frozenset(range(start, start + shape.memory))
        if not span & taken:
            others = _search(rest, taken | span)
            if others is not None:
                return [Placed(profile, start, shape.memory), *others]
    return None
