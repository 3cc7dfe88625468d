"""Which GPUs are whose, as a table: what each tenant keeps, what its models need, what it may borrow."""

from collections.abc import Iterator

from rich.table import Table

from corral.catalogue.vocabulary import Addon, AddonState
from corral.stacks.planning.results.plan import Plan

UNOWNED = "(nobody)"
NUMBERS = ("its own", "for models", "may borrow")


def shared(plan: Plan) -> bool:
    """Whether anything keeps a tenant to its addon."""
    queued = plan.state(Addon.KUEUE) is not AddonState.OFF
    return queued or any(tenant.limits for tenant in plan.tenants)


def fair_table(plan: Plan) -> Table:
    """A row per tenant and kind of device that it has or may borrow, and what is no tenant's own."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("tenant", "pool", "device"):
        table.add_column(column, overflow="fold")
    for column in NUMBERS:
        table.add_column(column, justify="right", overflow="fold")
    last = ""
    for tenant, *row in fair_rows(plan):
        table.add_row("" if tenant == last else tenant, *row)
        last = tenant
    return table


def fair_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Tenant, pool, device, and how many are its own, needed by its models at most, and to be borrowed."""
    shares = plan.shares
    for share in shares.tenants:
        for own, need, offered in zip(share.guaranteed, share.needed, shares.offered, strict=True):
            more = offered.count - own.count if shares.borrowing else 0
            if own.count or more:
                counts = (str(own.count), str(need.count), str(more))
                yield (share.tenant, own.device.pool, own.device.words, *counts)
    for rest in shares.unassigned:
        yield UNOWNED, rest.device.pool, rest.device.words, str(rest.count), "", ""


def fair_notes(plan: Plan) -> Iterator[str]:
    """What the table rests on."""
    shares = plan.shares
    if plan.state(Addon.KUEUE) is AddonState.OFF:
        yield "a quota in each namespace keeps to this; nothing is lent"
        return
    if shares.borrowing:
        weights = ", ".join(f"{one.tenant} {one.weight}" for one in shares.tenants)
        yield f"borrowed by weight ({weights}); whoever owns it takes it back at once"
    else:
        yield "nothing is lent"
    yield f"pods of a workload are ready within {shares.ready_within} minutes, or it waits again"
