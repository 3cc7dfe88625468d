"""Models: what each needs on one device, and where it is planned."""

from collections import Counter
from collections.abc import Iterator, Mapping

from corral.catalogue.vocabulary import Weights
from corral.stacks.planning.results.models import MemoryPlan, ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Content, Html, tag, together
from corral.stacks.reports.html.pools import anchors
from corral.stacks.reports.html.tables import Column, count, mark, numbers, second, share, size, table
from corral.stacks.reports.terminal.cold_start import HEADINGS, start_notes, start_rows
from corral.stacks.reports.terminal.plan import memory_notes

COLUMNS = (
    Column("model"),
    Column("for"),
    Column("engine"),
    Column("replicas"),
    *numbers("context"),
    Column("memory", "bar"),
    *numbers("weights", "cache", "activation", "overhead", "free"),
    Column("planned on"),
)
PARTS = ("weights", "cache", "activation", "overhead", "free")


def models(plan: Plan) -> Html:
    """A row per model."""
    if not plan.models:
        return tag("p", "This stack serves no model.")
    where = anchors(plan)
    caption = (
        "Memory in GiB per device. Context: tokens of one sequence, and how many sequences the engine "
        "takes at one time. Room is planned for the most replicas."
    )
    shown = table("Models", caption, COLUMNS, (_row(model, where) for model in plan.models))
    notes = [tag("li", note) for note in memory_notes(plan.models)]
    return together(
        [_legend(), shown, *([tag("ul", *notes, class_="quiet")] if notes else []), _starts(plan)]
    )


def _starts(plan: Plan) -> Html:
    caption = "Cold start: what a new replica takes to its first answer, in seconds at each hop."
    columns = (Column(HEADINGS[0]), *numbers(*HEADINGS[1:]))
    notes = tag("ul", *(tag("li", note) for note in start_notes(plan)), class_="quiet")
    return together([table("Cold start", caption, columns, start_rows(plan.models)), notes])


def _row(model: ModelPlan, where: Mapping[tuple[str, int], str]) -> tuple[Content, ...]:
    simulated = [" ", mark("simulated")] if model.weights is Weights.SIMULATED else []
    loose = [" ", mark("unlocked")] if model.unlocked else []
    return (
        together([model.name, *simulated, *loose, second(_is(model))]),
        together([model.task.value, second(_tenant(model))]),
        model.engine.value,
        together([f"{_range(model)} on {model.device}", second(f"pool {model.pool}")]),
        together([model.context, second(count(model.max_num_seqs, "sequence"))]),
        _bar(model.name, model.memory),
        *(size(amount) for _, amount in _amounts(model.memory)),
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


def _amounts(memory: MemoryPlan) -> Iterator[tuple[str, int]]:
    amounts = (memory.weights, memory.kv_cache, memory.activation, memory.overhead, memory.free)
    yield from zip(PARTS, amounts, strict=True)


def _bar(name: str, memory: MemoryPlan) -> Html:
    amounts = list(_amounts(memory))
    text = ", ".join(f"{part} {size(amount)}" for part, amount in amounts)
    drawn = (
        tag("span", class_=f"part {part}", style=f"--part:{share(amount, memory.usable)}")
        for part, amount in amounts
    )
    label = f"{name}, of {size(memory.usable)} GiB: {text}"
    return tag("span", *drawn, class_="bar", role="img", aria_label=label, title=label)


def _places(model: ModelPlan, where: Mapping[tuple[str, int], str]) -> Iterator[Html]:
    """A line per GPU, such as `slices-0/1`, as the terminal names it; with its replicas if several: `x2`."""
    if not model.placements:
        yield tag("span", "any GPU of it", class_="line")
    for (node, gpu), replicas in Counter((one.node, one.gpu) for one in model.placements).items():
        last = gpu + model.claim.count - 1
        text = f"{node}/{gpu}" if last == gpu else f"{node}/{gpu} to {last}"
        more = [f" x{replicas}"] if replicas > 1 else []
        yield together([" ", tag("span", tag("a", text, href=f"#{where[node, gpu]}"), *more, class_="line")])


def _legend() -> Html:
    entries = (
        tag("li", tag("span", class_=f"swatch part {part}", aria_hidden="true"), " ", part) for part in PARTS
    )
    return tag("ul", *entries, class_="legend", role="list", aria_label="Legend")
