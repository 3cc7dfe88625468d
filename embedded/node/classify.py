"""Which pods run here as processes, which are simulated, and which are refused."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from corral.embedded.kube import Object, Objects
from corral.embedded.node.context import Classification
from corral.embedded.node.row import Omitted, Row, fits
from corral.embedded.objects import at, child, condition

SIMULATED, PROCESS, OMITTED, REFUSED = (
    f"corral.dev/{word}" for word in ("Simulated", "Process", "Omitted", "Refused")
)
HOOK = "helm.sh/hook"
Find = Callable[[str], Row | Omitted | None]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a pod."""

    classification: Classification
    reason: str
    """CamelCase word for the status."""
    message: str
    rows: Mapping[str, Row | Omitted] = field(default_factory=dict[str, Row | Omitted])
    """By container name; for classification `process`."""
    failed: bool = False
    """Refused for good: the pod fails instead of waiting."""


def finder() -> Find:
    """The table of programs; `CORRAL_NODE_ROWS` names a module whose `TABLE` is asked first (for tests)."""
    programs = importlib.import_module("corral.embedded.node.programs")
    extra = os.environ.get("CORRAL_NODE_ROWS")
    table = cast(tuple[Row | Omitted, ...], importlib.import_module(extra).TABLE if extra else ())

    def find(image: str) -> Row | Omitted | None:
        own = next((entry for entry in table if fits(entry.image, image)), None)
        return own or cast(Row | Omitted | None, programs.find(image))

    return find


def every_container(pod: Object) -> Objects:
    """Init containers first."""
    return [
        *cast(Objects, pod["spec"].get("initContainers") or []),
        *cast(Objects, pod["spec"]["containers"]),
    ]


def classify(pod: Object, find: Find, hook: bool) -> Verdict:
    """Decide by the images of the pod's containers.

    Args:
        hook: whether the pod belongs to a chart hook.
    """
    containers = every_container(pod)
    found = {str(c["name"]): find(str(c["image"])) for c in containers}
    unknown = [c for c in containers if found[c["name"]] is None]
    if not any(isinstance(entry, Row) for entry in found.values()):
        images = ", ".join(str(c["image"]) for c in containers)
        if hook:
            return Verdict("refused", "CorralNoRow", f"no row for chart hook with {images}", failed=True)
        return Verdict("simulated", "NoRow", f"no row for {images}")
    if unknown:
        names = ", ".join(f"{c['name']} ({c['image']})" for c in unknown)
        return Verdict("refused", "CorralRefused", f"containers without a row, nor declared omitted: {names}")
    rows = {name: entry for name, entry in found.items() if entry is not None}
    return Verdict("process", "Row", ", ".join(e.name for e in rows.values() if isinstance(e, Row)), rows)


def unsupported(pod: Object) -> str | None:
    """What of the pod this node cannot do at all, in words; None when nothing."""
    spec = pod["spec"]
    asked = [key for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace") if spec.get(key)]
    for container in every_container(pod):
        if at(container, "securityContext", "privileged"):
            asked.append(f"{container['name']}: privileged")
        if at(container, "lifecycle", "postStart"):
            asked.append(f"{container['name']}: lifecycle.postStart")
        if {"httpGet", "tcpSocket"} & {*child(container, "lifecycle", "preStop")}:
            asked.append(f"{container['name']}: lifecycle.preStop other than exec and sleep")
        if container.get("volumeDevices"):
            asked.append(f"{container['name']}: volumeDevices")
    if spec.get("ephemeralContainers"):
        asked.append("ephemeralContainers")
    return f"not supported here: {', '.join(asked)}" if asked else None


def is_true(pod: Object, kind: str) -> bool:
    return (condition(pod, kind) or {}).get("status") == "True"
