"""The exit register of a stack: what of its graph is bound to something, and how it is left."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from corral.catalogue.exit import Exit, ExitTest, Portability, exit_of
from corral.catalogue.vocabulary import ClusterKind
from corral.stacks.config.errors import Problem
from corral.stacks.reports.bundle.contents import releases

Graph = Sequence[Mapping[str, Any]]
NO_TESTS: Mapping[str, ExitTest] = {}


@dataclass(frozen=True)
class ExitLine:
    """One entry of the register that the stack has resources of."""

    name: str
    portability: Portability
    resources: int
    types: tuple[str, ...]
    replacement: str | None
    export: str | None
    tested: str | None
    """Day and what was done; `untested`; None: portable, nothing is to be tested."""
    source: str | None


@dataclass(frozen=True)
class OtherCluster:
    """The same stack file on a cluster of another kind."""

    kind: ClusterKind
    problems: tuple[Problem, ...]
    """What the stack file has to say otherwise there; none: it is planned as it is."""
    added: tuple[str, ...] = ()
    """Types that the stack has there alone."""
    removed: tuple[str, ...] = ()
    """Types that it has here alone."""


@dataclass(frozen=True)
class ExitRegister:
    """All of it."""

    stack: str
    kind: ClusterKind
    lines: tuple[ExitLine, ...]
    unknown: tuple[str, ...]
    """Types that the register lacks."""
    clusters: tuple[OtherCluster, ...] = ()


def tokens(graph: Graph) -> Counter[str]:
    """How many resources of each type a graph has; Helm releases by their chart."""
    plain = (
        one["type"] for one in graph if not one["read"] and not one["type"].startswith("kubernetes:helm.sh/")
    )
    return Counter([*plain, *(f"chart:{one.chart}" for one in releases(graph))])


def register_lines(
    graph: Graph, own: Mapping[str, ExitTest] = NO_TESTS
) -> tuple[tuple[ExitLine, ...], tuple[str, ...]]:
    """Lines of the register, the most bound first; types that it lacks.

    `own`: the site's own tests, by entry.
    """
    counted = tokens(graph)
    entries: dict[str, tuple[Exit, list[str]]] = {}
    unknown: list[str] = []
    for token in sorted(counted):
        entry = exit_of(token)
        if entry is None:
            unknown.append(token)
        else:
            entries.setdefault(entry.name, (entry, []))[1].append(token)
    order = [*reversed(Portability)]
    lines = [
        _line(entry, names, sum(counted[one] for one in names), own.get(entry.name))
        for entry, names in entries.values()
    ]
    return tuple(sorted(lines, key=lambda one: (order.index(one.portability), one.name))), tuple(unknown)


def _line(entry: Exit, names: Sequence[str], resources: int, own: ExitTest | None) -> ExitLine:
    tested = entry.tested
    if own is not None and not (isinstance(tested, ExitTest) and tested.date > own.date):
        tested = ExitTest(date=own.date, by=f"{own.by} (stack file)")
    return ExitLine(
        name=entry.name,
        portability=entry.portability,
        resources=resources,
        types=tuple(names),
        replacement=entry.replacement,
        export=entry.export,
        tested=f"{tested.date}: {tested.by}" if isinstance(tested, ExitTest) else tested,
        source=entry.source.name if entry.source else None,
    )


def other_cluster(kind: ClusterKind, here: Graph, there: Graph) -> OtherCluster:
    """What differs between the graphs of the same stack file."""
    mine, other = set(tokens(here)), set(tokens(there))
    return OtherCluster(kind, (), tuple(sorted(other - mine)), tuple(sorted(mine - other)))


def render_exit(register: ExitRegister, console: Console) -> None:
    """Print the register, one entry each, then the other kinds of clusters."""
    bound = [one for one in register.lines if one.portability is not Portability.PORTABLE]
    for one in bound:
        console.print(Text(f"{one.name}: {one.portability.value}, {one.resources} resources", style="bold"))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
        for key in ("replacement", "export", "tested"):
            table.add_row(f"  {key}", Text(str(getattr(one, key))))
        console.print(table)
    rest = sum(one.resources for one in register.lines if one.portability is Portability.PORTABLE)
    console.print(Text(f"portable: {rest} resources"))
    for token in register.unknown:
        console.print(Text(f"{token}: not in the register: add it to catalogue/exit.yaml"))
    console.print()
    console.print(
        Text(f"The same stack file, which is for {register.kind.value}, on other clusters", style="bold")
    )
    for line in cluster_lines(register):
        console.print(Text(line))


def cluster_lines(register: ExitRegister) -> Iterator[str]:
    """What differs on each other kind of cluster."""
    for one in register.clusters:
        name = one.kind.value
        if one.problems:
            yield f"{name}: {len(one.problems)} keys differ"
            yield from (f"  {problem}" for problem in one.problems)
            continue
        yield f"{name}: planned as it is" + ("" if one.added or one.removed else ", with the same types")
        yield from (f"  more: {token}" for token in one.added)
        yield from (f"  less: {token}" for token in one.removed)
