"""GPUs: products, usable memory and MIG geometry, keyed by (GPU, profile)."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated

from pydantic import Field, model_validator

from corral.catalogue._read import UNRESOLVED, Entry, Source, read

GIB = 1 << 30
SURE_SHARE = 0.9
"""Share of the nominal size that a process can surely get where nobody measured."""


class Shape(Entry):
    """What one MIG instance occupies, in slices of its GPU."""

    compute: int
    memory: int
    starts: tuple[int, ...]
    """Memory slices at which an instance may begin."""
    max: int
    """At most so many of this shape on one GPU."""


class Geometry(Entry):
    """How a GPU family divides."""

    compute: int
    memory: int
    shapes: dict[str, Shape]


class Profile(Entry):
    """A MIG profile of one GPU."""

    shape: str
    usable_gib: float
    """What a process can get, in GiB."""
    measured: bool = True
    """False: a lower bound, by the rule at the top of `gpus.yaml`."""
    driver: int | None = None
    """First driver branch with the profile, such as 525; None: the GPU's."""

    @property
    def usable(self) -> int:
        """Usable memory in bytes."""
        return int(self.usable_gib * GIB)


class Gpu(Entry):
    """One GPU product."""

    product: str
    """Product name as the driver reports it; with `-` for spaces it is the label `nvidia.com/gpu.product`."""
    nominal_gib: int
    """Size that its MIG profiles or its product are named after."""
    usable_gib: float
    """What a process can get with MIG off, in GiB."""
    measured: bool = True
    """False: `usable_gib` is a lower bound."""
    driver: int | None = None
    """First driver branch that divides it, such as 450; None: not read."""
    compute_capability: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]$")] | None = None
    """Such as `"9.0"`, which decides the kernels of an engine; None: not read, the largest counts."""
    geometry: str | None = None
    """None: the GPU has no MIG."""
    mig_mode_by_reset: bool = False
    """True: MIG is switched on by a reset of the GPU alone, which the DRA driver leaves to somebody else."""
    profiles: dict[str, Profile] = {}
    media: dict[str, Profile] = {}
    """Profiles with media engines, at most one of each on a GPU; packing leaves them out."""

    @property
    def resolved(self) -> bool:
        """Whether the product's name is known, without which no pod finds the GPU."""
        return self.product != UNRESOLVED

    @property
    def label(self) -> str:
        """Value of the node label `nvidia.com/gpu.product`."""
        return self.product.replace(" ", "-")

    @property
    def usable(self) -> int:
        """Usable memory of the whole GPU in bytes."""
        return int(self.usable_gib * GIB)


class _Gpus(Entry):
    source: Source
    geometries: dict[str, Geometry]
    gpus: dict[str, Gpu]

    @model_validator(mode="after")
    def _shapes_exist(self) -> "_Gpus":
        for key, entry in self.gpus.items():
            shapes = self.geometries[entry.geometry].shapes if entry.geometry else {}
            for name, profile in (entry.profiles | entry.media).items():
                if profile.shape not in shapes:
                    raise ValueError(
                        f"{key} {name}: no shape {profile.shape!r} in geometry {entry.geometry!r}"
                    )
        return self

    @model_validator(mode="after")
    def _unmeasured_is_cautious(self) -> "_Gpus":
        for key, entry in self.gpus.items():
            grid = self.geometries[entry.geometry] if entry.geometry else None
            for name, profile in (entry.profiles | entry.media).items():
                if grid and not profile.measured:
                    _cautious(
                        f"{key} {name}", profile.usable_gib, entry, grid, grid.shapes[profile.shape].memory
                    )
            if not entry.measured:
                _cautious(key, entry.usable_gib, entry, grid, grid.memory if grid else 1)
        return self


def _cautious(name: str, said: float, entry: Gpu, grid: Geometry | None, slices: int) -> None:
    """Refuse `said` GiB on `slices` memory slices where it is more than what is sure."""
    sure = [SURE_SHARE * entry.nominal_gib * slices / (grid.memory if grid else 1)]
    for profile in entry.profiles.values():
        size = grid.shapes[profile.shape].memory if grid else 0
        if profile.measured and size <= slices:
            sure.append(profile.usable_gib * slices / size)
    if said > max(sure):
        raise ValueError(f"{name}: {said} GiB was not measured, and no more than {max(sure):.2f} is sure")


@cache
def _file() -> _Gpus:
    return read("gpus.yaml", _Gpus)


def gpus() -> Mapping[str, Gpu]:
    """All GPUs by key, such as `A100-40GB`."""
    return _file().gpus


def geometry(gpu: str) -> Geometry:
    """How GPU `gpu` divides.

    Raises:
        KeyError: the GPU has no MIG.
    """
    key = gpus()[gpu].geometry
    if key is None:
        raise KeyError(f"{gpu} has no MIG")
    return _file().geometries[key]


def shape(gpu: str, profile: str) -> Shape:
    """What `profile`, with or without media engines, occupies on `gpu`."""
    entry = gpus()[gpu]
    return geometry(gpu).shapes[(entry.profiles | entry.media)[profile].shape]
