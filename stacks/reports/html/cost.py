"""What the GPU pools cost, who uses how much of it, and from when on an API costs more."""

from collections.abc import Iterator

from corral.catalogue._read import UNRESOLVED
from corral.stacks.planning.results.cost import HOURS, ApiCost, PoolCost, month
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Content, Html, tag, together
from corral.stacks.reports.html.tables import Column, numbers, second, table
from corral.stacks.reports.terminal.cost import api_notes, cost_notes, use

POOLS = (Column("pool"), Column("used by"), Column("bought as", "wrap"), *numbers("nodes", "hour", "month"))
APIS = (Column("model"), Column("API"), *numbers("tokens in/out", "output a month, M", "GPU use"))


def cost(plan: Plan) -> Html:
    """Pools with their users, the sum, the budget, the comparison with APIs, and what it all rests on."""
    costs = plan.cost
    if not costs.pools:
        return tag("p", "This stack has no GPU pool.")
    caption = f"In {costs.currency.value}, at the most nodes; a month has {HOURS} hours."
    shown: list[Content] = [table("Cost", caption, POOLS, _rows(plan))]
    if costs.apis:
        caption = "From this many tokens on a model's share of its pool costs less than the API."
        shown.append(table("Against an API", caption, APIS, (_api(one) for one in costs.apis)))
    notes = [*cost_notes(costs), *api_notes(costs)]
    return together([*shown, tag("ul", *(tag("li", note) for note in notes), class_="quiet")])


def _rows(plan: Plan) -> Iterator[tuple[Content, ...]]:
    cost = plan.cost
    for pool in cost.pools:
        yield from _pool(pool)
    if len(cost.unresolved) < len(cost.pools):
        name = "pools with a price" if cost.unresolved else "all pools"
        yield name, "", "", "", f"{cost.hour:,.2f}", f"{month(cost.hour):,.2f}"
    if cost.ceiling is not None:
        yield "budget", "", "", "", "", f"{cost.ceiling:,.2f}"


def _pool(pool: PoolCost) -> Iterator[tuple[Content, ...]]:
    if pool.node_hour is None:
        yield pool.pool, "", pool.bought, str(pool.maximum), UNRESOLVED, UNRESOLVED
        return
    hour: Content = f"{pool.hour:,.2f}"
    if pool.minimum < pool.maximum:
        hour = together([hour, second(f"{pool.hour_at_minimum:,.2f} at {pool.minimum}")])
    yield pool.pool, "", pool.bought, str(pool.maximum), hour, f"{month(pool.hour):,.2f}"
    for user, amount in (*((one.model, one.hour) for one in pool.models), ("idle", pool.idle)):
        yield pool.pool, user, "", "", f"{amount:,.2f}", f"{month(amount):,.2f}"


def _api(one: ApiCost) -> tuple[Content, ...]:
    mix = f"{one.input}/{one.output}"
    return one.model, one.provider, mix, f"{one.tokens / 1_000_000:,.0f}", use(one)
