"""Prices with source: instances by region and purchase option, model APIs per token, one exchange rate."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated

from pydantic import Field, model_validator

from corral.catalogue._read import Entry, Source, read
from corral.catalogue.instances import instances
from corral.catalogue.vocabulary import Currency, Purchase

HOURS = 730
"""Hours of a month."""
Amount = Annotated[Decimal, Field(gt=0)]
"""An amount of money."""


@dataclass(frozen=True)
class Price:
    """What one instance costs for an hour."""

    per_hour: Decimal
    currency: Currency
    source: Source


class Api(Entry):
    """What one provider asks for tokens of one model, per million."""

    provider: str
    model: str
    """Key of the model."""
    input: Amount
    output: Amount
    source: str


class Exchange(Entry):
    """One unit of the prices' currency in another."""

    currency: Currency
    per_unit: Amount
    source: str


class _Table(Entry):
    source: str
    region: str
    purchase: Purchase
    per_hour: dict[str, Amount]
    suspect: dict[str, Amount] = {}
    """Stated by the source and not believed: never used."""


class _Prices(Entry):
    sources: dict[str, Source]
    currency: Currency
    exchange: Exchange
    tables: tuple[_Table, ...]
    apis: tuple[Api, ...]

    @model_validator(mode="after")
    def _refers_to_what_exists(self) -> "_Prices":
        for name in [one.source for one in (*self.tables, *self.apis, self.exchange)]:
            if name not in self.sources:
                raise ValueError(f"no source {name!r}")
        stated = [
            (name, one.region, one.purchase) for one in self.tables for name in one.per_hour | one.suspect
        ]
        for name, region, _purchase in stated:
            if name not in instances():
                raise ValueError(f"{region}: no instance {name!r} in the catalogue")
        twice = [key for key, count in Counter(stated).items() if count > 1]
        if twice:
            raise ValueError(f"a price stands once: {twice[0]}")
        return self


@cache
def _file() -> _Prices:
    return read("prices.yaml", _Prices)


def offers(instance: str, region: str) -> Mapping[Purchase, Price]:
    """What `instance` costs in `region`, by purchase option; empty: no price is known."""
    content = _file()
    return {
        one.purchase: Price(one.per_hour[instance], content.currency, content.sources[one.source])
        for one in content.tables
        if one.region == region and instance in one.per_hour
    }


def regions(instance: str) -> tuple[str, ...]:
    """Regions in which a price of `instance` is known."""
    return tuple(dict.fromkeys(one.region for one in _file().tables if instance in one.per_hour))


def priced_regions() -> tuple[str, ...]:
    """All regions of which a price is known."""
    return tuple(dict.fromkeys(one.region for one in _file().tables))


def apis(model: str) -> tuple[Api, ...]:
    """What providers ask for tokens of `model`, a key of the catalogue, in `currency()`."""
    return tuple(one for one in _file().apis if one.model == model)


def currency() -> Currency:
    """The currency of all prices here."""
    return _file().currency


def exchange() -> tuple[Exchange, Source]:
    """What one unit of `currency()` is in the other currency, and where that was read."""
    content = _file()
    return content.exchange, content.sources[content.exchange.source]


def converted(amount: Decimal, source: Currency, target: Currency, rate: Decimal) -> Decimal:
    """`amount` of currency `given` in currency `wanted`, at `rate` EUR for one USD.

    >>> converted(Decimal(2), Currency.USD, Currency.EUR, Decimal("0.5"))
    Decimal('1.0')
    """
    if source is target:
        return amount
    return amount * rate if target is Currency.EUR else amount / rate
