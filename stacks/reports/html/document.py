"""The whole page: a header, then one section after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.html.addons import addons, stores
from corral.stacks.reports.html.batches import batches
from corral.stacks.reports.html.cost import cost
from corral.stacks.reports.html.fair import fair
from corral.stacks.reports.html.gateway import gateway
from corral.stacks.reports.html.head import head, simulation
from corral.stacks.reports.html.html import Html, prose, tag, together
from corral.stacks.reports.html.models import models
from corral.stacks.reports.html.pools import pools
from corral.stacks.reports.html.sovereignty import pinning, sovereignty

STYLE = Path(__file__).with_name("style.css")
RULES = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Content security policy: the page loads nothing and runs nothing, whatever got into it."""

FOOT = "A plan, made by `corral plan --html`; what runs is shown by `corral status`."


@dataclass(frozen=True)
class Section:
    """One section of the page."""

    id: str
    title: str
    body: Callable[[Plan], Html]
    half: bool = False
    """Whether it stands beside another half where there is room."""


SECTIONS = (
    Section("simulated", "What is simulated", simulation),
    Section("pools", "GPUs", pools),
    Section("models", "Models", models),
    Section("gateway", "Calls", gateway),
    Section("batches", "Batches", batches),
    Section("tenants", "GPUs of tenants", fair),
    Section("cost", "Cost", cost),
    Section("sovereignty", "Sovereignty", sovereignty),
    Section("addons", "Addons", addons, half=True),
    Section("stores", "Stores, tenants, secrets", stores, half=True),
    Section("digests", "Digests", pinning),
)
"""In the order of the page."""


@dataclass(frozen=True)
class Part:
    """One section with its content."""

    id: str
    title: str
    body: Html
    half: bool = False


def page(plan: Plan) -> str:
    """`plan` as an HTML document that needs no other file, no network and no script."""
    parts = [Part(one.id, one.title, one.body(plan), one.half) for one in SECTIONS]
    return whole(f"{plan.stack}: what the stack becomes", head(plan), parts, FOOT)


def whole(title: str, header: Html, parts: Sequence[Part], foot: str) -> str:
    """A document of `parts`, with links to each under `header`."""
    links = (tag("li", tag("a", one.title, href=f"#{one.id}")) for one in parts)
    body = tag(
        "body",
        tag("header", header, tag("nav", tag("ul", *links, role="list"), aria_label="Sections")),
        tag("main", *map(_section, parts)),
        tag("footer", tag("p", prose(foot))),
    )
    return "<!DOCTYPE html>\n" + tag("html", _head(title), body, lang="en").source + "\n"


def _head(title: str) -> Html:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=RULES),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(STYLE.read_text(encoding="utf-8"))),
    )


def _section(one: Part) -> Html:
    return tag(
        "section",
        together([tag("h2", one.title, id=f"{one.id}-title"), one.body]),
        id=one.id,
        class_="half" if one.half else "full",
        aria_labelledby=f"{one.id}-title",
    )
