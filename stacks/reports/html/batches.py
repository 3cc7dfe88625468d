"""What models answer on a schedule."""

from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.html import Html, tag, together
from corral.stacks.reports.html.tables import Column, table
from corral.stacks.reports.terminal.batches import HEADINGS, batch_notes, batch_rows

COLUMNS = tuple(Column(one, "wrap" if one in ("input", "output") else "text") for one in HEADINGS)


def batches(plan: Plan) -> Html:
    """A row per batch, and what holds for all."""
    if not plan.batches:
        return tag("p", "No model answers files of requests: there is no section batches.")
    notes = tag("ul", *(tag("li", note) for note in batch_notes(plan)), class_="quiet")
    caption = "Files of requests in the format of OpenAI's Batch API."
    return together([table("Batches", caption, COLUMNS, batch_rows(plan)), notes])
