"""Tables, tags and figures in the page's own words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corral.catalogue.quantities import gib
from corral.stacks.reports.html.html import Content, Html, tag, together


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    kind: str = "text"
    """`text`, on one line; `wrap`, on several; `number`, to the right; `bar`, wide enough for a drawing."""


def numbers(*titles: str) -> tuple[Column, ...]:
    """Columns of numbers."""
    return tuple(Column(title, "number") for title in titles)


def table(name: str, caption: Content, columns: Sequence[Column], rows: Iterable[Sequence[Content]]) -> Html:
    """A table that scrolls in a box of its own; the first cell of a row is its heading.

    `name` is what a screen reader calls the box.
    """
    head = tag("tr", *(tag("th", one.title, scope="col", class_=one.kind) for one in columns))
    body = together(
        tag(
            "tr",
            *(
                tag("td", cell, class_=column.kind) if place else tag("th", cell, scope="row")
                for place, (column, cell) in enumerate(zip(columns, row, strict=True))
            ),
        )
        for row in rows
    )
    made = tag("table", tag("caption", tag("span", caption)), tag("thead", head), tag("tbody", body))
    return tag("div", made, class_="scroll", role="group", aria_label=name, tabindex="0")


def mark(word: str) -> Html:
    """A word about something, in a frame."""
    return tag("span", word, class_="mark")


def second(*content: Content) -> Html:
    """What stands on a second, quieter line of a cell."""
    return together([" ", tag("span", *content, class_="second")])


def facts(pairs: Iterable[tuple[str, Content]], class_: str = "facts") -> Html:
    """Names with what they are."""
    return tag(
        "dl", *(tag("div", tag("dt", name), tag("dd", *[what])) for name, what in pairs), class_=class_
    )


def size(amount: int) -> str:
    """Bytes as a number of GiB, as `corral plan` prints it: `19.5`."""
    return gib(amount).removesuffix(" GiB")


def share(part: int, whole: int) -> str:
    """CSS percentage of `part` in `whole`."""
    return f"{100 * part / whole:.3f}%" if whole else "0%"


def count(number: int, noun: str, plural: str = "") -> str:
    """`1 node`, `2 nodes`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
