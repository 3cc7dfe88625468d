"""Models: what each needs on one device, and where it is planned."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from corral.catalogue.vocabulary import Weights
from corral.stacks.planning.results.models import MemoryPlan, ModelPlan, PrefillPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Content, Html, tag, together
from corral.stacks.reports.html.pools import anchors
from corral.stacks.reports.html.tables import Column, count, mark, numbers, second, share, size, table
from corral.stacks.reports.terminal.adapters import HEADINGS as ADAPTER_HEADINGS
from corral.stacks.reports.terminal.adapters import adapter_notes, adapter_rows
from corral.stacks.reports.terminal.cold_start import HEADINGS, start_notes, start_rows
from corral.stacks.reports.terminal.plan import memory_notes

PARTS = ("weights", "adapters", "cache", "activation", "overhead", "free")


def models(plan: Plan) -> Html:
    """A row per model."""
    if not plan.models:
        return tag("p", "This stack serves no model.")
    where = anchors(plan)
    caption = (
        "Memory in GiB per device. Context: tokens of one sequence, and how many sequences the engine "
        "takes at one time. Room is planned for the most replicas."
    )
    parts = _parts(plan.models)
    columns = (
        Column("model"),
        Column("for"),
        Column("engine"),
        Column("replicas"),
        *numbers("context"),
        Column("memory", "bar"),
        *numbers(*parts),
        Column("planned on"),
    )
    shown = table("Models", caption, columns, _rows(plan.models, where, parts))
    notes = [tag("li", note) for note in memory_notes(plan.models)]
    listed = tag("ul", *notes, class_="quiet")
    return together(
        [_legend(parts), shown, *([listed] if notes else []), *_adapters(plan.models), _starts(plan)]
    )


def _parts(models: Sequence[ModelPlan]) -> Sequence[str]:
    """What memory is divided into: adapters alone where there are some."""
    return [one for one in PARTS if one != "adapters" or any(model.adapters for model in models)]


def _adapters(models: Sequence[ModelPlan]) -> Iterator[Html]:
    """A row per adapter; nothing where there is none."""
    rows = list(adapter_rows(models))
    if rows:
        columns = [
            Column(one, "number" if one == "rank" else "wrap" if one == "source" else "text")
            for one in ADAPTER_HEADINGS
        ]
        yield table("Adapters", "; ".join(adapter_notes(models)), columns, rows)


def _starts(plan: Plan) -> Html:
    caption = "Cold start: what a new replica takes to its first answer, in seconds at each hop."
    columns = (Column(HEADINGS[0]), *numbers(*HEADINGS[1:]))
    notes = tag("ul", *(tag("li", note) for note in start_notes(plan)), class_="quiet")
    return together([table("Cold start", caption, columns, start_rows(plan.models)), notes])


def _rows(
    models: Sequence[ModelPlan], where: Mapping[tuple[str, int], str], parts: Sequence[str]
) -> Iterator[tuple[Content, ...]]:
    for model in models:
        yield _row(model, where, parts)
        if model.prefill is not None:
            yield _prefill_row(model, model.prefill, where, parts)


def _prefill_row(
    model: ModelPlan, prefill: PrefillPlan, where: Mapping[tuple[str, int], str], parts: Sequence[str]
) -> tuple[Content, ...]:
    return (
        together([prefill.name, second(f"prefill of {model.name}")]),
        together([model.task.value, second(_tenant(model))]),
        model.engine.value,
        together([f"{prefill.replicas} on {prefill.device}", second(f"pool {prefill.pool}")]),
        together([model.context, second(count(model.max_num_seqs, "sequence"))]),
        _bar(prefill.name, prefill.memory, parts),
        *(size(amount) for _, amount in _amounts(prefill.memory, parts)),
        together(_places(prefill, where)),
    )


def _row(model: ModelPlan, where: Mapping[tuple[str, int], str], parts: Sequence[str]) -> tuple[Content, ...]:
    simulated = [" ", mark("simulated")] if model.weights is Weights.SIMULATED else []
    loose = [" ", mark("unlocked")] if model.unlocked else []
    return (
        together([model.name, *simulated, *loose, second(_is(model))]),
        together([model.task.value, second(_tenant(model))]),
        model.engine.value,
        together([f"{_range(model)} on {model.device}", second(f"pool {model.pool}")]),
        together([model.context, second(count(model.max_num_seqs, "sequence"))]),
        _bar(model.name, model.memory, parts),
        *(size(amount) for _, amount in _amounts(model.memory, parts)),
        together(_places(model, where)),
    )


def _is(model: ModelPlan) -> str:
    canary = "" if model.canary_of is None else f", {model.weight} % of the calls of {model.canary_of}"
    return f"{model.model}, {model.license}{canary}"


def _tenant(model: ModelPlan) -> str:
    same = model.tenant == model.namespace
    return model.tenant if same else f"{model.tenant}, namespace {model.namespace}"


def _range(model: ModelPlan) -> str:
    least, most = model.replicas_min, model.replicas_max
    return str(most) if least == most else f"{least} to {most}, by a scaler outside,"


def _amounts(memory: MemoryPlan, parts: Sequence[str]) -> Iterator[tuple[str, int]]:
    amounts = {
        "weights": memory.weights,
        "adapters": memory.adapters,
        "cache": memory.kv_cache,
        "activation": memory.activation,
        "overhead": memory.overhead,
        "free": memory.free,
    }
    yield from ((part, amounts[part]) for part in parts)


def _bar(name: str, memory: MemoryPlan, parts: Sequence[str]) -> Html:
    amounts = list(_amounts(memory, parts))
    text = ", ".join(f"{part} {size(amount)}" for part, amount in amounts)
    drawn = (
        tag("span", class_=f"part {part}", style=f"--part:{share(amount, memory.usable)}")
        for part, amount in amounts
    )
    label = f"{name}, of {size(memory.usable)} GiB: {text}"
    return tag("span", *drawn, class_="bar", role="img", aria_label=label, title=label)


def _places(model: ModelPlan | PrefillPlan, where: Mapping[tuple[str, int], str]) -> Iterator[Html]:
    """A line per GPU, such as `slices-0/1`, as the terminal names it; with its replicas if several: `x2`."""
    if not model.placements:
        yield tag("span", "any GPU of it", class_="line")
    for (node, gpu), replicas in Counter((one.node, one.gpu) for one in model.placements).items():
        last = gpu + model.claim.count - 1
        text = f"{node}/{gpu}" if last == gpu else f"{node}/{gpu} to {last}"
        more = [f" x{replicas}"] if replicas > 1 else []
        yield together([" ", tag("span", tag("a", text, href=f"#{where[node, gpu]}"), *more, class_="line")])


def _legend(parts: Sequence[str]) -> Html:
    entries = (
        tag("li", tag("span", class_=f"swatch part {part}", aria_hidden="true"), " ", part) for part in parts
    )
    return tag("ul", *entries, class_="legend", role="list", aria_label="Legend")
