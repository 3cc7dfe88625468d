"""All GPU nodes at their most cost no more than the budget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal, InvalidOperation

from corral.catalogue.vocabulary import Currency
from corral.controls.budget import Budget
from corral.controls.control import Control, Resource, StackRule, Undecided
from corral.controls.cost.cases import CASES
from corral.controls.cost.groups import READERS, Group, group
from corral.controls.levels import Severity
from corral.controls.profiles import Profile

SHOWN = 3
"""Groups that a message names, the dearest first."""


class Unpriced(Exception):
    """Nobody can say what a group costs; the text says why."""


@dataclass(frozen=True)
class _Bill:
    """What one group costs at most."""

    text: str
    month: Decimal


def _within(subject: Resource, others: Sequence[Resource], profile: Profile) -> Iterator[str]:
    """What `subject` lacks for a price; and, once per stack, that its groups cost too much together."""
    if profile.budget is None:
        return
    everything = others if any(one is subject for one in others) else (subject, *others)
    try:
        _bill(subject, everything, profile, profile.budget)
    except Unpriced as reason:
        yield f"{reason}, and a budget of {_money(profile.budget.monthly, profile.budget)} a month needs it"
    except Undecided:
        pass  # The first group of the stack reports it, together with the sum.
    if subject is next(one for one in everything if one.type in READERS):
        yield from _sum(everything, profile, profile.budget)


def _sum(everything: Sequence[Resource], profile: Profile, budget: Budget) -> Iterator[str]:
    """That all groups are too dear; what is known decides first.

    Raises:
        Undecided: what is known is within the budget, and a group is not known yet.
    """
    bills: list[_Bill] = []
    open_ends: list[str] = []
    for one in everything:
        try:
            bill = _bill(one, everything, profile, budget)
        except Unpriced:
            continue
        except Undecided as reason:
            open_ends.append(f"{one.name}: {reason}")
            continue
        bills += [] if bill is None else [bill]
    total = sum((one.month for one in bills), Decimal())
    if total > budget.monthly:
        dearest = sorted(bills, key=lambda one: one.month, reverse=True)
        named = ", ".join(one.text for one in dearest[:SHOWN]) + (", …" if len(bills) > SHOWN else "")
        yield (
            f"the GPU nodes may cost {_money(total, budget)} a month, and the budget is "
            f"{_money(budget.monthly, budget)}: {named}"
        )
    elif open_ends:
        raise Undecided("; ".join(open_ends))


def _bill(
    subject: Resource, everything: Sequence[Resource], profile: Profile, budget: Budget
) -> _Bill | None:
    """What `subject` costs at most; None: it is no GPU node group.

    Raises:
        Unpriced: its price or its number of nodes is not to be found.
        Undecided: it is not known before the update.
    """
    node_group = group(subject, everything)
    if node_group is None:
        return None
    return max(
        (_machine_bill(node_group, one, profile, budget) for one in node_group.machines),
        key=lambda b: b.month,
    )


def _machine_bill(node_group: Group, machine: str, profile: Profile, budget: Budget) -> _Bill:
    from corral.catalogue.prices import HOURS  # Few stacks have a budget; all load this module.

    nodes = node_group.machines[machine]
    if nodes is None:
        raise Unpriced(f"nothing limits the number of nodes of {node_group.name} ({machine})")
    month = _hour(node_group, machine, profile, budget) * nodes * HOURS
    return _Bill(f"{node_group.name}, {nodes} x {machine}, {_money(month, budget)}", month)


def _hour(node_group: Group, machine: str, profile: Profile, budget: Budget) -> Decimal:
    from corral.catalogue.prices import offers, regions

    if node_group.stated is not None:
        return _stated(node_group, budget)
    if node_group.purchase is None:
        raise Unpriced(f"no list has a price for {node_group.name} ({machine}), and none is stated")
    region = node_group.region or _only(profile.regions)
    if region is None:
        raise Unpriced(f"the region of {node_group.name} ({machine}) is not said, so it has no price")
    price = offers(machine, region).get(node_group.purchase)
    if price is None:
        known = ", ".join(regions(machine)) or "no region"
        raise Unpriced(
            f"{node_group.name}: {machine} {node_group.purchase.value} has no price in {region}; prices "
            f"of it are known in {known}"
        )
    return budget.of(price.per_hour, price.currency)


def _stated(node_group: Group, budget: Budget) -> Decimal:
    """A price such as `51.145 EUR`."""
    amount, _, word = str(node_group.stated).partition(" ")
    try:
        hour, currency = Decimal(amount), Currency(word)
    except (InvalidOperation, ValueError):
        raise Unpriced(
            f"{node_group.name} states {node_group.stated!r}, which is no price such as '51.145 EUR'"
        ) from None
    if not hour.is_finite() or hour <= 0:
        raise Unpriced(f"{node_group.name} states {node_group.stated!r}; a price is above 0")
    return budget.of(hour, currency)


def _only(names: frozenset[str] | None) -> str | None:
    return next(iter(names)) if names is not None and len(names) == 1 else None


def _money(amount: Decimal, budget: Budget) -> str:
    return f"{amount.quantize(Decimal(1), ROUND_UP):,} {budget.currency.value}"


CONTROL = Control(
    id="SOV-CST-01",
    title="All GPU nodes at their most cost no more than the budget",
    severity=Severity.HIGH,
    sources=("budget of the stack",),
    remedy="Lower the sizes or the purchase option, state a node's price by `node_hour`, or raise `budget`.",
    rule=StackRule(lambda token: token in READERS, _within),
    cases=CASES,
)
