"""A plan as tables that are readable without colour and in 80 columns."""

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from corral.catalogue.gpus import geforce_license, gpus, shape
from corral.catalogue.quantities import gib
from corral.catalogue.vocabulary import AddonState, Scaler, SharingKind, Weights
from corral.controls.levels import Level
from corral.controls.profiles import PROFILES
from corral.controls.transit import transit_findings
from corral.stacks.planning.results.addons import AddonPlan
from corral.stacks.planning.results.models import ModelPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.results.pools import GpuPlan, PoolPlan, Proof, SlicePlan, stranded
from corral.stacks.reports.scope import (
    cluster_lines,
    exception_lines,
    place_of,
    scope_lines,
    system_node_lines,
)
from corral.stacks.reports.terminal.adapters import HEADINGS as ADAPTER_HEADINGS
from corral.stacks.reports.terminal.adapters import adapter_notes, adapter_rows
from corral.stacks.reports.terminal.batches import HEADINGS as BATCH_HEADINGS
from corral.stacks.reports.terminal.batches import batch_notes, batch_rows
from corral.stacks.reports.terminal.cold_start import HEADINGS as START_HEADINGS
from corral.stacks.reports.terminal.cold_start import start_notes, start_rows
from corral.stacks.reports.terminal.cost import api_notes, api_table, cost_notes, cost_table
from corral.stacks.reports.terminal.dynamic_mig import needs, on_demand, promise
from corral.stacks.reports.terminal.fair_sharing import fair_notes, fair_table, shared
from corral.stacks.reports.terminal.gateway import HEADINGS, gateway_notes, gateway_rows

REPACKED = 3
"""Moves that are shown of one pool."""
SHARES = {
    SharingKind.WHOLE: "whole GPUs",
    SharingKind.MIG: "MIG slices",
    SharingKind.MIG_DYNAMIC: "MIG slices cut on demand",
    SharingKind.TIME_SLICING: "{} shares by time",
    SharingKind.MPS: "{} shares by MPS",
}
SIZES = ("weights", "cache", "peak", "rest", "free")
NUMBERS = ("GiB", "used", *SIZES, "adapters", "rank", *START_HEADINGS[1:], "context", "longest", "sequences")
"""Columns of numbers."""


def render(plan: Plan, console: Console) -> None:
    """Print `plan`: addons, pools with every slice, models, and what is not pinned."""
    nodes = "" if plan.cluster.capabilities.simulated else f" of {plan.cluster.platform.value} nodes"
    cluster = f"{plan.cluster.kind.value}{nodes}"
    where = f"region {place_of(plan)}, cluster {cluster}, GPUs from the {plan.allocator.value}"
    console.print(Text(f"{plan.stack}: profile {plan.profile.value}, {where}"))
    for row in (*cluster_lines(plan.cluster), *system_node_lines(plan)):
        console.print(Text(row))
    for title, table in (
        ("Addons", _addons(plan.addons)),
        *((_pool_title(pool), Group(_pool(pool), *map(Text, pool_notes(pool)))) for pool in plan.pools),
        ("Models", _models(plan.models)),
        (
            "Memory of models, GiB per device",
            Group(_memory(plan.models), *map(Text, memory_notes(plan.models))),
        ),
        ("Cold start of a replica, seconds", Group(_starts(plan.models), *map(Text, start_notes(plan)))),
    ):
        _heading(console, title)
        console.print(table)
    for row in model_notes(plan.models):
        console.print(Text(row))
    if rows := list(adapter_rows(plan.models)):
        _section("Adapters", ADAPTER_HEADINGS, rows, adapter_notes(plan.models), console)
    if plan.gateway is not None:
        _section("Calls", HEADINGS, gateway_rows(plan.gateway), gateway_notes(plan), console)
    if plan.batches:
        _section("Batches", BATCH_HEADINGS, batch_rows(plan), batch_notes(plan), console)
    if shared(plan):
        _fair(plan, console)
    if plan.pools:
        _cost(plan, console)
    for title, rows in (
        ("Stores", _stores(plan)),
        ("Policies at admission", scope_lines(plan.admission)),
        *([("Exceptions", adjusted)] if (adjusted := list(exception_lines(plan.policy))) else []),
        ("Encryption between pods", _transit(plan)),
        ("Secrets", _secrets(plan)),
        ("Digests", _digests(plan)),
    ):
        _heading(console, title)
        for row in rows:
            console.print(Text(row))


def model_notes(models: Sequence[ModelPlan]) -> Iterable[str]:
    """What the tables of models mean, and what is decided outside this plan."""
    for model in models:
        if model.unsafe:
            files = ", ".join(model.unsafe)
            yield f"{model.name}: {files} runs code where it is read, as profile open allows"
    if any(model.weights is Weights.SIMULATED for model in models):
        yield "* weights: simulated, without import or process"
    loose = [name for model in models for name in model.unlocked_names]
    if loose:
        names = ", ".join(loose)
        yield f"unlocked: {names}: imported as the source has them; `corral lock --models` pins them"
    for model in models:
        if model.scaler is Scaler.EXTERNAL:
            yield (
                f"{model.name}: {model.replicas_min} to {model.replicas_max} replicas, set by a scaler "
                "outside (KServe: external); 1 until there is one"
            )


def _section(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str], console: Console
) -> None:
    _heading(console, title)
    table = _table(*headings)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for note in notes:
        console.print(Text(note))


def _fair(plan: Plan, console: Console) -> None:
    _heading(console, "GPUs of tenants")
    console.print(fair_table(plan))
    for row in fair_notes(plan):
        console.print(Text(row))


def _cost(plan: Plan, console: Console) -> None:
    _heading(console, f"Cost, {plan.cost.currency.value}")
    console.print(cost_table(plan.cost))
    for row in cost_notes(plan.cost):
        console.print(Text(row))
    if plan.cost.apis:
        _heading(console, "Against an API: from where on the pool costs less")
        console.print(api_table(plan.cost))
        for row in api_notes(plan.cost):
            console.print(Text(row))


def _heading(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold"))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        right = column in NUMBERS
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    return table


def _addons(addons: Iterable[AddonPlan]) -> Table:
    table = _table("addon", "state", "installed as", "version")
    for addon in addons:
        managed = addon.state is AddonState.MANAGED
        charts = addon.charts if managed else ()
        for index, chart in enumerate(charts):
            first = (addon.addon.value, addon.state.value) if index == 0 else ("", "")
            table.add_row(*first, f"release {chart.name}", chart.version)
        if not charts:
            table.add_row(addon.addon.value, addon.state.value, "plain objects" if managed else "-", "")
    return table


def cut(pool: PoolPlan) -> str:
    """How the GPUs of a pool are divided, in words."""
    return SHARES[pool.sharing].format(pool.shares)


def _pool_title(pool: PoolPlan) -> str:
    if on_demand(pool):
        return f"Pool {pool.name}: {pool.gpu}, {cut(pool)}, {needs(pool)}"
    used = sum(1 for gpu in pool.gpus if any(one.model for one in gpu.slices))
    bound = f", at least {pool.lower_bound} needed" if pool.lower_bound else ""
    if pool.proof and used and used in (pool.proof.bound, (pool.proof.exhausted or 0) + 1):
        bound = ", the fewest"
    return (
        f"Pool {pool.name}: {pool.gpu}, {cut(pool)}, {used} of {len(pool.gpus)} used{bound}{_stranded(pool)}"
    )


def _stranded(pool: PoolPlan) -> str:
    layouts = [Counter(one.profile for one in gpu.slices if one.profile) for gpu in pool.gpus]
    lost = [stranded(pool.gpu, cut) for cut in layouts if cut]
    total = {"compute": sum(one.compute for one in lost), "memory": sum(one.memory for one in lost)}
    words = ", ".join(f"{number} {word}" for word, number in total.items() if number)
    return f", strands {words}" if words else ""


def memory_notes(models: Iterable[ModelPlan]) -> Iterable[str]:
    """What the plan of memory lowered or does not know, by model."""
    return (f"{model.name}: {note}" for model in models for note in model.notes)


def pool_notes(pool: PoolPlan) -> Iterable[str]:
    """What the licence of a consumer GPU says, why so many GPUs, and who was moved for it."""
    if gpus()[pool.gpu].geforce:
        yield f"{pool.gpu} is a consumer GPU: {geforce_license().name}"
    if on_demand(pool):
        yield from promise(pool)
        return
    if pool.proof and pool.proof.total:
        yield _reason(pool.gpu, pool.proof)
    for one in pool.repacked[:REPACKED]:
        yield f"repacked for {one.model}: saves 1 GPU, moves {', '.join(one.moved)}"
    if len(pool.repacked) > REPACKED:
        yield f"and {len(pool.repacked) - REPACKED} more times"


def _reason(gpu: str, proof: Proof) -> str:
    weights = dict(proof.weights)
    if all(weight == shape(gpu, key).memory for key, weight in weights.items()):
        counted = f"{proof.total} memory slices"
    elif all(weight == shape(gpu, key).compute for key, weight in weights.items()):
        counted = f"{proof.total} compute slices"
    else:
        scale = ", ".join(f"{key} counts {weight}" for key, weight in weights.items() if weight)
        counted = f"{scale}: {proof.total}"
    tried = f"; with {proof.exhausted} every layout was tried" if proof.exhausted else ""
    return f"at least {proof.bound} needed: {counted}, and a GPU has at most {proof.capacity}{tried}"


def _pool(pool: PoolPlan) -> Table:
    table = _table("GPU", "device", "GiB", "model", "used", "free")
    for gpu in pool.gpus:
        for index, one in enumerate(gpu.slices):
            table.add_row(*_slice(pool, gpu, index, one))
    return table


def _slice(pool: PoolPlan, gpu: GpuPlan, index: int, one: SlicePlan) -> tuple[str, ...]:
    example = "e.g. " if on_demand(pool) and one.model else ""
    name = f"{example}{gpu.node}/{gpu.index}" if index == 0 else ""
    undivided = "uncut" if on_demand(pool) else "whole" if pool.shares == 1 else f"1/{pool.shares}"
    used = _size(one.used) if one.model else ""
    return (
        name,
        one.profile or undivided,
        _size(one.usable),
        one.model or "-",
        used,
        _size(one.usable - one.used),
    )


def _models(models: Iterable[ModelPlan]) -> Table:
    table = _table("model", "is", "engine", "device")
    for model in models:
        simulated = " *" if model.weights is Weights.SIMULATED else ""
        replicas = f" x{model.replicas_max}" if model.replicas_max > 1 else ""
        table.add_row(
            f"{model.name}{simulated}",
            model.model,
            model.engine.value,
            f"{model.device}{replicas}",
        )
        if model.prefill is not None:
            more = f" x{model.prefill.replicas}" if model.prefill.replicas > 1 else ""
            reads = f"prefill of {model.name}"
            table.add_row(model.prefill.name, reads, model.engine.value, f"{model.prefill.device}{more}")
    return table


def _starts(models: Sequence[ModelPlan]) -> Table:
    table = _table(*START_HEADINGS)
    for row in start_rows(models):
        table.add_row(*row)
    return table


def _memory(models: Sequence[ModelPlan]) -> Table:
    """`peak`: of one step; `rest`: outside it and left free; `longest`: context that its device holds."""
    adapted = any(model.adapters for model in models)
    sizes = [*SIZES[:1], *(["adapters"] if adapted else []), *SIZES[1:]]
    table = _table("model", *sizes, "context", "longest", "sequences")
    for model, one in ((each, one) for each in models for one in each.workloads):
        memory = one.memory
        kept = [memory.adapters] if adapted else []
        addons = (memory.weights, *kept, memory.kv_cache, memory.activation, memory.overhead, memory.free)
        fits = str(one.full_sequences or "-")
        table.add_row(
            one.name,
            *(_size(addon) for addon in addons),
            str(model.context),
            str(one.largest_context),
            fits,
        )
    return table


def _stores(plan: Plan) -> Iterable[str]:
    store = plan.storage
    size = f"{store.size_gib} GiB for {store.models_gib} GiB of files"
    yield f"models: {store.kind.value}, bucket {store.bucket}, {size}"
    if store.networks:
        where = ", ".join(store.networks)
        yield f"tenants reach it at {where} alone; others: model-storage.networks"
    if store.size_gib < store.ample_gib:
        yield (
            f"warning: the store has no room for previous-imports: {store.previous_imports} and a new import "
            f"beside these files: use model-storage.size: {store.ample_gib}Gi, or fewer"
        )
    for source in plan.sources:
        place = f" at {source.endpoint}" if source.endpoint else ""
        opened = ", ".join(f"corral:{key}" for key in source.secrets) or "nothing: it is open to anybody"
        yield f"source {source.name}: {source.url}{place}, opened by {opened}"
    if plan.vector_db:
        base = plan.vector_db
        yield (
            f"vectors: {base.engine.value} x{base.replicas}, each {base.size_gib} GiB volume and"
            f" {base.memory_mib} MiB memory, {base.replication_factor} of each shard ({base.capacity_rule})"
        )
    if plan.observability:
        metrics = plan.observability
        yield f"metrics: {metrics.retention_days} days, {metrics.size_gib} GiB"
        yield f"alerts: {metrics.alerts.value if metrics.alerts else 'sent to nobody (observability.alerts)'}"
    yield f"tenants: {', '.join(tenant.namespace for tenant in plan.tenants)}"


def _transit(plan: Plan) -> Iterable[str]:
    """What encrypts between pods on different machines, and what the profile has against it."""
    stated = plan.cluster.pod_encryption
    if plan.cluster.capabilities.started_here:
        yield "none is needed: all of it is on this machine"
        return
    yield f"{stated.value}, as stated" if stated else "not stated"
    for one in transit_findings(stated, PROFILES[plan.profile.value]):
        yield f"{'refused by `up`' if one.level is Level.MANDATORY else 'reported'}: {one.reason}"


def _secrets(plan: Plan) -> Iterable[str]:
    """What sets each secret: `corral init` on a plane of Corral's own, elsewhere a command each."""
    store = plan.secrets
    if store is not None:
        yield (
            f"from {store.provider.value}, by ClusterSecretStore {store.store}, every {store.refresh}: "
            f"{', '.join(store.names) or 'none'}"
        )
    if not plan.secret_commands:
        if store is None:
            yield "none"
    elif plan.cluster.capabilities.started_here:
        yield f"{', '.join(plan.secrets_needed)}: `corral init` makes them, as does `corral up`"
    else:
        yield from (command for _key, command in plan.secret_commands)


def _digests(plan: Plan) -> Iterable[str]:
    missing, total = len(plan.digests.unresolved), plan.digests.resolved + len(plan.digests.unresolved)
    yield f"{missing} of {total} digests unresolved" + ("; `corral lock` resolves them" if missing else "")
    for name, reason in plan.digests.excepted:
        yield f"without digest, excepted from SOV-SUP-02: {name}, {reason}"


def _size(amount: int) -> str:
    return gib(amount).removesuffix(" GiB")
