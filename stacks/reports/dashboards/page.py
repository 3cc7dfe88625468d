"""The page of dashboards, in the form of the plan's page."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from corral.stacks.reports.dashboards.drawing import drawing, key
from corral.stacks.reports.dashboards.measured import MeasuredDashboard, MeasuredPanel
from corral.stacks.reports.html.document import Part, whole
from corral.stacks.reports.html.html import Html, tag, together
from corral.stacks.reports.html.tables import count, facts

FOOT = (
    "Drawn by `corral dashboards` from what Prometheus had at that time. A panel without data says so and "
    "names its query."
)


def page(stack: str, boards: Sequence[MeasuredDashboard], start: float, end: float) -> str:
    """`boards` as an HTML document that needs no other file, no network and no script."""
    parts = [Part(one.uid, one.title, _board(one, start, end)) for one in boards]
    return whole(f"{stack}: dashboards", _head(stack, boards, start, end), parts, FOOT)


def _head(stack: str, boards: Sequence[MeasuredDashboard], start: float, end: float) -> Html:
    panels = [panel for board in boards for panel in board.panels]
    full = sum(1 for panel in panels if panel.series)
    times = f"{_moment(start)} to {_moment(end)}"
    return together(
        [
            tag("h1", stack, " ", tag("span", "dashboards", class_="quiet")),
            facts(
                [
                    ("measured", times),
                    ("dashboards", count(len(boards), "dashboard")),
                    ("panels", f"{full} of {len(panels)} have data"),
                ],
                "where",
            ),
        ]
    )


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M UTC}"


def _board(board: MeasuredDashboard, start: float, end: float) -> Html:
    return tag("div", *(_panel(one, start, end) for one in board.panels), class_="charts")


def _panel(panel: MeasuredPanel, start: float, end: float) -> Html:
    return tag(
        "figure",
        tag("h3", panel.title),
        drawing(panel, start, end),
        tag("ul", key(panel), class_="legend") if panel.series else "",
        *_silent(panel),
    )


def _silent(panel: MeasuredPanel) -> Iterator[Html]:
    for query in panel.silent:
        yield tag("p", "nothing for ", tag("code", query), class_="quiet silent")
