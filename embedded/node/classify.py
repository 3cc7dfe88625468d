"""Which pods run here as processes, which are simulated, and which are refused."""

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, cast

from corral.embedded.kube import Object, Objects
from corral.embedded.node.program_spec import Omitted, ProgramSpec, fits
from corral.embedded.objects import at, child

SIMULATED, PROCESS, OMITTED, REFUSED = (
    f"corral.dev/{word}" for word in ("Simulated", "Process", "Omitted", "Refused")
)
HOOK = "helm.sh/hook"
Classification = Literal["process", "simulated", "refused"]
Find = Callable[[str], ProgramSpec | Omitted | None]


@dataclass(frozen=True)
class Decision:
    """What becomes of a pod."""

    classification: Classification
    reason: str
    """CamelCase word for the status."""
    message: str
    programs: Mapping[str, ProgramSpec | Omitted] = field(default_factory=dict[str, ProgramSpec | Omitted])
    """By container name; for classification `process`."""
    failed: bool = False
    """Refused for good: the pod fails instead of waiting."""


def finder(real_paths: bool = True) -> Find:
    """The table of programs; `CORRAL_NODE_PROGRAMS` names a module whose `TABLE` comes first (for tests).

    Args:
        real_paths: whether processes can have mounts of their own.
    """
    programs = importlib.import_module("corral.embedded.node.programs")
    extra = os.environ.get("CORRAL_NODE_PROGRAMS")
    table = cast(tuple[ProgramSpec | Omitted, ...], importlib.import_module(extra).TABLE if extra else ())

    def find(image: str) -> ProgramSpec | Omitted | None:
        own = next((entry for entry in table if fits(entry.image, image)), None)
        found = own or cast(ProgramSpec | Omitted | None, programs.find(image))
        absent = isinstance(found, ProgramSpec) and found.real_paths_only and not real_paths
        return None if absent else found

    return find


def every_container(pod: Object) -> Objects:
    """Init containers first."""
    return [
        *cast(Objects, pod["spec"].get("initContainers") or []),
        *cast(Objects, pod["spec"]["containers"]),
    ]


def classify(pod: Object, find: Find, hook: bool) -> Decision:
    """Decide by the images of the pod's containers.

    Args:
        hook: whether the pod belongs to a chart hook.
    """
    containers = every_container(pod)
    program_of = {str(c["name"]): find(str(c["image"])) for c in containers}
    unknown = [c for c in containers if program_of[c["name"]] is None]
    if not any(isinstance(entry, ProgramSpec) for entry in program_of.values()):
        images = ", ".join(str(c["image"]) for c in containers)
        if hook:
            return Decision(
                "refused", "CorralNoProgram", f"no program for chart hook with {images}", failed=True
            )
        return Decision("simulated", "NoProgram", f"no program for {images}")
    if unknown:
        names = ", ".join(f"{c['name']} ({c['image']})" for c in unknown)
        return Decision(
            "refused", "CorralRefused", f"containers without a program, nor declared omitted: {names}"
        )
    programs = {name: entry for name, entry in program_of.items() if entry is not None}
    return Decision(
        "process",
        "Program",
        ", ".join(e.name for e in programs.values() if isinstance(e, ProgramSpec)),
        programs,
    )


def unsupported(pod: Object) -> str | None:
    """What of the pod this node cannot do at all, in words; None when nothing."""
    spec = pod["spec"]
    fields = [key for key in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace") if spec.get(key)]
    for container in every_container(pod):
        if at(container, "securityContext", "privileged"):
            fields.append(f"{container['name']}: privileged")
        if at(container, "lifecycle", "postStart"):
            fields.append(f"{container['name']}: lifecycle.postStart")
        if "tcpSocket" in child(container, "lifecycle", "preStop"):
            fields.append(f"{container['name']}: lifecycle.preStop.tcpSocket")
        if container.get("volumeDevices"):
            fields.append(f"{container['name']}: volumeDevices")
    if spec.get("ephemeralContainers"):
        fields.append("ephemeralContainers")
    return f"not supported here: {', '.join(fields)}" if fields else None
