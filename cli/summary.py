"""The end of `corral up`, and `corral status`: what runs where, as what, and what is not as it should be."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from corral.catalogue.quantities import gib, mib
from corral.catalogue.vocabulary import AddonState, Scaler
from corral.cli import pods
from corral.cli.pods import heading, note
from corral.embedded.engine.drift import Difference
from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane.overview import Overview, PodView, read
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState, ProgramState
from corral.stacks.planning.results.addons import AddonPlan
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan

KINDS: Mapping[str, tuple[str, str]] = {
    "real": ("upstream's chart", "green"),
    "stand-in": ("stand-in chart", "magenta"),
    "registry": ("upstream's chart", "green"),
}


def show_plane(console: Console, home: Home, record: PlaneRecord, state: PlaneState) -> None:
    """The programs of the plane itself."""
    heading(console, f"Plane {record.name}")
    table = _table("program", "state", "pid", "memory", "restarts")
    for name, entry in state.programs.items():
        process = entry.process if entry.process and entry.process.alive else None
        pid, memory = (str(process.pid), mib(process.memory)) if process else ("", "")
        now = phase(entry, state.supervised)
        style = "green" if now == "running" else "red"
        table.add_row(name, Text(now, style=style), pid, memory, str(entry.restarts))
    console.print(table)
    for name, entry in state.programs.items():
        if entry.note:
            note(console, f"{name}: {entry.note}")
    condition = f"{state.problem}: `corral up -s {record.name}`" if state.problem else "supervised"
    console.print(Text(f"{record.server}, {condition}"))
    console.print(Text(str(home.plane(record.name).root)), soft_wrap=True)


def show(
    console: Console,
    plane: PlaneHome,
    plan: Plan | None,
    outputs: Mapping[str, Any],
    changed: Sequence[Difference] = (),
) -> bool:
    """Addons, pods, models, what else there is, what to do next; whether all is as it should be.

    `plan` is None where the stack file is not at hand; then there are only pods. `changed`: by hand.
    """
    charts = cast(Mapping[str, Any], json.loads((plane.root / "charts" / "charts.json").read_text()))
    return render(console, asyncio.run(read(plane)), plan, charts, outputs, changed)


def render(
    console: Console,
    overview: Overview,
    plan: Plan | None,
    charts: Mapping[str, Any],
    outputs: Mapping[str, Any],
    changed: Sequence[Difference] = (),
) -> bool:
    """What `show` shows. `charts`: name -> {kind, version}, as in a plane's `charts.json`."""
    if plan is not None:
        _addons(console, charts, plan)
    pods.show(console, overview.pods, owners(plan) if plan else {})
    if plan is not None:
        show_models(console, overview, plan)
        _others(console, overview, plan, outputs)
    fine = show_faults(console, overview, plan, changed)
    if plan is not None:
        _next(console, plan)
    return fine


def show_faults(
    console: Console, overview: Overview, plan: Plan | None, changed: Sequence[Difference]
) -> bool:
    """What is not as it should be; whether there is nothing of it."""
    lines = list(faults(overview, plan, changed))
    if lines:
        heading(console, "Not as it should be")
        for fault in lines:
            note(console, fault, "red")
    return not lines


def phase(entry: ProgramState, supervised: bool) -> str:
    alive = entry.process is not None and entry.process.alive
    if not supervised:
        return "unsupervised" if alive else "stopped" if entry.phase == "stopped" else "ended"
    return entry.phase if alive or entry.phase != "running" else "ended"


def owners(plan: Plan) -> Mapping[str, str]:
    """Namespace -> its addon; several addons may share one, and one may be no addon's."""
    owners: dict[str, list[str]] = {}
    for addon in plan.addons:
        if addon.namespace and addon.state is AddonState.MANAGED:
            owners.setdefault(addon.namespace, []).append(addon.addon.value)
    tenants = {tenant.namespace: f"tenant {tenant.name}" for tenant in plan.tenants}
    return {namespace: ", ".join(addons) for namespace, addons in owners.items()} | tenants


def _addons(console: Console, charts: Mapping[str, Any], plan: Plan) -> None:
    heading(console, "Addons")
    table = _table("addon", "installed as", "version")
    for addon in plan.addons:
        for index, (how, style, version) in enumerate(_installed(addon, charts)):
            table.add_row("" if index else addon.addon.value, Text(how, style=style), version)
    console.print(table)


def _installed(addon: AddonPlan, charts: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What it is, style, version; a line for each chart."""
    if addon.state is not AddonState.MANAGED:
        yield addon.state.value, "dim", ""
    elif not addon.charts:
        yield "plain objects", "", ""
    else:
        for chart in addon.charts:
            origin = charts.get(chart.name, {"kind": "registry", "version": chart.version})
            how, style = KINDS[origin["kind"]]
            yield f"{how} {chart.name}", style, str(origin["version"]).removeprefix("v")


def show_models(console: Console, overview: Overview, plan: Plan) -> None:
    """Each model with its devices and replicas."""
    heading(console, "Models", ": planned memory of each device")
    for model in plan.models:
        used, free = gib(model.memory.used), gib(model.memory.free)
        console.print(
            Text.assemble((model.name, "bold"), f": {model.model}, used {used}, free {free} of each device")
        )
        pods_of_model = overview.of_model(model.namespace, model.name)
        note(console, f"service {model.service}{_simulated(pods_of_model)}", "")
        for pod in pods_of_model:
            note(console, f"pod {pod.name}", "")
            note(console, f"  on {_where(pod)}", pods.STYLES[pod.kind])


def _where(pod: PodView) -> str:
    devices = ", ".join(pod.devices) or "no device yet"
    last = pod.processes[-1] if pod.processes else None
    return f"{devices}, " + (f"process {last.pid}, {mib(pod.memory)} of RAM" if last else pod.kind)


def _simulated(behind: Sequence[PodView]) -> str:
    """What is said beside an address with these pods behind it."""
    nothing = bool(behind) and all(pod.kind == "simulated" for pod in behind)
    return " (simulated: nothing answers there)" if nothing else ""


def _behind(overview: Overview, address: str) -> list[PodView]:
    """Pods of a Service `name.namespace.svc:port` whose name begins with its; none for other addresses."""
    name, _, rest = address.partition(".")
    namespace = rest.partition(".")[0]
    return [pod for pod in overview.pods if pod.namespace == namespace and pod.name.startswith(name)]


def _others(console: Console, overview: Overview, plan: Plan, outputs: Mapping[str, Any]) -> None:
    heading(console, "Other")
    for key in ("vector-db", "bucket", "grafana"):
        if outputs.get(key):
            address = str(outputs[key])
            line = f"{key}: {address}{_simulated(_behind(overview, address))}"
            console.print(Text(line), overflow="fold")
    for key, value in cast(Mapping[str, Any], outputs.get("policy") or {}).items():
        text = ", ".join(map(str, cast(list[object], value))) if isinstance(value, list) else str(value)
        console.print(Text(f"policy {key}: {text}"), overflow="fold")
    missing, total = len(plan.digests.unresolved), plan.digests.resolved + len(plan.digests.unresolved)
    resolve = "; `corral lock` resolves them" if missing else ""
    console.print(Text(f"digests: {missing} of {total} unresolved{resolve}"))


def faults(overview: Overview, plan: Plan | None, changed: Sequence[Difference] = ()) -> Iterator[str]:
    """What keeps the platform from being whole, one line each."""
    yield from (f"changed by hand: {one}" for one in changed)
    if not overview.pods:
        yield "nothing is deployed: `corral up`"
        return
    for pod in overview.pods:
        if not pod.fine:
            yield f"pod {pod.namespace}/{pod.name} is {pod.state}"
    for model in plan.models if plan else ():
        yield from _missing(model, overview)


def _missing(model: ModelPlan, overview: Overview) -> Iterator[str]:
    ready = sum(pod.state == "ready" for pod in overview.of_model(model.namespace, model.name))
    # A scaler that is not the stack's own may not be there yet.
    others = model.scaler is Scaler.EXTERNAL and model.scaling is None
    least = 1 if others else model.replicas_min
    if ready < least:
        yield f"model {model.name} has {ready} of {least} replicas ready"


def _next(console: Console, plan: Plan) -> None:
    suffix = "" if plan.stack == "dev" else f" -s {plan.stack}"
    heading(console, "Next")
    for command in ('chat "What is a llama?"', "status", "kubectl get pods -A", "stop"):
        console.print(Text(f"  corral{suffix} {command}"))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        right = column in ("pid", "memory", "restarts")
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table
