"""Pods as lines that are whole at any width: a name too long for its column has a line of its own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from corral.catalogue.quantities import mib
from corral.embedded.plane.overview import PodView

STYLES: Mapping[str, str] = {
    "process": "green",
    "container": "green",
    "simulated": "yellow",
    "refused": "red",
    "pending": "dim",
}
COLUMNS = 32
"""Width of what follows a pod's name."""


def heading(console: Console, title: str, more: str = "") -> None:
    """A title on a line of its own, after an empty one."""
    console.print()
    console.print(Text.assemble((title, "bold"), more))


def note(console: Console, text: str, style: str = "dim") -> None:
    """A remark below a line, indented and wrapped."""
    console.print(Padding(Text(text, style=style), (0, 0, 0, 4)))


def show(console: Console, pods: Iterable[PodView], parts: Mapping[str, str]) -> None:
    """Pods by namespace. `parts`: namespace -> the part of the platform that it belongs to."""
    listed = tuple(pods)
    counts = Counter(pod.kind for pod in listed)
    heading(console, "Pods", ": " + (", ".join(f"{n} {kind}" for kind, n in counts.most_common()) or "none"))
    for namespace, group in groupby(listed, lambda pod: pod.namespace):
        part = parts.get(namespace, namespace)
        title = namespace if part == namespace else f"{namespace} ({part})"
        console.print(Text(title, style="bold"))
        for pod in group:
            _pod(console, pod)


def _pod(console: Console, pod: PodView) -> None:
    name, width = f"  {pod.name}", console.width - COLUMNS
    state = "green" if pod.fine else "red"
    columns = Text.assemble(
        (f" {pod.kind:<10}", STYLES[pod.kind]),
        (f"{pod.state:<11}", state),
        f"{mib(pod.memory) if pod.memory else '':>9}",
    )
    columns.rstrip()
    if len(name) > width:
        console.print(Text(name), overflow="fold")
        name = ""
    console.print(Text(f"{name:<{max(width, 0)}}") + columns, overflow="fold")
    if pod.note:
        note(console, pod.note, "red")
    if pod.omitted:
        note(console, f"omitted: {pod.omitted}")
