"""Engines: what each needs to know of, and takes of, a device beside weights and cache."""

import re
from functools import cache

from corral.catalogue._read import Entry, Source, read


class Reserve(Entry):
    """What the start-up profile of vLLM counts, from version `since` until the next entry."""

    since: str
    logit_bytes: float
    """Warm-up of the sampler: bytes per sequence and entry of the vocabulary."""
    outside_gib: float
    """Memory outside the framework's allocator, on one device."""
    outside_parallel_gib: float
    """The same with tensor parallelism."""
    graph_kib: float
    """Estimate per layer and CUDA graph that is taken before the cache; 0: graphs lie outside the budget."""
    steps_in_flight: int = 1
    """Steps whose tokens windows hold at once: 2 where the next is scheduled while one runs."""
    source: Source

    @property
    def version(self) -> tuple[int, int]:
        return version(self.since)


class TextEmbeddings(Entry):
    """What Text Embeddings Inference runs on."""

    capabilities: tuple[str, ...]
    """Compute capabilities that it has a program for."""
    padded: tuple[str, ...]
    """Those of them without flash attention."""
    batch_tokens: int
    """Tokens of one batch at most, its own default."""
    source: Source


class _Engines(Entry):
    text_embeddings: TextEmbeddings
    vllm: tuple[Reserve, ...]


def version(text: str) -> tuple[int, int]:
    """(0, 30) for `v0.30.0`.

    Raises:
        ValueError: this is no version.
    """
    match = re.match(r"v?(\d+)\.(\d+)(?!\d)", text)
    if match is None:
        raise ValueError(f"{text!r} is no version such as v0.30.0")
    return int(match[1]), int(match[2])


@cache
def text_embeddings() -> TextEmbeddings:
    """What Text Embeddings Inference runs on."""
    return read("engines.yaml", _Engines).text_embeddings


@cache
def reserves() -> tuple[Reserve, ...]:
    """All entries, oldest first."""
    return tuple(sorted(read("engines.yaml", _Engines).vllm, key=lambda one: one.version))


def reserve(engine_version: str) -> Reserve:
    """What counts for vLLM `engine_version`; a version newer than all measured ones counts as the newest.

    Raises:
        ValueError: it is older than all of them, or no version.
    """
    release = version(engine_version)
    known = [one for one in reserves() if one.version <= release]
    if not known:
        raise ValueError(
            f"vLLM {engine_version} is older than {reserves()[0].since}, the oldest that is sized"
        )
    return known[-1]
