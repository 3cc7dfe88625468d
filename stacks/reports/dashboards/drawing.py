"""One panel as a drawing: lines over time, in SVG that needs neither script nor font of its own."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from corral.stacks.reports.dashboards.measured import MeasuredPanel, MeasuredSeries
from corral.stacks.reports.html.html import Html, tag, together

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 72, 8, 8, 22
COLOURS = 8
"""Colours that series have by turns; from then on they are dashed."""
GAP_STEPS = 3
"""Missing samples after which a line is interrupted."""
BINARY, DECIMAL = ("", "Ki", "Mi", "Gi", "Ti"), ("", "k", "M", "G", "T")
Place = Callable[[float], float]
"""Where on the drawing a time or a value is."""
WORDS = {"bytes": "B", "mbytes": "MiB", "s": "s", "percentunit": "%", "reqps": "/s", "Bps": "B/s"} | {
    "watt": "W",
    "celsius": "°C",
}


def amount(value: float, unit: str) -> str:
    """A value in a unit of Grafana's, with three figures at most.

    >>> amount(0.5, "percentunit"), amount(2048, "bytes"), amount(0.0123, "s"), amount(1500, "short")
    ('50 %', '2 KiB', '12.3 ms', '1.5 k')
    """
    if unit == "percentunit":
        return f"{_figures(100 * value)} %"
    word = WORDS.get(unit, "")
    if unit == "s" and 0 < abs(value) < 1:
        return f"{_figures(1000 * value)} ms"
    base, prefixes = (1024.0, BINARY) if word.startswith("B") else (1000.0, DECIMAL)
    place = 0
    while unit != "s" and abs(value) >= base and place < len(prefixes) - 1:
        value, place = value / base, place + 1
    return f"{_figures(value)} {prefixes[place]}{word}".strip()


def _figures(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def drawing(panel: MeasuredPanel, start: float, end: float) -> Html:
    """The panel's lines; a sentence where no query returned anything."""
    if not panel.series:
        return tag("p", "no data", class_="quiet empty")
    low, high = _scale([value for one in panel.series for _when, value in one.points])
    step = _step(panel.series)

    def x(when: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (when - start) / (end - start)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    def line(index: int, one: MeasuredSeries) -> Html:
        pieces = " ".join(_path(one.points, step * GAP_STEPS, x, y))
        dashed = " dashed" if index // COLOURS % 2 else ""
        return tag("path", d=pieces, class_=f"line-{index % COLOURS}{dashed}")

    grid = [
        tag(
            "g",
            tag("path", d=f"M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}"),
            tag("text", amount(value, panel.unit), x=f"{LEFT - 6}", y=f"{y(value) + 4:.1f}"),
            class_="level",
        )
        for value in (low, (low + high) / 2, high)
    ]
    times = [
        tag("text", _clock(start), x=f"{LEFT}", y=f"{HEIGHT - 5}", class_="begin"),
        tag("text", _clock(end), x=f"{WIDTH - RIGHT}", y=f"{HEIGHT - 5}", class_="end"),
    ]
    lines = [line(index, one) for index, one in enumerate(panel.series)]
    return tag(
        "svg",
        *grid,
        *times,
        *lines,
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{panel.title}, {_clock(start)} to {_clock(end)}",
        class_="chart",
    )


def key(panel: MeasuredPanel) -> Html:
    """Name, colour and last value of each series."""
    return together(
        tag(
            "li",
            tag("span", class_=f"colour line-{index % COLOURS}"),
            f" {one.name} ",
            tag("b", amount(one.points[-1][1], panel.unit)),
        )
        for index, one in enumerate(panel.series)
    )


def _scale(values: Sequence[float]) -> tuple[float, float]:
    """Bounds of the vertical axis; nought is one of them, so that small changes look small."""
    low, high = min(0.0, *values), max(0.0, *values)
    if low == high:
        return 0.0, 1.0
    top = 10 ** math.floor(math.log10(max(high, -low)))
    return math.floor(low / top) * top, math.ceil(high / top) * top


def _step(series: Sequence[MeasuredSeries]) -> float:
    gaps = [
        after[0] - before[0]
        for one in series
        for before, after in zip(one.points, one.points[1:], strict=False)
    ]
    return min(gaps, default=1.0)


def _path(points: Sequence[tuple[float, float]], gap: float, x: Place, y: Place) -> Iterator[str]:
    last = -math.inf
    for when, value in points:
        yield f"{'L' if when - last <= gap else 'M'}{x(when):.1f} {y(value):.1f}"
        last = when
    # A lone sample has no length, and would not be seen.
    yield "h0.01"


def _clock(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"
