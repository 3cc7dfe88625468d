"""What a stack costs: prices of nodes, each model's share of them, and the comparison with an API."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from fractions import Fraction
from functools import cache

from corral.catalogue.gpus import geometry, shape
from corral.catalogue.models import models
from corral.catalogue.prices import Api, apis, converted, currency, exchange, offers, regions
from corral.catalogue.throughput import Throughput, source, throughput
from corral.catalogue.vocabulary import Currency, Purchase
from corral.stacks.config.stack_config import Budget, GpuPool
from corral.stacks.planning.mig.layouts import maximal_layouts
from corral.stacks.planning.results.cost import HOURS, ApiCost, CostPlan, ModelCost, PoolCost, month
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.pools import GpuPlan, PoolPlan

QUANTUM = Decimal("0.000001")
"""The smallest part of an amount for an hour."""
INTERACTIVE = (1024, 256)
"""Prompt and answer of the mix that is compared where no throughput gives one: four tokens in for one out."""


@dataclass(frozen=True)
class Money:
    """The currency of a plan, and what others are worth in it."""

    currency: Currency
    rate: Decimal
    """EUR for one USD."""
    basis: str

    def of(self, amount: Decimal) -> Decimal:
        """`amount` of the catalogue's currency in this one."""
        return converted(amount, currency(), self.currency, self.rate)


def money(budget: Budget | None) -> Money:
    """The currency of `budget`, EUR without one, at its exchange rate or the catalogue's."""
    known, read = exchange()
    chosen = budget.currency if budget else Currency.EUR
    if budget and budget.exchange_rate is not None:
        return Money(chosen, budget.exchange_rate, "given")
    return Money(chosen, known.per_unit, f"{read.name}, {read.date}")


def cost(
    sections: Sequence[GpuPool],
    pools: Sequence[PoolPlan],
    served: Sequence[ModelPlan],
    *,
    region: str,
    budget: Budget | None,
) -> CostPlan:
    """What `pools`, bought as their `sections` have it, cost with the models `served` on them."""
    counted = money(budget)
    priced = tuple(
        _pool(section, plan, region, counted) for section, plan in zip(sections, pools, strict=True)
    )
    shares = {one.model: one.hour for pool in priced for one in pool.models}
    gpus = {pool.name: pool.gpu for pool in pools}
    return CostPlan(
        currency=counted.currency,
        exchange=counted.rate,
        exchange_basis=counted.basis,
        ceiling=budget.monthly if budget else None,
        pools=priced,
        apis=tuple(
            _against(
                model,
                api,
                gpus[model.pool],
                sum((shares[one.name] for one in model.workloads), Decimal()),
                counted,
            )
            for model in served
            if all(one.name in shares for one in model.workloads)
            for api in apis(model.model)
        ),
    )


def node_prices(pool: GpuPool, region: str, counted: Money) -> dict[Purchase, tuple[Decimal, str]]:
    """Price of one node for an hour and its basis, by purchase option; empty: unresolved.

    Of one's own and given prices stand alone: what else they could be is not known.
    """
    if pool.owned is not None:
        own = pool.owned
        hardware = own.price / (own.years * 12 * HOURS)
        hour = quantum(hardware + own.watts / 1000 * own.per_kwh)
        return {Purchase.OWNED: (hour, "hardware and power as given")}
    if pool.price_per_hour is not None:
        return {pool.purchase: (pool.price_per_hour, "price-per-hour as given")}
    if pool.instance is None:
        return {}
    prices = offers(pool.instance, region)
    return {
        option: (quantum(counted.of(price.per_hour)), f"{price.source.name}, {price.source.date}")
        for option, price in prices.items()
    }


def unresolved(pool: GpuPool, region: str) -> str:
    """Why `pool` has no price, and where one could come from."""
    if pool.instance is None:
        return "neither instance nor price-per-hour nor owned is given"
    other = [option.value for option in offers(pool.instance, region)]
    if other:
        return f"{pool.instance} has no {pool.purchase.value} price in {region}, but {', '.join(other)}"
    elsewhere = ", ".join(regions(pool.instance)) or "no region"
    return f"{pool.instance} has no price in {region}; prices are known in {elsewhere}"


def _pool(section: GpuPool, plan: PoolPlan, region: str, counted: Money) -> PoolCost:
    price = node_prices(section, region, counted).get(section.purchase)
    bought = f"{section.instance} {section.purchase.value}" if section.instance else section.purchase.value
    return PoolCost(
        pool=plan.name,
        bought=bought,
        purchase=section.purchase,
        basis=price[1] if price else unresolved(section, region),
        node_hour=price[0] if price else None,
        minimum=plan.minimum,
        maximum=plan.maximum,
        used=_nodes(plan),
        models=_shares(plan, price[0]) if price else (),
    )


def _nodes(plan: PoolPlan) -> int:
    """Nodes that the models of a pool need: those they are planned on, or enough for every order."""
    if plan.guarantee is not None:
        return -(-plan.guarantee.needed // plan.gpus_per_node)
    return len({gpu.node for gpu in plan.gpus if any(one.model for one in gpu.slices)})


def _shares(plan: PoolPlan, node_hour: Decimal) -> tuple[ModelCost, ...]:
    """Each model's part of the pool's price, rounded down so that what is left is never below 0."""
    used: dict[str, Fraction] = {}
    for gpu in plan.gpus:
        for model, share in gpu_shares(plan.gpu, gpu) if plan.guarantee is None else _anywhere(plan.gpu, gpu):
            used[model] = used.get(model, Fraction()) + share
    per_gpu = Fraction(node_hour) / plan.gpus_per_node
    return tuple(ModelCost(model, _down(per_gpu * share)) for model, share in used.items())


def gpu_shares(gpu: str, plan: GpuPlan) -> Iterator[tuple[str, Fraction]]:
    """(model, its part of one GPU) for every occupied device of a GPU of kind `gpu`.

    A slice counts by its compute or its memory slices, whichever is more of the GPU. Where the slices of one
    GPU would come to more than all of it, as 4g and 3g do, each is cut by the same factor.
    """
    parts = [(one.model, _part(gpu, one.profile)) for one in plan.slices]
    total = max(Fraction(1), sum((part for _model, part in parts), Fraction()))
    for model, part in parts:
        if model is not None:
            yield model, part / total


def _anywhere(gpu: str, plan: GpuPlan) -> Iterator[tuple[str, Fraction]]:
    """The same of slices that are cut on demand, one factor for all, whatever they will lie beside."""
    for one in plan.slices:
        if one.model is not None:
            yield one.model, _part(gpu, one.profile) / _most(gpu)


@cache
def _most(gpu: str) -> Fraction:
    """What the slices of one GPU come to at most, cut in any way: 1 or more."""
    parts = ((_part(gpu, key) * count for key, count in one) for one in maximal_layouts(gpu))
    return max(sum(one, Fraction()) for one in parts)


def _part(gpu: str, profile: str | None) -> Fraction:
    if profile is None:
        return Fraction(1)
    grid, size = geometry(gpu), shape(gpu, profile)
    return max(Fraction(size.compute, grid.compute), Fraction(size.memory, grid.memory))


def _against(model: ModelPlan, api: Api, gpu: str, hour: Decimal, counted: Money) -> ApiCost:
    known = models().get(model.model)
    # Of replicas that do both: no figure says what those that do one are worth.
    both = model.whole and model.prefill is None
    figure = throughput(model.model, known.dtype, gpu) if known and both else None
    prompt, answer = (figure.input, figure.output) if figure else INTERACTIVE
    per_token = counted.of(api.output + api.input * prompt / answer) / 1_000_000
    tokens = int((month(hour) / per_token).to_integral_value(ROUND_UP))
    return ApiCost(
        model=model.name,
        provider=api.provider,
        input=prompt,
        output=answer,
        tokens=tokens,
        utilisation=Decimal(tokens) / _capacity(figure, model) if figure else None,
        basis=source(figure).name if figure else "",
    )


def _capacity(figure: Throughput, model: ModelPlan) -> int:
    """Output tokens a month of all replicas, fully used."""
    return figure.tokens * model.claim.count * model.nodes * model.replicas_max * 3600 * HOURS


def quantum(amount: Decimal) -> Decimal:
    """`amount` rounded up to `QUANTUM`."""
    return amount.quantize(QUANTUM, ROUND_UP)


def _down(amount: Fraction) -> Decimal:
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(QUANTUM, ROUND_DOWN)
