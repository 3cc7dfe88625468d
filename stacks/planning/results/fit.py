"""Where a model fits, and at what price: one row for each device of a GPU that holds a replica."""

from dataclasses import dataclass
from decimal import Decimal

from corral.catalogue.vocabulary import Currency, Dtype, Engine, Purchase, Task, Vendor
from corral.stacks.planning.results.models import MemoryPlan


@dataclass(frozen=True)
class Provenance:
    """Where the figures of a model were read."""

    origin: str
    """The place itself: a source with its date, a folder or a hub's address."""
    checked: bool = True
    """False: in a survey rather than in the model's own files."""
    hub: str | None = None
    """Repository on Hugging Face; None: not looked up, as are the next two."""
    revision: str | None = None
    """Commit of the hub."""
    files_gib: float | None = None
    """Weight files of the repository in GiB."""


@dataclass(frozen=True, kw_only=True)
class SpecPlan(Provenance):
    """What is known of a model, wherever it was read."""

    model: str
    """Key of the catalogue, `org/name` of a hub, or a folder."""
    task: Task
    license: str
    gated: bool
    """Whether its publisher asks for consent before a download."""
    engine: Engine
    dtype: Dtype
    attention: str
    layers: int
    weights: int
    """Bytes, as published or computed."""
    longest_context: int
    """Tokens of its longest sequence."""


@dataclass(frozen=True)
class FitPrice:
    """The cheapest instance of the catalogue that has the devices, and a replica's part of its price."""

    instance: str
    region: str
    purchase: Purchase
    hour: Decimal
    """Of one replica, by its part of the GPUs; the instance is rented whole."""
    instance_hour: Decimal
    basis: str
    """Where the price was read."""


@dataclass(frozen=True)
class GpuFit:
    """Devices of one kind of GPU that hold one replica."""

    gpu: str
    """Key of the catalogue."""
    vendor: Vendor
    served: bool
    """Whether a stack may have it; otherwise it is sized and priced alone."""
    device: str
    """Such as `1g.10gb`, `whole GPU` or `2 GPUs`."""
    profile: str | None
    """MIG profile; None: whole GPUs."""
    count: int
    """Devices of one replica."""
    memory: MemoryPlan
    """Of each device, in bytes."""
    largest_context: int
    """Tokens of the longest sequence that fits."""
    full_sequences: int
    """Sequences at full context that fit at the same time; 0: an encoder keeps none."""
    price: FitPrice | None
    """None: the catalogue has no price of such an instance."""


@dataclass(frozen=True)
class FitPlan:
    """Where one replica of a model fits."""

    spec: SpecPlan
    context: int
    """Tokens of one sequence that must fit."""
    max_num_seqs: int
    currency: Currency
    exchange_basis: str
    """Where the exchange rate of the prices was read."""
    fits: tuple[GpuFit, ...]
    """Cheapest first, then those without a price by memory."""
    too_small: tuple[str, ...]
    """GPUs that do not hold it, not even eight of them."""
    least_memory: int
    """Bytes of the smallest single device that would hold it."""
    notes: tuple[str, ...]
    """What a figure above does not say, a line each."""
