"""Models: the facts that sizing and import need."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated

from pydantic import Field, model_validator

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.gpus import GIB
from corral.catalogue.vocabulary import Engine, SourceScheme, Task


class File(Entry):
    """One file of a model."""

    name: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size: int
    """Bytes."""
    package: str | None = None
    """Path inside the Python package that carries it."""


class Package(Entry):
    """A Python package that carries a model."""

    name: str
    version: str


class Model(Entry):
    """One model."""

    task: Task
    license: str
    gated: bool
    """Whether its publisher asks for consent before a download."""
    engine: Engine
    """The engine that serves its files unless the stack file says otherwise."""
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    """Entries of the output layer."""
    context: int
    """Longest sequence in tokens."""
    dtype: str
    weights_gib: float | None = None
    weights_bytes: int | None = None
    files: tuple[File, ...] = ()
    package: Package | None = None
    encoder: bool = False
    """True: no key-value cache grows with the sequence."""
    source: Source

    @model_validator(mode="after")
    def _weighs_something(self) -> "Model":
        if (self.weights_gib is None) == (self.weights_bytes is None):
            raise ValueError("one of weights-gib and weights-bytes")
        return self

    @property
    def weights(self) -> int:
        """Weights in bytes."""
        return self.weights_bytes if self.weights_bytes is not None else int((self.weights_gib or 0) * GIB)

    @property
    def package_source(self) -> str | None:
        """`package://name/version/path` of a model that a Python package carries whole."""
        if self.package is None:
            return None
        return f"{SourceScheme.PACKAGE.value}://{self.package.name}/{self.package.version}/{self.files[0].package}"


class _Models(Entry):
    models: dict[str, Model]


@cache
def models() -> Mapping[str, Model]:
    """All models by key."""
    return read("models.yaml", _Models).models
