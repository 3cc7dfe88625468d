"""GPU pools: every GPU drawn as its devices, as wide as their memory."""

from collections.abc import Iterable, Iterator, Mapping, Set

from corral.catalogue.quantities import GIB
from corral.catalogue.vocabulary import Weights
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import GpuPlan, NodePlan, PoolPlan, SlicePlan, in_words
from corral.stacks.reports.html.html import Content, Html, tag, together
from corral.stacks.reports.html.tables import count, mark, share, size
from corral.stacks.reports.html.tally import Tally, of_gpu, of_pool
from corral.stacks.reports.terminal.dynamic_mig import needs, on_demand, promise
from corral.stacks.reports.terminal.plan import cut

STARRED = "taken simulated"
LEGEND = (
    ("taken", "used by a model"),
    (STARRED, "* used by a model whose weights are simulated"),
    ("spare", "left over beside a model: no other gets it"),
    ("free", "free device"),
    ("stranded", "in no slice"),
)
STEPS = (1, 2, 5, 10, 20, 50, 100)
"""Distances of the scale's marks, in GiB."""


def pools(plan: Plan) -> Html:
    """Every pool with its nodes, GPUs and devices."""
    if not plan.pools:
        return tag("p", "This stack has no GPU pool.")
    simulated = frozenset(one.name for one in plan.models if one.weights is Weights.SIMULATED)
    embedded = plan.cluster.capabilities.simulated
    legend = [(kind, words) for kind, words in LEGEND if simulated or kind != STARRED]
    return together(
        [_legend(legend), *(_pool(place, pool, simulated, embedded) for place, pool in enumerate(plan.pools))]
    )


def anchors(plan: Plan) -> Mapping[tuple[str, int], str]:
    """The id of each GPU's drawing, by node and index."""
    return {
        (gpu.node, gpu.index): f"gpu-{place}-{number}"
        for place, pool in enumerate(plan.pools)
        for number, gpu in enumerate(pool.gpus)
    }


def _legend(kinds: Iterable[tuple[str, str]]) -> Html:
    entries = (
        tag("li", tag("span", class_=f"swatch {kind}", aria_hidden="true"), " ", words)
        for kind, words in kinds
    )
    return tag("ul", *entries, class_="legend", role="list", aria_label="Legend")


def _pool(place: int, pool: PoolPlan, simulated: Set[str], embedded: bool) -> Html:
    title = f"pool-{place}"
    heading: list[Content] = [pool.name, " ", tag("span", f"{pool.gpu}, {cut(pool)}", class_="quiet")]
    badges = [" ", mark("simulated GPUs")] if embedded else []
    nodes = (_node(place, pool, node, simulated) for node in pool.nodes)
    return tag(
        "figure",
        tag("figcaption", tag("h3", *heading, *badges, id=title), tag("p", _sentence(pool))),
        *nodes,
        _scale(pool),
        class_=f"pool {pool.sharing.value}",
        aria_labelledby=title,
    )


def _sentence(pool: PoolPlan) -> str:
    """What a pool has and how much of it is used."""
    if on_demand(pool):
        return (
            ". ".join((count(len(pool.nodes), "node"), needs(pool), *promise(pool), memory(of_pool(pool))))
            + "."
        )
    used = sum(1 for gpu in pool.gpus if any(one.model for one in gpu.slices))
    bound = f", at least {pool.lower_bound} needed" if pool.lower_bound else ""
    where = count(len(pool.nodes), "node")
    if not pool.existing:
        where = f"{pool.minimum} to {pool.maximum} nodes made on demand, all of them drawn"
    why = "".join(
        f" Repacked for {one.model}: saves 1 GPU, moves {', '.join(one.moved)}." for one in pool.repacked
    )
    return f"{where}. {used} of {count(len(pool.gpus), 'GPU')} used{bound}. {memory(of_pool(pool))}.{why}"


def memory(tally: Tally) -> str:
    """Where the memory goes, in one line; what is nothing is not named."""
    parts = (
        (tally.spare, "left over beside models"),
        (tally.free, "free"),
        (tally.stranded, "in no slice"),
    )
    rest = "".join(f", {size(amount)} {words}" for amount, words in parts if amount)
    return f"{size(tally.used)} of {size(tally.total)} GiB planned{rest}"


def _node(place: int, pool: PoolPlan, node: NodePlan, simulated: Set[str]) -> Html:
    layout = [" ", tag("span", f"layout {node.mig_config}", class_="quiet")] if node.mig_config else []
    drawn = (
        _gpu(f"gpu-{place}-{number}", pool, gpu, simulated)
        for number, gpu in enumerate(pool.gpus)
        if gpu.node == node.name
    )
    gpus = tag("ul", *drawn, class_="gpus", role="list", aria_label=f"GPUs of node {node.name}")
    return tag("div", tag("h4", node.name, *layout), gpus, class_="node")


def _gpu(anchor: str, pool: PoolPlan, gpu: GpuPlan, simulated: Set[str]) -> Html:
    tally = of_gpu(pool, gpu)
    name = tag(
        "p",
        *([tag("span", "for example ", class_="quiet")] if on_demand(pool) and tally.used else []),
        tag("b", f"GPU {gpu.index}"),
        " ",
        tag("span", f"{size(tally.used)} of {size(tally.total)} GiB", class_="quiet"),
        class_="gpu-name",
    )
    drawn = [_slice(pool, one, tally.total, one.model in simulated) for one in gpu.slices]
    if tally.stranded:
        drawn.append(_stranded(tally))
    label = f"Devices of GPU {gpu.index} on {gpu.node}"
    return tag(
        "li", name, tag("ul", *drawn, class_="slices", role="list", aria_label=label), id=anchor, class_="gpu"
    )


def _slice(pool: PoolPlan, one: SlicePlan, total: int, simulated: bool) -> Html:
    device = "uncut" if on_demand(pool) and one.profile is None else in_words(one.profile, pool.shares)
    if one.model is None:
        text = f"{size(one.usable)} GiB free"
        return _drawn("free", "free", device, text, one.usable, total)
    star = [tag("span", "*", aria_hidden="true"), tag("span", " (simulated)", class_="unseen")]
    label = together([one.model, *(star if simulated else [])])
    text = f"{size(one.used)} used, {size(one.usable - one.used)} free"
    kind = STARRED if simulated else "taken"
    hint = f"{one.model}{' (simulated)' if simulated else ''} on {device}: {text} of {size(one.usable)} GiB"
    return _drawn(kind, label, device, text, one.usable, total, share(one.used, one.usable), hint)


def _stranded(tally: Tally) -> Html:
    narrow = tally.stranded * 16 < tally.total
    label = f"{size(tally.stranded)} GiB in no slice"
    return tag(
        "li",
        tag("span", tag("span", label, class_="unseen") if narrow else label),
        class_="slice stranded sliver" if narrow else "slice stranded",
        style=f"--part:{share(tally.stranded, tally.total)}",
        title=label,
    )


def _drawn(
    kind: str,
    label: Content,
    device: str,
    text: str,
    amount: int,
    total: int,
    fill: str = "0%",
    hint: str = "",
) -> Html:
    """One device; its area is its memory, and the filled part of it what is used."""
    name = tag("span", tag("b", label), *([" ", device] if device else []), class_="who")
    return tag(
        "li",
        name,
        " ",
        tag("span", text, class_="numbers"),
        class_=f"slice {kind}",
        style=f"--part:{share(amount, total)};--fill:{fill}",
        title=hint or f"{device or 'in no slice'}: {text}",
    )


def _scale(pool: PoolPlan) -> Html:
    """Marks in GiB under GPUs that lie; whoever hears the page has the numbers already."""
    total = max((of_gpu(pool, gpu).total for gpu in pool.gpus), default=0)
    ticks = (tag("span", str(mark), style=f"--at:{share(mark * GIB, total)}") for mark in _ticks(total))
    return tag(
        "div", tag("span", "GiB", class_="unit"), tag("div", *ticks), class_="scale", aria_hidden="true"
    )


def _ticks(total: int) -> Iterator[int]:
    step = next((one for one in STEPS if total <= 8 * one * GIB), STEPS[-1])
    yield from range(0, total // GIB + 1, step)
