"""Throughput: the most output tokens that one GPU gives a second, where somebody measured or modelled it."""

from collections.abc import Mapping
from functools import cache

from pydantic import model_validator

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.gpus import gpus


class Throughput(Entry):
    """Output of one model on one whole GPU."""

    model: str
    """Key of the model."""
    dtype: str
    """Precision of its weights, as in the catalogue of models."""
    gpu: str
    tokens: int
    """Output tokens a second and GPU."""
    input: int
    """Tokens of one prompt."""
    output: int
    """Tokens of one answer."""
    gpus: int = 1
    """GPUs that one replica spanned."""
    source: str


class _Rows(Entry):
    sources: dict[str, Source]
    rows: tuple[Throughput, ...]

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> "_Rows":
        seen: set[tuple[str, str, str]] = set()
        for row in self.rows:
            key = (row.model, row.dtype, row.gpu)
            if row.gpu not in gpus() or row.source not in self.sources or key in seen:
                raise ValueError(f"{key}: stands twice, or its GPU or source does not exist")
            seen.add(key)
        return self


@cache
def _file() -> _Rows:
    return read("throughput.yaml", _Rows)


@cache
def _by_key() -> Mapping[tuple[str, str, str], Throughput]:
    return {(row.model, row.dtype, row.gpu): row for row in _file().rows}


def throughput(model: str, dtype: str, gpu: str) -> Throughput | None:
    """What `model` in `dtype` gives on one `gpu`; None: nobody said."""
    return _by_key().get((model, dtype, gpu))


def source(row: Throughput) -> Source:
    """Where `row` was read."""
    return _file().sources[row.source]


def rows() -> tuple[Throughput, ...]:
    """All figures."""
    return _file().rows
