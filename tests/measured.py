"""What `python -m bench stacks` reads of a stack's test: its `up`, and the same objects by Helm and kubectl.

Helm and kubectl get what the state has of Kubernetes, secrets and charts among it, on the same cluster.
"""

import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bench import applied
from tests.door.newcomer import Newcomer

from corral.embedded import toolchain

VARIABLE = "CORRAL_STACK_FIGURES"
Record = Callable[[str, object], None]
"""pytest's `record_property`."""

measured = pytest.mark.skipif(
    VARIABLE not in os.environ, reason=f"{VARIABLE} is not set: nothing is measured"
)


@dataclass
class Peer:
    """Helm and kubectl, and the objects of a stack while it is there."""

    newcomer: Newcomer
    stack: str
    kubeconfig: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    """By which Helm reaches the site's registry."""
    rendering: float = 0

    @property
    def file(self) -> Path:
        """Where the objects go, with their secrets."""
        return self.newcomer.home / "objects.json"

    def kubectl(self) -> Sequence[str]:
        """The command, which knows nothing of the cluster's types yet."""
        cache = tempfile.mkdtemp(dir=self.newcomer.home, prefix="kubectl-")
        kubectl = [str(toolchain.tool("kubectl")), f"--cache-dir={cache}"]
        return [*self.newcomer.enter, *kubectl, "--kubeconfig", str(self.kubeconfig)]

    def beside_no_change(self, record: Record) -> None:
        """Apply what is there once more, as a dry run."""
        exported = self.newcomer.done("pulumi", "stack", "export", "--show-secrets", "-s", self.stack)
        state: Sequence[Mapping[str, Any]] = json.loads(exported)["deployment"]["resources"]
        self.file.touch(mode=0o600)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.variables.items():
                patch.setenv(name, value)
            self.rendering, count = applied.printed(applied.of_kubernetes(state), self.file)
        assert count
        seconds, _ = applied.applied(self.kubectl(), self.file, "--dry-run=server")
        record("objects", count)
        record("dry", self.rendering + seconds)

    def beside_first_up(self, record: Record) -> None:
        """Apply the same where nothing of the stack is."""
        seconds, rounds = applied.applied(self.kubectl(), self.file)
        record("applied", self.rendering + seconds)
        record("rounds", rounds)
