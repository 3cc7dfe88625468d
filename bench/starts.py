"""Measured starts of vLLM, beside which estimates of memory are judged."""

from functools import cache
from pathlib import Path

from corral.catalogue._read import Entry, read_file
from corral.catalogue.attention import Cache, Grouped
from corral.catalogue.engines import reserve
from corral.catalogue.models import Model, models
from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Dtype
from corral.stacks.planning.memory.vllm import Fixed, fixed, pinned_version


class _Loaded(Entry):
    """A model of the catalogue as somebody loaded it, perhaps from other files."""

    model: str
    dtype: Dtype | None = None
    """Of its files; the catalogue's when absent."""
    published: float | None = None
    """GiB of its files; the catalogue's when absent."""
    parameters: float | None = None
    """In billions, where the size of its files is not known."""
    kv_heads: int | None = None
    capability: str | None = "9.0"
    """Compute capability of the device; None: its kernel counts as the largest."""
    parallel: int = 1
    source: str

    @property
    def facts(self) -> Model:
        known = models()[self.model]
        changes: dict[str, object] = {}
        if self.published is not None or self.parameters is not None:
            changes = {"weights_gib": self.published, "parameters": self.parameters, "weights_bytes": None}
        if self.dtype is not None:
            changes["dtype"] = self.dtype
        if self.kv_heads is not None and isinstance(known.attention, Grouped):
            changes["attention"] = known.attention.model_copy(update={"kv_heads": self.kv_heads})
        return known.model_copy(update=changes)


class Load(_Loaded):
    """What was loaded, where a log has no more."""

    weights: float
    """GiB of one device."""

    @property
    def ours(self) -> float:
        """What we say is loaded, in GiB."""
        counts = reserve(pinned_version())
        held = fixed(
            self.facts, counts, max_num_seqs=32, step=2048, parallel=self.parallel, capability=self.capability
        )
        return held.weights / GIB


class Start(_Loaded):
    """One start, in GiB of one device."""

    version: str
    usable: float
    share: float
    """Of the device, as the engine was told to fill."""
    sequences: int = 1024
    step: int = 8192
    """Tokens of one step."""
    weights: float | None = None
    activation: float | None = None
    outside: float | None = None
    cache: float | None = None
    """Available for the cache, as logged."""
    tokens: int | None = None
    test: bool = False
    """Whether no constant was fitted to it."""

    @property
    def free(self) -> float:
        """What was left for the cache, in GiB."""
        if self.cache is not None:
            return self.cache
        return self.usable * self.share - sum(
            one or 0.0 for one in (self.weights, self.activation, self.outside)
        )

    @property
    def ours(self) -> Fixed:
        """What we say it holds before any cache."""
        return fixed(
            self.facts,
            reserve(self.version),
            max_num_seqs=self.sequences,
            step=self.step,
            parallel=self.parallel,
            capability=self.capability,
        )

    @property
    def error(self) -> float:
        """What we say is left for the cache, less what was, in GiB; negative is the safe side."""
        return self.usable * self.share - self.ours.total / GIB - self.free

    @property
    def text_on_one(self) -> bool:
        """Whether it is a text model on one device: estimated rather than bounded."""
        return self.parallel == 1 and not self.facts.multimodal


class Concurrency(_Loaded):
    """How many sequences a cache holds, as logged."""

    context: int
    step: int
    element: int = 2
    """Bytes per element of the cache."""
    cache: float
    """GiB of one device."""
    sequences: float

    @property
    def logged(self) -> float:
        """GiB of one device that a sequence needs."""
        return self.cache / self.sequences

    @property
    def ours(self) -> float:
        """The same as we count it."""
        attention, layers, cache = self.facts.attention, self.facts.layers, Cache(element=self.element)
        grown = attention.sequence(layers, self.parallel, tokens=self.context, step=self.step, cache=cache)
        return (grown + attention.state(layers, self.parallel, cache)) / GIB


class Starts(Entry):
    """The file of them."""

    sources: dict[str, str]
    starts: tuple[Start, ...]
    loads: tuple[Load, ...]
    concurrency: tuple[Concurrency, ...]


@cache
def _file() -> Starts:
    return read_file(Path(__file__).parent / "starts.yaml", Starts)


def starts() -> tuple[Start, ...]:
    """All of them."""
    return _file().starts


def loads() -> tuple[Load, ...]:
    """What was loaded, where a log has no more."""
    return _file().loads


def concurrency() -> tuple[Concurrency, ...]:
    """How many sequences a cache held."""
    return _file().concurrency
