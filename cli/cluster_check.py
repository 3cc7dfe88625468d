"""What a stack's existing cluster has and lacks, asked before anything is made on it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from corral.embedded.engine.engine import EngineError

EXAMINE = "corral.stacks.deploy.clusters.examine"
"""A process of its own, since it knows Pulumi."""
REFUSED = "refused"


@dataclass(frozen=True)
class CheckFinding:
    """One thing that was looked at in a cluster."""

    check: str
    level: str
    """`fine`, `warning`, or `refused`: the platform cannot run there, or not as its profile says."""
    message: str
    evidence: str
    """Object or answer of the API that shows it; empty where the message is an assumption."""


@dataclass(frozen=True)
class ClusterCheck:
    """What is known of a stack's cluster."""

    server: str
    """Address of its API; empty where it was not read."""
    findings: tuple[CheckFinding, ...]
    unchecked: str
    """Why it was not read; empty where it was."""

    @property
    def fine(self) -> bool:
        """Whether it was read, and nothing of it is refused."""
        return not self.unchecked and not any(one.level == REFUSED for one in self.findings)


def checked(file: Path, *, probe: bool) -> ClusterCheck:
    """The cluster of the stack of `file`; `probe`: its NetworkPolicies are tried.

    Raises:
        EngineError: the program fails.
    """
    command = [sys.executable, "-m", EXAMINE, str(file), *(["probe"] if probe else [])]
    done = subprocess.run(command, cwd=file.parent, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise EngineError("the cluster could not be examined; the reason is above")
    content = json.loads(done.stdout)
    findings = tuple(CheckFinding(**one) for one in content["findings"])
    return ClusterCheck(content["server"], findings, content["unchecked"])


def show(check: ClusterCheck, console: Console) -> None:
    """Print it, one line for each finding."""
    console.print(Text(f"\nCluster {check.server}".rstrip()))
    if check.unchecked:
        console.print(Text(f"not checked: {check.unchecked}"))
    for one in check.findings:
        console.print(Text(f"{one.level}: {one.check}: {one.message}"))
