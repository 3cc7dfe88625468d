"""The blocks of docs/tasks.md, as tests run them."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "tasks.md").read_text()


def sections() -> list[str]:
    """Titles of all tasks."""
    return re.findall(r"^## (.+)$", PAGE, re.MULTILINE)


def block(title: str, language: str) -> str:
    """All blocks of a task in one language, one after the other; empty: it has none."""
    (section,) = (part for part in PAGE.split("\n## ") if part.startswith(f"{title}\n"))
    return "".join(re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL))


def line(title: str, start: str) -> str:
    """The one command of a task that begins so."""
    (found,) = (one for one in block(title, "sh").splitlines() if one.startswith(start))
    return found
