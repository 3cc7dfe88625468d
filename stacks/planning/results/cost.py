"""What a plan costs, in plain frozen values: amounts are exact decimals, in one currency, for one hour.

Amounts of an hour carry six decimals, and the shares of a pool add up to its price exactly.
"""

from dataclasses import dataclass
from decimal import Decimal

from corral.catalogue import prices
from corral.catalogue.vocabulary import Currency, Purchase

HOURS = prices.HOURS
"""Hours of a month."""


def month(hour: Decimal) -> Decimal:
    """What costs `hour` an hour costs a month."""
    return hour * HOURS


@dataclass(frozen=True)
class ModelCost:
    """One model's share of a pool, with all its replicas."""

    model: str
    hour: Decimal


@dataclass(frozen=True)
class PoolCost:
    """What a pool costs, and who uses how much of it."""

    pool: str
    bought: str
    """Such as `p5.48xlarge on-demand`."""
    purchase: Purchase
    basis: str
    """Where the price of a node comes from; or, unresolved, why there is none."""
    node_hour: Decimal | None
    """Price of one node; None: unresolved."""
    minimum: int
    maximum: int
    """Nodes."""
    used: int
    """Nodes that the models need."""
    models: tuple[ModelCost, ...] = ()
    """At the most nodes; empty where the price is unresolved."""

    @property
    def hour(self) -> Decimal:
        """Price at the most nodes; 0 where it is unresolved."""
        return (self.node_hour or Decimal()) * self.maximum

    @property
    def hour_at_minimum(self) -> Decimal:
        """Price at the fewest nodes; 0 where it is unresolved."""
        return (self.node_hour or Decimal()) * self.minimum

    @property
    def idle(self) -> Decimal:
        """What of the price at the most nodes no model uses."""
        return self.hour - sum((one.hour for one in self.models), Decimal())


@dataclass(frozen=True)
class ApiCost:
    """From how many tokens on a model's share of its pool costs less than an API."""

    model: str
    provider: str
    input: int
    """Tokens of one prompt, in the mix that both are compared for."""
    output: int
    """Tokens of one answer."""
    tokens: int
    """Output tokens a month from which on the pool costs less."""
    utilisation: Decimal | None
    """Which part of the pool's throughput that is; above 1 it never does. None: no throughput is known."""
    basis: str
    """Where the throughput comes from; empty: none is known."""


@dataclass(frozen=True)
class CostPlan:
    """What the GPU pools of a plan cost."""

    currency: Currency
    exchange: Decimal
    """EUR for one USD."""
    exchange_basis: str
    ceiling: Decimal | None
    """For a month; None: no budget."""
    pools: tuple[PoolCost, ...]
    apis: tuple[ApiCost, ...]

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Pools without a price."""
        return tuple(one.pool for one in self.pools if one.node_hour is None)

    @property
    def hour(self) -> Decimal:
        """All pools with a price, at their most nodes."""
        return sum((one.hour for one in self.pools), Decimal())

    @property
    def hour_at_minimum(self) -> Decimal:
        """All pools with a price, at their fewest nodes."""
        return sum((one.hour_at_minimum for one in self.pools), Decimal())
