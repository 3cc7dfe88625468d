"""Charts that a graph installs."""

from typing import Any

from tests.components.harness import Graph, Registered


def installs(graph: Graph) -> list[Registered]:
    return graph.of("Release")


def installed(graph: Graph, logical: str) -> Registered:
    """The one with this logical name."""
    found = [entry for entry in installs(graph) if entry.name == logical]
    assert len(found) == 1, [entry.name for entry in installs(graph)]
    return found[0]


def values_of(graph: Graph, logical: str) -> dict[str, Any]:
    return installed(graph, logical).inputs["values"]
