"""How applications call models."""

from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Html, tag, together
from corral.stacks.reports.html.tables import Column, table
from corral.stacks.reports.terminal.gateway import HEADINGS, gateway_notes, gateway_rows

COLUMNS = tuple(Column(one, "wrap" if one in ("models", "callers show") else "text") for one in HEADINGS)


def gateway(plan: Plan) -> Html:
    """A row per tenant, and what holds for all."""
    if plan.gateway is None:
        return tag("p", "No application outside the cluster calls a model: there is no section gateway.")
    notes = tag("ul", *(tag("li", note) for note in gateway_notes(plan)), class_="quiet")
    caption = "Each request names its model; another path leads to one model whatever it names."
    return together([table("Calls", caption, COLUMNS, gateway_rows(plan.gateway)), notes])
