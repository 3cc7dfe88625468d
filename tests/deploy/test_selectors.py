"""What Services and network policies of the platform select: pods of one workload."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.marks import first_of

from corral.components._recorded import Recorded
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import read_lock
from corral.stacks.deploy.graph import graph
from corral.stacks.planning.planner import plan

STACKS = sorted(Path(__file__).parents[2].glob("Pulumi.*.yaml"))
WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job")


def selectors(graph: Iterable[Recorded]) -> Iterator[tuple[Recorded, Mapping[str, str]]]:
    """Services and network policies with the labels that they select by; not those for a whole namespace."""
    for one in graph:
        spec: Mapping[str, Any] = one.inputs.get("spec") or {}
        if one.kind == "Service" and spec.get("selector"):
            yield one, spec["selector"]
        elif one.kind == "NetworkPolicy" and spec["podSelector"].get("matchLabels"):
            yield one, spec["podSelector"]["matchLabels"]


def selected(graph: Iterable[Recorded], namespace: str, labels: Mapping[str, str]) -> set[tuple[str, str]]:
    """Kind and name of each workload in `namespace` with pods that have these `labels`."""
    return {
        (one.kind, one.name)
        for one in graph
        if one.kind in WORKLOADS
        and one.inputs["metadata"]["namespace"] == namespace
        and labels.items() <= one.inputs["spec"]["template"]["metadata"]["labels"].items()
    }


@pytest.mark.parametrize("file", first_of(STACKS), ids=lambda file: file.name.split(".")[1])
def test_no_service_or_network_policy_takes_pods_of_a_second_workload_for_its_own(file):
    resources = graph(plan(read(file), stack_of(file), read_lock(file), pinned=False))
    found = {
        (one.kind, one.name): selected(resources, one.inputs["metadata"]["namespace"], labels)
        for one, labels in selectors(resources)
    }
    assert {key: several for key, several in found.items() if len(several) > 1} == {}
    assert found
