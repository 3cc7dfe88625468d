"""Rates at which a model comes from the store into a GPU, each with where it was read."""

from collections.abc import Mapping
from functools import cache

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.vocabulary import Engine


class ColdStartFigures(Entry):
    """Rates in MB/s, and seconds."""

    sources: Mapping[str, Source]
    network_mbps: int
    """From the store to a node whose instance type is not stated."""
    verify_mbps: int
    """SHA-256 of what came, before it is served."""
    load_mbps: int
    """From the node's disk into a GPU."""
    stream_mbps: int
    """The same with many parts of the files read at a time."""
    engine_seconds: Mapping[Engine, int]
    """Imports, compilation and graphs; an engine that is absent has no such figure."""


@cache
def cold_start_figures() -> ColdStartFigures:
    """The figures of `cold_start.yaml`."""
    return read("cold_start.yaml", ColdStartFigures)
