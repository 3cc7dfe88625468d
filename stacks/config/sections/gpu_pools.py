"""GPU nodes and what they cost: `gpu-pools`, `budget`."""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from corral.catalogue.gpus import gpus, served
from corral.catalogue.vocabulary import Currency, Fabric, Purchase, SharingKind
from corral.stacks.config.sections.section import Section
from corral.stacks.config.values import (
    DYNAMIC,
    SHARED,
    Amount,
    AwsZone,
    Count,
    GoogleZone,
    Name,
    NodeName,
    Positive,
    Share,
    Size,
    Version,
    Years,
    mig_value,
    sharing_value,
)


class Nodes(Section):
    """The nodes of a pool: named, or a range made on demand."""

    names: tuple[NodeName, ...] = ()
    """Names of nodes that exist."""
    min: Count | None = None
    """Fewest nodes."""
    max: Positive | None = None
    """Most nodes."""


class Sharing(Section):
    """How a GPU is divided."""

    mig: Annotated[str | tuple[dict[str, Positive], ...] | None, BeforeValidator(mig_value)] = None
    """`auto`, a named configuration, or slices per profile: once for all GPUs of a node, or once per GPU; or
    `dynamic`, where the DRA driver cuts a slice when a pod comes."""
    time_slicing: Share | None = None
    """Models take turns on a GPU, N of them; nothing but the plan keeps each to its share of the memory."""
    mps: Share | None = None
    """Models run side by side on a GPU, N of them; the driver keeps each to its share of the memory."""

    @property
    def kind(self) -> SharingKind:
        """Which way is chosen."""
        ways = {
            SharingKind.MIG_DYNAMIC: self.mig if self.mig == DYNAMIC else None,
            SharingKind.MIG: self.mig,
            SharingKind.TIME_SLICING: self.time_slicing,
            SharingKind.MPS: self.mps,
        }
        return next((kind for kind, value in ways.items() if value is not None), SharingKind.WHOLE)

    @property
    def shares(self) -> int:
        """Equal shares that each GPU goes into; 1 where it is whole or cut into slices."""
        return self.time_slicing or self.mps or 1


class Owned(Section):
    """What one node of one's own costs; money in the currency of `budget`, EUR when absent."""

    price: Amount
    """Purchase price."""
    years: Years
    """Years over which the price is written off, evenly."""
    watts: Amount
    """Power that it draws at the meter, cooling included, in watts."""
    per_kwh: Amount
    """Price of a kilowatt hour."""


class GpuPool(Section):
    """A pool of equal GPU nodes."""

    name: Name
    """Name of the pool, and of the label its nodes carry."""
    gpu: Annotated[str, Field(json_schema_extra={"enum": [key for key in served() if gpus()[key].resolved]})]
    """GPU of the catalogue."""
    nodes: Nodes
    """`{names: […]}` for nodes that exist, `{min, max}` for nodes made on demand."""
    gpus_per_node: Annotated[int, Field(strict=True, ge=1, le=16)]
    """GPUs in each node."""
    dedicated: Annotated[bool, Field(strict=True)] = True
    """Whether a taint keeps pods that need no GPU off its nodes; `false` where the cluster has no others."""
    sharing: Annotated[
        Sharing,
        BeforeValidator(sharing_value),
        WithJsonSchema(
            {
                "anyOf": [
                    {"const": "whole"},
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "minProperties": 1,
                        "maxProperties": 1,
                        "properties": {
                            **{way: {"type": "integer", "minimum": 2, "maximum": 48} for way in SHARED},
                            "mig": {
                                "anyOf": [
                                    {"type": "string"},
                                    {
                                        "type": "array",
                                        "items": {
                                            "type": "object",
                                            "additionalProperties": {"type": "integer", "minimum": 1},
                                        },
                                    },
                                ]
                            },
                        },
                    },
                ]
            }
        ),
    ] = Sharing()
    """`whole`, the default; `mig`: `auto` lets the planner cut, a name or a list of slices fixes it,
    `dynamic` cuts when pods come; or `time-slicing` or `mps` with a number of equal shares."""
    driver: Version | None = None
    """Version of the NVIDIA driver on its nodes, such as `"580.95.05"`; not checked when absent."""
    instance: str | None = None
    """Instance type of its nodes, such as `p5.48xlarge`; with `sovereignty.region` it gives their price."""
    zone: GoogleZone | AwsZone | None = None
    """Zone of the nodes: on GKE, such as `europe-west3-b`, where the GPUs are; on EKS with `fabric` alone."""
    fabric: Fabric | None = None
    """Network by which GPUs of several nodes reach each other: `efa` on EKS, with every interface that the
    instance type has, in one zone and one placement group."""
    purchase: Purchase = Purchase.ON_DEMAND
    """How its nodes are paid for."""
    pre_pull: Annotated[bool, Field(strict=True)] = False
    """Whether each of its nodes holds the images of the models placed on it before a replica comes."""
    model_cache: Size | None = None
    """Room on the disk of each node for models with `local-cache`; what they take when absent."""
    price_per_hour: Amount | None = None
    """Price of one node for an hour in place of the catalogue's, in the currency of `budget`."""
    owned: Owned | None = None
    """What one node costs where `purchase` is `owned`."""


class Budget(Section):
    """What the GPU pools may cost."""

    monthly: Amount
    """Ceiling for a month of 730 hours, with every pool at its most nodes; a plan above it is refused."""
    currency: Currency = Currency.EUR
    """Currency of the ceiling, and of every amount that the stack file gives."""
    exchange_rate: Amount | None = None
    """EUR for one USD; the catalogue's when absent."""
