"""The top of the page: which environment, how much of what, and what of it is simulated."""

from collections import Counter
from collections.abc import Iterator

from corral.catalogue.vocabulary import AddonState, Weights
from corral.controls.register import CONTROLS
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Content, Html, prose, tag, together
from corral.stacks.reports.html.sovereignty import digests, stopping
from corral.stacks.reports.html.tables import count, facts, second, size
from corral.stacks.reports.html.tally import of_plan
from corral.stacks.reports.scope import cluster_lines, place_of, system_node_lines


def head(plan: Plan) -> Html:
    """Stack, profile, region, cluster, and the numbers that matter."""
    return together(
        [
            tag("h1", plan.stack, " ", tag("span", "plan", class_="quiet")),
            facts(_where(plan), "where"),
            facts(_counts(plan), "counts"),
        ]
    )


def _where(plan: Plan) -> Iterator[tuple[str, Content]]:
    cluster = plan.cluster
    named = (("plane", cluster.plane), ("context", cluster.context))
    more = "".join(f", {word} {name}" for word, name in named if name)
    yield "profile", plan.profile.value
    yield "region", place_of(plan)
    yield "cluster", f"{cluster.kind.value}{more}"
    if nodes := "; ".join((*cluster_lines(cluster), *system_node_lines(plan))):
        yield "nodes", nodes
    yield "images from", plan.supply.registry or "their own registries"


def _counts(plan: Plan) -> Iterator[tuple[str, Content]]:
    gpus = [gpu for pool in plan.pools for gpu in pool.gpus]
    devices = [one for gpu in gpus for one in gpu.slices]
    used = sum(1 for gpu in gpus if any(one.model for one in gpu.slices))
    taken = sum(1 for one in devices if one.model)
    tally = of_plan(plan)
    simulated = sum(1 for one in plan.models if one.weights is Weights.SIMULATED)
    states = Counter(addon.state for addon in plan.addons)
    nodes = sum(len(pool.nodes) for pool in plan.pools)
    yield "GPUs", _number(f"{used} of {len(gpus)}", f"used, on {count(nodes, 'node')}")
    yield "GPU memory", _number(f"{size(tally.used)} of {size(tally.total)}", "GiB planned")
    yield "devices", _number(f"{taken} of {len(devices)}", "have a model")
    yield "models", _number(str(len(plan.models)), _of_models(plan, simulated))
    yield (
        "addons",
        _number(
            str(len(plan.addons)),
            ", ".join(f"{states[one]} {one.value}" for one in AddonState if states[one]),
        ),
    )
    yield (
        "controls",
        _number(str(len(CONTROLS)), f"{stopping(plan)} stop, {len(CONTROLS) - stopping(plan)} report"),
    )
    yield "digests", _number(digests(plan.digests).removesuffix(" resolved"), "resolved")


def _of_models(plan: Plan, simulated: int) -> str:
    prefill = [one.prefill.replicas for one in plan.models if one.prefill is not None]
    replicas = count(sum(one.replicas_max for one in plan.models) + sum(prefill), "replica")
    return f"{replicas}, {simulated} simulated" if simulated else replicas


def _number(number: str, what: str) -> Html:
    return together([tag("b", number), second(what)])


def simulation(plan: Plan) -> Html:
    """What of this plan is no real thing."""
    simulated = list(_simulated(plan))
    if not simulated:
        return tag("p", "Nothing: neither nodes and GPUs, nor the weights of a model.")
    return tag("ul", *(tag("li", one) for one in simulated), class_="plain")


def _simulated(plan: Plan) -> Iterator[Content]:
    if plan.cluster.capabilities.simulated:
        yield "Nodes and GPUs: the embedded plane simulates all that are drawn here."
        yield prose(
            "Pods whose image has no program there, and charts that have a stand-in: `corral status` names "
            "each once the plane runs."
        )
    names = [one.name for one in plan.models if one.weights is Weights.SIMULATED]
    if names:
        yield f"Weights of {', '.join(names)}: planned and shown, without import or process."
