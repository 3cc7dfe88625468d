"""End every process of a plane's pods, with or without a running node."""

import json
import signal
from typing import Any, cast

from corral.embedded.home import PlaneHome
from corral.embedded.plane.processes import Process, end, wait

GRACE_SECONDS = 20.0
RECORDING_SECONDS = 5.0
LEAST_SECONDS = 2.0
"""That a program has after SIGTERM, whatever its hook took; the kubelet leaves as much."""
STOPPED = "stopped"
"""File in a container's folder: the plane was stopped, so its end counts as no crash."""


def processes(home: PlaneHome) -> list[Process]:
    """Every shim and process that the plane's pods were started with and that still runs."""
    shims, programs = _recorded(home)
    return [*shims, *programs]


def left_of(grace: float, spent: float) -> float:
    """Seconds of `grace` that a container has left after its preStop hook took `spent`.

    >>> left_of(30, 5), left_of(30, 30), left_of(1, 0.5)
    (25, 2.0, 2.0)
    """
    return max(grace - spent, LEAST_SECONDS)


def end_all(home: PlaneHome, grace: float = GRACE_SECONDS) -> int:
    """End the processes of all pods of this plane, known by pid and start time; returns how many there were.

    Each program gets SIGTERM through its shim and, after `grace` seconds, SIGKILL; its shim records the
    end. The node itself must have ended before: it would start them again. Mounts end with the processes.

    Raises:
        TimeoutError: a process survives SIGKILL.
    """
    shims, programs = _recorded(home)
    for folder in {path.parent for path in home.pods.glob("*/*/*.attempt.json")}:
        (folder / STOPPED).touch(0o600)
    for shim in shims:
        shim.send(signal.SIGTERM)
    wait(shims, grace)
    for program in programs:
        program.send(signal.SIGKILL)
    wait(shims, RECORDING_SECONDS)
    end([process for process in (*shims, *programs) if process.alive], RECORDING_SECONDS)
    return len(shims) + len(programs)


def _recorded(home: PlaneHome) -> tuple[list[Process], list[Process]]:
    shims: list[Process] = []
    programs: list[Process] = []
    for path in home.pods.glob("*/*/*.process.json"):
        content = cast(dict[str, Any], json.loads(path.read_text()))
        shims.append(Process(content["shim"], content["shim_start"]))
        if "pid" in content:
            programs.append(Process(content["pid"], content["start"]))
    return [shim for shim in shims if shim.alive], [program for program in programs if program.alive]
