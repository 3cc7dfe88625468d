"""GPUs that do not exist, for what the real ones never show, and a catalogue with one thing wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from corral.catalogue import gpus as catalogue
from corral.stacks.planning.mig import allocation, guarantee, layouts, packing, repacking, weights

UNEVEN = "Uneven-30"
"""Slices of 15, 10 and 6 thirtieths: 1 + 2 + 4 of them weigh less than two GPUs, and need three."""


def forget() -> None:
    """Clear every cache of what was computed from the catalogue."""
    for module in (layouts, weights, packing, repacking, allocation, guarantee):
        for value in vars(module).values():
            if hasattr(value, "cache_clear"):
                value.cache_clear()


@contextmanager
def catalogue_with(change: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """The GPUs of the catalogue after `change` of its content, and nothing remembered of any other."""
    content = catalogue._file().model_dump(by_alias=True)
    change(content)
    for gpu in content["gpus"].values():
        # What was not measured is bounded by geometry, which is what is changed here.
        gpu["measured"] = True
        for profile in gpu["profiles"].values():
            profile["measured"] = True
    changed = type(catalogue._file()).model_validate(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_file", lambda: changed)
        forget()
        yield
    forget()


def _uneven(content: dict[str, Any]) -> None:
    sizes = {"half": 15, "third": 10, "fifth": 6}
    content["geometries"]["uneven"] = {
        "compute": 30,
        "memory": 30,
        "shapes": {
            name: {"compute": size, "memory": size, "starts": range(0, 31 - size, size), "max": 30 // size}
            for name, size in sizes.items()
        },
    }
    content["gpus"][UNEVEN] = {
        "product": "NVIDIA Uneven",
        "architecture": "hopper",
        "nominal-gib": 30,
        "usable-gib": 30,
        "geometry": "uneven",
        "profiles": {name: {"shape": name, "usable-gib": size} for name, size in sizes.items()},
    }


@contextmanager
def uneven() -> Iterator[str]:
    """The key of a GPU on which the best weights are not always enough to find the optimum."""
    with catalogue_with(_uneven):
        yield UNEVEN
