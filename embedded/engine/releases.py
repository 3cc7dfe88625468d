"""Helm releases that an interrupted run left half done: Helm refuses their names until they are settled."""

from collections.abc import Iterable
from dataclasses import dataclass

from corral.embedded.kube import Object

TYPE = "kubernetes:helm.sh/v3:Release"
SECONDS = 180


@dataclass(frozen=True)
class Unfinished:
    """A release that was being worked on when the engine ended."""

    namespace: str
    name: str
    created: bool
    """It was being installed; else upgraded or removed."""

    @property
    def settling(self) -> list[str]:
        """Arguments of the `helm` that brings it to a state from which Pulumi can go on.

        What was half installed is removed, and installed anew by the next `up`; what was half upgraded goes
        back to what ran before.
        """
        place = ["--namespace", self.namespace, "--wait", "--timeout", f"{SECONDS}s"]
        if self.created:
            return ["uninstall", self.name, "--ignore-not-found", *place]
        return ["rollback", self.name, *place]

    @property
    def question(self) -> list[str]:
        """Arguments of the `helm` that tells its status as JSON."""
        return ["status", self.name, "--namespace", self.namespace, "--output", "json"]


def unfinished(operations: Iterable[Object]) -> list[Unfinished]:
    """Releases among the pending operations of an exported state."""
    releases = [(one["type"], one["resource"]) for one in operations if one["resource"]["type"] == TYPE]
    return [
        Unfinished(resource["inputs"]["namespace"], resource["inputs"]["name"], kind == "creating")
        for kind, resource in releases
    ]
