"""What the GPU nodes of a stack may cost in a month."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from corral.catalogue.vocabulary import Currency


@dataclass(frozen=True)
class Budget:
    """An amount for a month of 730 hours."""

    monthly: Decimal
    currency: Currency
    rate: Decimal
    """EUR for one USD."""

    def of(self, amount: Decimal, currency: Currency) -> Decimal:
        """`amount` of `currency` in that of the budget."""
        from corral.catalogue.prices import converted  # Few stacks have a budget; all load this module.

        return converted(amount, currency, self.currency, self.rate)


def parse_budget(section: Mapping[str, Any]) -> Budget:
    """What section `budget` of a stack's configuration allows.

    Raises:
        ValueError: an amount is missing or none above 0, or the currency is unknown.
    """
    from corral.catalogue.prices import exchange

    words = [one.value for one in Currency]
    currency = section.get("currency", Currency.EUR.value)
    if currency not in words:
        raise ValueError(f"budget.currency: {currency!r}: use one of {', '.join(words)}")
    known, _source = exchange()
    rate = (
        _amount(section["exchange-rate"], "exchange-rate") if "exchange-rate" in section else known.per_unit
    )
    return Budget(_amount(section.get("monthly"), "monthly"), Currency(currency), rate)


def _amount(value: object, key: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0 or isinstance(value, bool):
        raise ValueError(f"budget.{key}: {value!r}: use a number above 0")
    return amount
