"""HTML as values: text is escaped once, where it enters a tag."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

VOID = frozenset({"meta", "br"})
"""Tags without an end."""
BLOCKS = frozenset({"caption", "div", "dl", "figcaption", "figure", "h1", "h2", "h3", "h4", "li", "p", "tr"})
"""Tags after which the page's source has a new line."""


@dataclass(frozen=True)
class Html:
    """Markup that is written as it is."""

    source: str


Content = Html | str | int


def tag(name: str, /, *content: Content, **attributes: str) -> Html:
    """`<name …>content</name>`; everything but `Html` is escaped.

    An attribute's `_` stands for `-`, and one at its end for nothing: `class_`, `aria_label`.
    """
    attributes_text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_escaped(value)}"' for key, value in attributes.items()
    )
    end = "\n" if name in BLOCKS else ""
    if name in VOID:
        return Html(f"<{name}{attributes_text}>\n")
    return Html(f"<{name}{attributes_text}>{together(content).source}</{name}>{end}")


def together(content: Iterable[Content]) -> Html:
    """Pieces one after the other."""
    return Html("".join(one.source if isinstance(one, Html) else _escaped(str(one)) for one in content))


def joined(content: Iterable[Content], between: str) -> Html:
    """Pieces with text between them."""
    return Html(_escaped(between).join(together([one]).source for one in content))


def prose(text: str) -> Html:
    """A sentence of the project's own; what stands in backticks is code."""
    pieces = enumerate(text.split("`"))
    return together(tag("code", piece) if place % 2 else piece for place, piece in pieces)


def _escaped(text: str) -> str:
    """Text as a page may hold it; characters without a shape, or that turn others round, are spelled out."""
    return escape("".join(one if one.isprintable() else _spelled(one) for one in text), quote=True)


def _spelled(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
