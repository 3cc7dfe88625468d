"""Models of the catalogue, one model, and where it fits, as tables that are readable without colour."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from corral.catalogue.models import Model
from corral.catalogue.quantities import gib
from corral.stacks.planning.results.cost import month
from corral.stacks.planning.results.fit import FitPlan, GpuFit, SpecPlan

COLUMNS = ("GPU", "device", "used/of", "longest", "seqs", "hour", "month", "rented as")
RIGHT = frozenset({"weights", "context", "used/of", "longest", "seqs", "hour", "month"})
"""Columns of numbers."""
UNCHECKED = "?"
"""What marks a model whose figures come from a survey."""


def render_models(entries: Mapping[str, Model], console: Console) -> None:
    """Print the models `entries`, one line each."""
    table = _table("model", "task", "dtype", "weights", "context", "licence", "gated")
    for key, entry in entries.items():
        table.add_row(
            f"{key}{'' if entry.source.checked else f' {UNCHECKED}'}",
            entry.task.value,
            entry.dtype.value,
            gib(entry.weights),
            str(entry.context),
            entry.license,
            "yes" if entry.gated else "no",
        )
    console.print(table)
    if any(not entry.source.checked for entry in entries.values()):
        console.print(Text(f"{UNCHECKED} read in a survey, not in the model's own files"))


def render_fit(plan: FitPlan, console: Console) -> None:
    """Print what is known of a model, and every device that one replica fits on."""
    _spec(plan.spec, console)
    sequences = f"one sequence of {plan.context} tokens, {plan.max_num_seqs} at most at the same time"
    console.print()
    console.print(Text(f"One replica, {sequences}: {gib(plan.least_memory)} of one device", style="bold"))
    if plan.fits:
        currency = plan.currency.value
        table = _table(*COLUMNS)
        for one in plan.fits:
            table.add_row(*_row(one))
        console.print(table)
        seqs = f"seqs: at {plan.context}; {currency} of one replica"
        console.print(Text(f"used/of: GiB of each device; longest: tokens; {seqs}"))
    if plan.too_small:
        console.print(Text(f"fits on none, not even 8 of them: {', '.join(plan.too_small)}"))
    for line in notes(plan):
        console.print(Text(line))


def notes(plan: FitPlan) -> Sequence[str]:
    """Lines below the table: GPUs for sizing alone, missing prices, and where the others were read."""
    lines: list[str] = []
    unserved = dict.fromkeys(one.gpu for one in plan.fits if not one.served)
    if unserved:
        lines.append(f"sized and priced alone, no stack may have them: {', '.join(unserved)}")
    if any(one.price is None for one in plan.fits):
        how = "in a stack, price-per-hour or owned states one"
        lines.append(f"without a price: no instance of the catalogue has it; {how}")
    sources = dict.fromkeys(one.price.basis for one in plan.fits if one.price)
    lines += [f"price: {source}" for source in sources]
    if sources:
        lines.append(f"exchange rate: {plan.exchange_basis}")
    return [*lines, *plan.notes]


def _spec(spec: SpecPlan, console: Console) -> None:
    console.print(Text(spec.model, style="bold"))
    gated = ", gated: its publisher asks for consent before a download" if spec.gated else ""
    files = f", {spec.files_gib} GiB of weight files" if spec.files_gib else ""
    repository = f"{spec.hub}@" if spec.hub else ""
    survey = "" if spec.checked else " (a survey, not the model's own files)"
    for name, text in (
        (
            "weights",
            f"{gib(spec.weights)} as {spec.dtype.value}, {spec.layers} layers, {spec.attention}",
        ),
        ("context", f"{spec.longest_context} tokens at most"),
        ("serves", f"{spec.task.value}, by {spec.engine.value}"),
        ("licence", f"{spec.license}{gated}"),
        ("source", f"{spec.origin}{survey}"),
        ("revision", f"{repository}{spec.revision or 'unresolved'}{files}"),
    ):
        console.print(Text(f"  {name}: {text}"))


def _row(one: GpuFit) -> tuple[str, ...]:
    price = one.price
    return (
        one.gpu if one.served else f"{one.gpu} *",
        one.device,
        f"{gib(one.memory.used).removesuffix(' GiB')}/{gib(one.memory.usable).removesuffix(' GiB')}",
        str(one.largest_context),
        str(one.full_sequences or "-"),
        f"{price.hour:.2f}" if price else "-",
        f"{month(price.hour):.0f}" if price else "-",
        f"{price.instance} {price.region}" if price else "-",
    )


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    for column in columns:
        justify = "right" if column in RIGHT else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column != "rented as")
    return table
