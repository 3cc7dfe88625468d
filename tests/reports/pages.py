"""Pages read back as elements with text, if they are well formed; and plans that mean ill."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser
from typing import Any

from corral.catalogue.gpus import gpus

HOSTILE = '<script>alert("x")</script>\'"&amp;--><svg/onload=alert(1)>`\u202e\x00\x1b[31m\n'
"""What a stack file might say to whoever opens the page."""
VOID = {"meta", "br", "img", "link", "input", "hr"}


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    content: "list[Element | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, with white space as one space."""
        return re.sub(r"\s+", " ", self._raw()).strip()

    def _raw(self) -> str:
        return "".join(one if isinstance(one, str) else one._raw() for one in self.content)

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    def all(self, tag: str = "", class_: str = "") -> "Iterator[Element]":
        """Elements inside it, in the order of the page."""
        for one in self.content:
            if isinstance(one, Element):
                if tag in ("", one.tag) and (not class_ or class_ in one.classes):
                    yield one
                yield from one.all(tag, class_)

    def one(self, tag: str = "", class_: str = "") -> "Element":
        """The first of them."""
        return next(self.all(tag, class_))

    def rows(self) -> list[list[str]]:
        """Texts of the cells of the table's body."""
        body = self.one("tbody")
        return [[one.text for one in row.all() if one.tag in ("td", "th")] for row in body.all("tr")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.at = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of {tag} stands twice"
        made = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.content.append(made)
        if tag not in VOID:
            self.at = made

    def handle_endtag(self, tag: str) -> None:
        assert self.at.tag == tag, f"</{tag}> ends <{self.at.tag}>"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        self.at.content.append(data)


def parsed(page: str) -> Element:
    """The page as a tree.

    Raises:
        AssertionError: a tag is not ended where it should be.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.at is reader.root, f"<{reader.at.tag}> has no end"
    return reader.root


def section(root: Element, identity: str) -> Element:
    """The element with id `identity`."""
    return next(one for one in root.all() if one.attributes.get("id") == identity)


def hostile(value: Any) -> Any:
    """`value` with `HOSTILE` after every text but GPUs, which are keys of the catalogue."""
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        return value if value in gpus() else value + HOSTILE
    if isinstance(value, tuple):
        return tuple(hostile(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: hostile(getattr(value, one.name)) for one in fields(value)})
    return value
