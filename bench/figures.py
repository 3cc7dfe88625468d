"""A figure: a number, what it stands beside in the same run, and what was promised."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measurement."""

    name: str
    value: float
    unit: str
    """`s`, `MiB`, or empty for a bare number."""
    beside: str = ""
    """What the same run measured it against: a floor, or a peer."""
    floor: float | None = None
    """The value of that, in the same unit."""
    target: float | None = None
    """At most this was promised; None: nothing was."""

    @property
    def ratio(self) -> float | None:
        """`value` in multiples of `floor`."""
        return self.value / self.floor if self.floor else None

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.value <= self.target


def save(bench: str, figures: Iterable[Figure]) -> None:
    """Write `results/<bench>.json`, replacing an earlier run's."""
    RESULTS.mkdir(exist_ok=True)
    content = [asdict(figure) for figure in figures]
    (RESULTS / f"{bench}.json").write_text(json.dumps(content, indent=2) + "\n")


def show(console: Console, figures: Iterable[Figure]) -> None:
    """All figures as one table."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("figure", "value", "target", "beside", "ratio"):
        table.add_column(column, justify="right" if column in ("value", "target", "ratio") else "left")
    for figure in figures:
        target = "" if figure.target is None else f"{figure.target:.4g}"
        style = {True: "green", False: "red", None: ""}[figure.met]
        beside = "" if figure.floor is None else f"{figure.beside}: {figure.floor:.2f} {figure.unit}"
        ratio = "" if figure.ratio is None else f"x{figure.ratio:.2f}"
        table.add_row(figure.name, f"{figure.value:.2f} {figure.unit}", target, beside, ratio, style=style)
    console.print(table)
