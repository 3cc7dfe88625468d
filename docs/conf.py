"""The site of these pages: `make docs`. Its navigation is what index.md and components/README.md list.

Sphinx and MyST; a warning is an error there, so that a broken link or anchor, a page in no navigation and a
missing picture fail. Nothing that a page loads is of another host.
"""

import re
from importlib import metadata

from sphinx.application import Sphinx

project = "Corral"
html_title = f"Corral {metadata.version('corral')}"
extensions = ["myst_parser"]
exclude_patterns = ["examples", "pictures"]
nitpicky = True
myst_heading_anchors = 4
highlight_language = "none"
html_theme = "furo"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_search_summary = False
"""It is fetched from pages, which a browser refuses where the site is opened as files."""

NAVIGATION = ("index", "components/README")
ENTRY = re.compile(r"^(?:- |\| )\[`?([^`\]]+)`?\]\(([^)#:]+)\.md\)", re.MULTILINE)
"""An item of a list or the first cell of a table that begins with a link to a page: title, page."""


def setup(app: Sphinx) -> dict[str, bool]:
    """The navigation, made of the pages that list others."""
    app.connect("source-read", _navigation)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _navigation(_app: Sphinx, page: str, source: list[str]) -> None:
    if page not in NAVIGATION:
        return
    text = source[0]
    for part in re.split(r"^(?=## )", text, flags=re.MULTILINE):
        entries = [f"{title} <{target}>" for title, target in ENTRY.findall(part)]
        if entries:
            heading = re.match(r"## (.*)", part)
            caption = [f":caption: {heading[1]}"] if heading else []
            text += "\n".join(["\n```{toctree}", ":hidden:", *caption, "", *entries, "```\n"])
    source[0] = text
