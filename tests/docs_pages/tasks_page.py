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
    assert (title, start) in ON_A_PLATFORM
    (found,) = (one for one in block(title, "sh").splitlines() if one.startswith(start))
    return found


ON_A_PLATFORM = {
    ("Call a model from an application", "corral chat"),
    ("Call a model from an application", "pulumi stack output"),
    ("See dashboards", "kubectl get secret"),
    ("See dashboards", "corral dashboards"),
    ("Rotate a secret", "pulumi config set"),
    ("Rotate a secret", "corral up"),
    ("Give a team access", "kubectl create rolebinding"),
    ("See what would change, and what somebody changed by hand", "corral diff"),
    ("See what would change, and what somebody changed by hand", "corral drift"),
    ("Back up", "pulumi stack export"),
}
"""Commands that the tests in tests/e2e run, by task and beginning."""
NOT_RUN = {
    "corral diff": "the one of another task is run",
    "corral keys make": "the platform of tests/e2e has no gateway",
    "corral lock -s": "asks public registries",
    "corral up": "takes minutes: the one of another task is run, and the sections of each are planned",
    "kubectl port-forward": "the node of the embedded plane forwards no ports",
    "pulumi config set": "the one of another task is run",
    "pulumi preview": "tests/door/test_plain_pulumi.py previews with the pack",
    "pulumi stack init": "each newcomer of tests/door does it",
    "pulumi stack output gateway": "the platform of tests/e2e has no gateway",
}
"""Beginnings of commands that no test runs off the page, and why."""
