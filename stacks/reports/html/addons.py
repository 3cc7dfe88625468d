"""Addons of the platform, and the stores it keeps."""

from collections.abc import Iterator

from corral.catalogue.vocabulary import AddonState, StorageKind
from corral.stacks.planning.results.addons import AddonPlan
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Content, Html, joined, tag
from corral.stacks.reports.html.tables import Column, count, facts, table

COLUMNS = (Column("addon"), Column("state"), Column("installed as"), Column("version"), Column("namespace"))


def addons(plan: Plan) -> Html:
    """A row per addon, in the order of installation."""
    return table("Addons", "In the order of installation.", COLUMNS, (_row(addon) for addon in plan.addons))


def _row(addon: AddonPlan) -> tuple[Content, ...]:
    managed = addon.state is AddonState.MANAGED
    charts = addon.charts if managed else ()
    plain = "plain objects" if managed else "not by this stack" if addon.state is AddonState.EXISTING else "-"
    return (
        addon.addon.value,
        tag("span", addon.state.value, class_=f"state {addon.state.value}"),
        _lines(*(f"release {one.name}" for one in charts)) if charts else plain,
        _lines(*(one.version for one in charts)) if charts else "-",
        addon.namespace or "-",
    )


def _lines(*content: str) -> Html:
    return joined((tag("span", one, class_="line") for one in content), " ")


def stores(plan: Plan) -> Html:
    """Where data lies, who the tenants are, and which secrets the stack needs."""
    return facts(_facts(plan))


def _facts(plan: Plan) -> Iterator[tuple[str, Content]]:
    store = plan.storage
    place = f", at {store.endpoint}" if store.kind is not StorageKind.SEAWEEDFS else f", {store.size_gib} GiB"
    yield "models", f"{store.kind.value}, bucket {store.bucket}{place}"
    base = plan.vector_db
    if base:
        replicas = count(base.replicas, "replica")
        capacity = f"{base.vectors:,} vectors of {base.dimensions} dimensions"
        each = f"each {base.size_gib} GiB volume and {base.memory_mib} MiB memory"
        yield "vectors", f"{base.engine.value}, {replicas}, {each}, for {capacity}"
    else:
        yield "vectors", "none"
    metrics = plan.observability
    yield "metrics", f"{metrics.retention_days} days, {metrics.size_gib} GiB" if metrics else "none"
    for tenant in plan.tenants:
        served = ", ".join(tenant.models) or "no model"
        yield f"tenant {tenant.name}", f"namespace {tenant.namespace}: {served}"
    store = plan.secrets
    if store is not None:
        yield f"secrets from {store.provider.value}", ", ".join(store.names) or "none"
    yield "secrets", ", ".join(plan.secrets_needed) or "none"
