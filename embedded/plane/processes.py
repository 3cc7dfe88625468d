"""Processes of this machine, known by pid and start time: a pid alone may belong to a stranger by now."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TERMINATION_SECONDS = 10.0


@dataclass(frozen=True)
class Process:
    """One process; never a later one with the same pid."""

    pid: int
    start: int
    """Start time in clock ticks since boot (`/proc/<pid>/stat`, field 22)."""

    @staticmethod
    def of(pid: int) -> "Process | None":
        """The process that has `pid` now; None when there is none or it is only waiting to be reaped."""
        stat = _stat(pid)
        return None if stat is None or stat[0] in "ZX" else Process(pid, stat[1])

    @property
    def alive(self) -> bool:
        return Process.of(self.pid) == self

    def open(self) -> int | None:
        """A pidfd, readable once the process has ended with all its threads; None when it is gone.

        A program that was killed waits to be reaped while threads of it still hold its ports.
        """
        try:
            descriptor = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return None
        # Checked after opening: from here on the descriptor cannot mean another process.
        stat = _stat(self.pid)
        if stat is not None and stat[1] == self.start:
            return descriptor
        os.close(descriptor)
        return None

    def send(self, number: int) -> None:
        """Send a signal; nothing happens when the process is gone."""
        descriptor = self.open()
        if descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, number)
            os.close(descriptor)

    @property
    def memory(self) -> int:
        """Resident memory in bytes; 0 when it has ended."""
        try:
            pages = int((PROC / str(self.pid) / "statm").read_text().split()[1])
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> tuple[str, int] | None:
    """(state, start time) of the process with `pid`; None when there is none."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is a name in parentheses and may hold spaces and parentheses itself.
    fields = stat[stat.rindex(")") + 2 :].split()
    return fields[0], int(fields[19])


def running(argv: Sequence[str]) -> Process | None:
    """The process of this user that was started with exactly `argv`."""
    command_line = b"\0".join(os.fsencode(part) for part in argv) + b"\0"
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if (entry / "cmdline").read_bytes() == command_line and entry.stat().st_uid == os.getuid():
                process = Process.of(int(entry.name))
                if process:
                    return process
    return None


def with_variable(name: str, value: str) -> list[Process]:
    """Processes of this user that were started with `name` as `value` in their environment."""
    needle = os.fsencode(f"{name}={value}")
    processes: list[Process | None] = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == os.getuid() and needle in (entry / "environ").read_bytes().split(
                    b"\0"
                ):
                    processes.append(Process.of(int(entry.name)))
    return [process for process in processes if process]


def end(processes: Iterable[Process], grace: float = TERMINATION_SECONDS) -> None:
    """End all `processes`: SIGTERM to each, SIGKILL to those left after `grace` seconds.

    Raises:
        TimeoutError: one survives SIGKILL for as long again (it hangs in the kernel).
    """
    alive = list(processes)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in alive:
            process.send(number)
        alive = wait(alive, grace)
        if not alive:
            return
    stuck = ", ".join(str(process.pid) for process in alive)
    raise TimeoutError(f"process {stuck} does not end, not even by SIGKILL")


def wait(processes: Iterable[Process], seconds: float) -> list[Process]:
    """Those that have not ended after `seconds`; returns as soon as all have."""
    limit = time.monotonic() + seconds
    alive: list[Process] = []
    for process in processes:
        descriptor = process.open()
        if descriptor is None:
            continue
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        ended = poll.poll(max(0.0, limit - time.monotonic()) * 1000)
        os.close(descriptor)
        if ended:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
        else:
            alive.append(process)
    return alive
