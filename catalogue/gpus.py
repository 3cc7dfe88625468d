"""GPUs: products, usable memory and MIG geometry, keyed by (GPU, profile)."""

from collections.abc import Mapping
from functools import cache

from pydantic import model_validator

from corral.catalogue._read import Entry, Source, read

GIB = 1 << 30


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

    @property
    def usable(self) -> int:
        """Usable memory in bytes."""
        return int(self.usable_gib * GIB)


class Gpu(Entry):
    """One GPU product."""

    product: str
    """Product name as the driver reports it; with `-` for spaces it is the label `nvidia.com/gpu.product`."""
    usable_gib: float
    """What a process can get with MIG off, in GiB."""
    geometry: str | None = None
    """None: the GPU has no MIG."""
    profiles: dict[str, Profile] = {}

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
            for name, profile in entry.profiles.items():
                if profile.shape not in shapes:
                    raise ValueError(
                        f"{key} {name}: no shape {profile.shape!r} in geometry {entry.geometry!r}"
                    )
        return self


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
    """What `profile` occupies on `gpu`."""
    return geometry(gpu).shapes[gpus()[gpu].profiles[profile].shape]
