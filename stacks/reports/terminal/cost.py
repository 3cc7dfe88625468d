"""The cost of a plan as tables: pools with who uses them, and from when on an API costs more."""

from collections.abc import Iterator
from decimal import Decimal

from rich.table import Table

from corral.catalogue._read import UNRESOLVED
from corral.stacks.planning.results.cost import HOURS, ApiCost, CostPlan, PoolCost, month


def cost_table(plan: CostPlan) -> Table:
    """Every pool with its models and what is idle, the sum, and the budget."""
    table = _table("pool, model", "bought as", right=("nodes", "an hour", "a month"))
    for pool in plan.pools:
        for row in _pool(pool):
            table.add_row(*row)
    for row in _sums(plan):
        table.add_row(*row)
    return table


def api_table(plan: CostPlan) -> Table:
    """For each model and API the output tokens a month, and the GPUs' use, at which both cost the same."""
    table = _table("model", "API", right=("tokens in/out", "output a month", "GPU use"))
    for one in plan.apis:
        mix = f"{one.input}/{one.output}"
        table.add_row(one.model, one.provider, mix, f"{_millions(one.tokens)} M", use(one))
    return table


def cost_notes(plan: CostPlan) -> Iterator[str]:
    """Why a pool has no price, what the rest rests on, and what a month is."""
    for pool in plan.pools:
        if pool.node_hour is None:
            yield f"{pool.pool}: {pool.basis}"
    for basis in dict.fromkeys(pool.basis for pool in plan.pools if pool.node_hour is not None):
        yield f"price: {basis}"
    if len(plan.unresolved) < len(plan.pools):
        yield f"1 USD = {plan.exchange} EUR: {plan.exchange_basis}; a month has {HOURS} hours"


def api_notes(plan: CostPlan) -> Iterator[str]:
    """What the use of the GPUs rests on."""
    for basis in dict.fromkeys(one.basis for one in plan.apis if one.utilisation is not None):
        yield f"throughput: {basis}"


def _table(*left: str, right: tuple[str, ...]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in left:
        table.add_column(column, overflow="fold")
    for column in right:
        table.add_column(column, justify="right", overflow="fold")
    return table


def _pool(pool: PoolCost) -> Iterator[tuple[str, ...]]:
    if pool.node_hour is None:
        yield pool.pool, pool.bought, str(pool.maximum), UNRESOLVED, UNRESOLVED
        return
    yield pool.pool, pool.bought, str(pool.maximum), *_amounts(pool.hour)
    for one in pool.models:
        yield f"  {one.model}", "", "", *_amounts(one.hour)
    yield "  idle", "", "", *_amounts(pool.idle)
    if pool.minimum < pool.maximum:
        yield "  at the fewest", "", str(pool.minimum), *_amounts(pool.hour_at_minimum)


def _sums(plan: CostPlan) -> Iterator[tuple[str, ...]]:
    known = len(plan.pools) - len(plan.unresolved)
    if known:
        what = "all pools" if not plan.unresolved else "pools with a price"
        yield what, "", "", *_amounts(plan.hour)
        if plan.hour_at_minimum < plan.hour:
            yield "  at the fewest", "", "", *_amounts(plan.hour_at_minimum)
    if plan.ceiling is not None:
        yield "budget", "", "", "", f"{plan.ceiling:,.2f}"


def _amounts(hour: Decimal) -> tuple[str, str]:
    return f"{hour:,.2f}", f"{month(hour):,.2f}"


def _millions(tokens: int) -> str:
    return f"{tokens / 1_000_000:,.0f}"


def use(one: ApiCost) -> str:
    """Which part of the GPUs' throughput the tokens are, in words; `-` where none is known."""
    if one.utilisation is None:
        return "-"
    return f"{one.utilisation:.0%}" if one.utilisation <= 1 else f"never ({one.utilisation:.0%})"
