"""Test pods of kubernetes/pod-security-admission, and their containers as those of debuggers."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

VERSION = "v1.33"
"""The version of the levels that they are for."""
FIXTURES = Path(
    os.environ.get("CORRAL_POD_SECURITY")
    or Path(__file__).parents[3] / "shared" / "fixtures" / "pod-security" / VERSION
)
"""`LEVEL/{pass,fail}/*.yaml`."""
_COUNTS = {"baseline": {True: 29, False: 11}, "restricted": {True: 69, False: 19}}
"""Pods of Kubernetes 1.33 by whether they violate the level."""
_NOT_OF_DEBUGGERS = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources")
"""Fields that the API server takes of no debugger's container."""

Case = tuple[str, bool, dict[str, Any]]
"""Name, whether it violates the level, and the pod."""


def levels(level: str) -> Mapping[bool, int]:
    """How many pods violate `level`, and how many do not."""
    return _COUNTS[level]


def pods(level: str) -> Iterator[Case]:
    """Every test pod of a level."""
    for verdict in ("pass", "fail"):
        for file in sorted((FIXTURES / level / verdict).glob("*.yaml")):
            yield file.stem, verdict == "fail", yaml.safe_load(file.read_text())


def debugged(level: str) -> Iterator[Case]:
    """The level's plainest pod with the containers of each other beside it, as a debugger brings them.

    Only pods that differ from the plainest one by their containers alone: what violates is in these.
    """
    base = yaml.safe_load((FIXTURES / level / "pass" / "base.yaml").read_text())
    for name, stops, pod in pods(level):
        several = [*pod["spec"].get("containers", ()), *pod["spec"].get("initContainers", ())]
        if _around(pod) != _around(base) or any(key in one for one in several for key in _NOT_OF_DEBUGGERS):
            continue
        beside = [{**one, "name": f"debugger-{index}"} for index, one in enumerate(several)]
        yield name, stops, {**base, "spec": {**base["spec"], "ephemeralContainers": beside}}


def _around(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a pod is beside its containers and its name."""
    spec = {key: value for key, value in pod["spec"].items() if value != {} and not key.endswith("ontainers")}
    return {"annotations": pod["metadata"].get("annotations"), "spec": spec}
