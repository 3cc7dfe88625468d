"""`up` of each committed stack that a test brings up, beside the same objects by Helm and kubectl."""

import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from bench.figures import Figure
from bench.processes import run


@dataclass(frozen=True)
class StackTest:
    """A test that brings a committed stack up, and by which variables it does."""

    file: str
    variables: Mapping[str, str]


TESTS = {
    "onprem": StackTest("tests/door/test_onprem.py", {}),
    "edge": StackTest("tests/door/test_edge.py", {"CORRAL_EDGE_STACK": "1"}),
    "eks-eu": StackTest("tests/providers/test_eks_stack.py", {"CORRAL_EKS_STACK": "eks-eu"}),
    "eks-eusc": StackTest("tests/providers/test_eks_stack.py", {"CORRAL_EKS_STACK": "eks-eusc"}),
    "gke-eu": StackTest("tests/providers/test_gke_stack.py", {"CORRAL_GKE_STACK": "1"}),
}


def stacks() -> Iterator[Figure]:
    """`up` and `up` without a change, beside the same objects by Helm and kubectl, of each stack but dev."""
    for name, test in TESTS.items():
        told = measured(test)
        peer = f"helm template and kubectl apply of {told['objects']} objects"
        yield Figure(f"{name}: up", float(told["up"]), "s", peer, float(told["applied"]))
        yield Figure(f"{name}: rounds of kubectl apply", float(told["rounds"]), "")
        again, dry = float(told["again"]), float(told["dry"])
        yield Figure(f"{name}: up, nothing to change", again, "s", f"{peer}, dry", dry)


def measured(test: StackTest) -> Mapping[str, str]:
    """What the test has recorded.

    Raises:
        RuntimeError: it failed; the text is the end of its output.
    """
    with tempfile.TemporaryDirectory(prefix="corral-bench-") as scratch:
        report = Path(scratch) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            "-o",
            "junit_family=xunit1",
        ]
        run([*command, f"--junitxml={report}", test.file], {**test.variables, "CORRAL_STACK_FIGURES": "1"})
        return recorded(report)


def recorded(report: Path) -> Mapping[str, str]:
    """Properties of all tests in a report of JUnit's form."""
    return {one.attrib["name"]: one.attrib["value"] for one in ElementTree.parse(report).iter("property")}
