"""End every process of a plane's pods, with or without a running node."""

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Iterable
from typing import Any, cast

from corral.embedded.home import PlaneHome
from corral.embedded.plane.processes import Process, end

GRACE_SECONDS = 20.0
RECORDING_SECONDS = 5.0
STOPPED = "stopped"
"""File in a container's folder: the plane was stopped, so its end counts as no crash."""


def processes(home: PlaneHome) -> list[Process]:
    """Every shim and process that the plane's pods were started with and that still runs."""
    shims, programs = _recorded(home)
    return [*shims, *programs]


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
    _send(shims, signal.SIGTERM)
    _wait(shims, grace)
    _send(programs, signal.SIGKILL)
    _wait(shims, RECORDING_SECONDS)
    end([process for process in (*shims, *programs) if process.alive], RECORDING_SECONDS)
    return len(shims) + len(programs)


def _send(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in processes:
        descriptor = process.open()
        if descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
            os.close(descriptor)


def _wait(processes: Iterable[Process], seconds: float) -> None:
    """Wait until all have ended or `seconds` have passed."""
    limit = time.monotonic() + seconds
    for process in processes:
        descriptor = process.open()
        if descriptor is not None:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(max(0.0, limit - time.monotonic()) * 1000)
            os.close(descriptor)


def _recorded(home: PlaneHome) -> tuple[list[Process], list[Process]]:
    shims: list[Process] = []
    programs: list[Process] = []
    for path in home.pods.glob("*/*/*.process.json"):
        content = cast(dict[str, Any], json.loads(path.read_text()))
        shims.append(Process(content["shim"], content["shim_start"]))
        if "pid" in content:
            programs.append(Process(content["pid"], content["start"]))
    return [shim for shim in shims if shim.alive], [program for program in programs if program.alive]
