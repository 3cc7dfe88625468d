"""GPUs: products, usable memory and MIG geometry, keyed by (GPU, profile)."""

from collections.abc import Mapping
from functools import cache

from pydantic import model_validator

from corral.catalogue._read import UNRESOLVED, Entry, Source, read
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Vendor

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


class Architecture(Entry):
    """A generation of GPUs that the same kernels run on."""

    vendor: Vendor
    target: str
    """Compute capability, such as `8.9`; LLVM target of AMD's, such as `gfx942`."""
    bf16: bool
    """Whether it computes in bfloat16; if not, vLLM must be told float16 (vllm-project/vllm issue 1157)."""
    fp8: bool
    """Whether it multiplies numbers of 8 bits by itself."""
    fp4: bool
    """The same of 4 bits; without it, kernels unpack weights of 4 bits first."""
    source: str
    """Key of the source."""


class Gpu(Entry):
    """One GPU product."""

    architecture: str
    """Key of the architecture."""
    bandwidth_gbs: int | None = None
    """Peak bandwidth of its memory in GB/s; None: not read."""
    bandwidth_source: str | None = None
    """Key of the source of the bandwidth."""
    memory_source: str | None = None
    """Key of the source of `usable_gib`; None: the file's own."""
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
    def compute_capability(self) -> str | None:
        """Such as `9.0`, which decides the kernels of an engine; None: the GPU is not NVIDIA's."""
        entry = _file().architectures[self.architecture]
        return entry.target if entry.vendor is Vendor.NVIDIA else None

    @property
    def bf16(self) -> bool:
        """Whether it computes in bfloat16."""
        return _file().architectures[self.architecture].bf16

    @property
    def geforce(self) -> bool:
        """Whether it is a consumer GPU, whose driver has a licence of its own."""
        return self.product.startswith("NVIDIA GeForce ")

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
    sources: dict[str, Source]
    architectures: dict[str, Architecture]
    geometries: dict[str, Geometry]
    gpus: dict[str, Gpu]

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> "_Gpus":
        for key, entry in self.architectures.items():
            if entry.source not in self.sources:
                raise ValueError(f"{key}: no source {entry.source!r}")
        for key, entry in self.gpus.items():
            if entry.architecture not in self.architectures:
                raise ValueError(f"{key}: no architecture {entry.architecture!r}")
            for one in (entry.bandwidth_source, entry.memory_source):
                if one is not None and one not in self.sources:
                    raise ValueError(f"{key}: no source {one!r}")
            if (entry.bandwidth_gbs is None) != (entry.bandwidth_source is None):
                raise ValueError(f"{key}: bandwidth-gbs and bandwidth-source belong together")
        return self

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


def _cautious(name: str, stated: float, entry: Gpu, grid: Geometry | None, slices: int) -> None:
    """Refuse `stated` GiB on `slices` memory slices where it is more than what is sure."""
    sure = [SURE_SHARE * entry.nominal_gib * slices / (grid.memory if grid else 1)]
    for profile in entry.profiles.values():
        size = grid.shapes[profile.shape].memory if grid else 0
        if profile.measured and size <= slices:
            sure.append(profile.usable_gib * slices / size)
    if stated > max(sure):
        raise ValueError(f"{name}: {stated} GiB was not measured, and no more than {max(sure):.2f} is sure")


@cache
def _file() -> _Gpus:
    return read("gpus.yaml", _Gpus)


def gpus() -> Mapping[str, Gpu]:
    """All GPUs by key, such as `A100-40GB`."""
    return _file().gpus


def served() -> tuple[str, ...]:
    """GPUs that the platform's operator and DRA driver can serve, which are NVIDIA's."""
    return tuple(key for key in gpus() if architecture(key).vendor is Vendor.NVIDIA)


def architecture(gpu: str) -> Architecture:
    """The architecture of GPU `gpu`."""
    return _file().architectures[gpus()[gpu].architecture]


def sources(gpu: str) -> Mapping[str, Source]:
    """Where the figures of `gpu` were read, by what they say; a bandwidth that was not read has none."""
    content, entry = _file(), gpus()[gpu]
    named = {
        "memory": entry.memory_source,
        "architecture": "capability" if architecture(gpu).vendor is Vendor.NVIDIA else "rocm",
        "precision": architecture(gpu).source,
        "mig": "mig-guide" if architecture(gpu).vendor is Vendor.NVIDIA else "rocm",
        "bandwidth": entry.bandwidth_source,
    }
    by_figure = {what: content.sources[key] for what, key in named.items() if key is not None}
    return by_figure if entry.memory_source else {"memory": content.source, **by_figure}


def geforce_license() -> Source:
    """The licence of the driver of consumer GPUs, which rules data centres out."""
    return _file().sources["geforce-license"]


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
