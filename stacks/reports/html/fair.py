"""Which GPUs are whose."""

from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Html, tag, together
from corral.stacks.reports.html.tables import Column, numbers, table
from corral.stacks.reports.terminal.fair_sharing import NUMBERS, fair_notes, fair_rows, shared

COLUMNS = (Column("tenant"), Column("pool"), Column("device"), *numbers(*NUMBERS))


def fair(plan: Plan) -> Html:
    """A row per tenant and kind of device, and what that rests on."""
    if not shared(plan):
        return tag("p", "Nothing but the plan keeps tenants apart: none has GPUs of its own.")
    notes = tag("ul", *(tag("li", note) for note in fair_notes(plan)), class_="quiet")
    caption = "Devices that are a tenant's own, and that it may borrow."
    return together([table("GPUs of tenants", caption, COLUMNS, fair_rows(plan)), notes])
