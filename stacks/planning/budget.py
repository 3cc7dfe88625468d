"""The ceiling: why a plan that costs too much, or that nobody can price, is refused, and what would fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal

from corral.stacks.config.errors import Problem
from corral.stacks.config.stack_config import Budget, GpuPool
from corral.stacks.planning.pricing import money, node_prices
from corral.stacks.planning.results.cost import CostPlan, PoolCost, month


@dataclass(frozen=True)
class _Change:
    """One thing that could be bought otherwise, and the month that the stack then costs."""

    says: str
    total: Decimal


def over_budget(
    budget: Budget | None, pools: Sequence[GpuPool], region: str, plan: CostPlan
) -> tuple[Problem, ...]:
    """Why `plan` breaks `budget`; empty: it does not, or there is none."""
    if budget is None:
        return ()
    unpriced = tuple(
        Problem(
            f"gpu-pools[{index}]",
            f"pool {cost.pool} has no price",
            f"a budget of {_money(budget, budget.monthly)} a month needs one: {cost.basis}; "
            "give price-per-hour",
        )
        for index, cost in enumerate(plan.pools)
        if cost.node_hour is None
    )
    total = month(plan.hour)
    if unpriced or total <= budget.monthly:
        return unpriced
    return (_refusal(budget, tuple(_changes(budget, pools, region, plan, total)), plan, total),)


def _refusal(budget: Budget, changes: Sequence[_Change], plan: CostPlan, total: Decimal) -> Problem:
    dearest = max(plan.pools, key=lambda one: one.hour)
    nodes = f"{dearest.maximum} node" + ("s" if dearest.maximum > 1 else "")
    return Problem(
        "budget.monthly",
        _money(budget, budget.monthly),
        f"the plan costs {_money(budget, total)} a month, of which pool {dearest.pool} "
        f"({dearest.bought}, {nodes}) {_money(budget, month(dearest.hour))}; "
        f"{_nearest(changes, budget)}",
    )


def _nearest(changes: Sequence[_Change], budget: Budget) -> str:
    """The change after which the stack fits that leaves the most of it, else the one that saves the most."""
    fitting = [one for one in changes if one.total <= budget.monthly]
    if fitting:
        best = max(fitting, key=lambda one: one.total)
        return f"nearest that fits: {best.says}, {_money(budget, best.total)}"
    if changes:
        best = min(changes, key=lambda one: one.total)
        return f"no one change fits; the largest is {best.says}, {_money(budget, best.total)}"
    return "no pool has another purchase option with a price, or a node without a model"


def _changes(
    budget: Budget, pools: Sequence[GpuPool], region: str, plan: CostPlan, total: Decimal
) -> Iterator[_Change]:
    counted = money(budget)
    for pool, cost in zip(pools, plan.pools, strict=True):
        rest = total - month(cost.hour)
        prices = node_prices(pool, region, counted)
        for option, (hour, _basis) in prices.items():
            if option is not pool.purchase:
                yield _Change(f"purchase: {option.value} for {pool.name}", rest + month(hour * cost.maximum))
        yield from _fewer(pool, cost, rest)


def _fewer(pool: GpuPool, cost: PoolCost, rest: Decimal) -> Iterator[_Change]:
    """The pool with fewer nodes, down to those that models are planned on."""
    for nodes in range(max(1, cost.minimum if pool.nodes.max else 1, cost.used), cost.maximum):
        says = f"{nodes} instead of {cost.maximum} nodes in {pool.name}"
        yield _Change(says, rest + month((cost.node_hour or Decimal()) * nodes))


def _money(budget: Budget, amount: Decimal) -> str:
    return f"{amount.quantize(Decimal(1), ROUND_UP):,} {budget.currency.value}"
