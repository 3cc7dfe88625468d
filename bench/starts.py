"""Measured starts of vLLM, beside which estimates of memory are judged."""

from functools import cache
from pathlib import Path

from corral.catalogue._read import Entry, read_file
from corral.catalogue.engines import reserve
from corral.catalogue.gpus import GIB
from corral.catalogue.models import Model, models
from corral.stacks.planning.memory.vllm import Fixed, fixed


class Start(Entry):
    """One start, in GiB of one device."""

    model: str
    version: str
    usable: float
    share: float
    """Of the device, as the engine was told to fill."""
    capability: str | None = "9.0"
    """Compute capability of the device."""
    parallel: int = 1
    sequences: int = 1024
    step: int = 8192
    """Tokens of one step."""
    weights: float | None = None
    activation: float | None = None
    outside: float | None = None
    cache: float | None = None
    """Available for the cache, as logged."""
    tokens: int | None = None
    source: str

    @property
    def facts(self) -> Model:
        return models()[self.model]

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


class Starts(Entry):
    """The file of them."""

    sources: dict[str, str]
    starts: tuple[Start, ...]


@cache
def starts() -> tuple[Start, ...]:
    """All of them."""
    return read_file(Path(__file__).parent / "starts.yaml", Starts).starts
