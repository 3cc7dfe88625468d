"""Keeps the programs of one plane running: `python -m corral.embedded.plane.supervisor --home <folder>`.

It adopts what runs already, starts what does not, and restarts what ends, a bounded number of times. `up`
hands it a pipe on which it says what it waits for, `failed: …` or `ready`; the pipe ends with the start.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from corral.embedded.home import PlaneHome
from corral.embedded.plane import kubeconfig
from corral.embedded.plane.control import Program, programs, tail
from corral.embedded.plane.daemons import daemons
from corral.embedded.plane.processes import Process, running
from corral.embedded.plane.readiness import api_server, egress, nodes
from corral.embedded.plane.record import PlaneRecord
from corral.embedded.plane.state import PlaneState, ProgramState

RESTARTS = 5
RESTART_WINDOW_SECONDS = 300.0
START_SECONDS = 90.0
LARGEST_LOG = 16 * 1024 * 1024
NEEDED_BYTES = 64 * 1024 * 1024
"""Free space without which a program that ended is not started again: etcd allocates as much at once."""
SPACE_INTERVAL_SECONDS = 2.0
SAVE_AGAIN_SECONDS = 5.0

READY = "ready"
FAILED = "failed: "


class StartFailed(Exception):
    """A program of the plane does not come up."""


@dataclass(frozen=True)
class Ended:
    """A program was seen to end; `code` is known for own children only."""

    code: int | None

    def __str__(self) -> str:
        if self.code is None:
            return "ended"
        if self.code < 0:
            return f"ended by {signal.Signals(-self.code).name}"
        return f"exited with {self.code}"


class Keeper:
    """Keeps one program running."""

    def __init__(self, program: Program, changed: Callable[[], None]) -> None:
        self.program = program
        self.state = ProgramState("waiting")
        self.failure: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.restarted = asyncio.Event()
        self._changed = changed
        self._ends: deque[float] = deque()
        self._renewed = False

    def renew(self) -> None:
        """End the program, so that it is started again; this is no failure of it."""
        if self.state.process:
            self._renewed = True
            self.state.process.send(signal.SIGTERM)

    async def run(self) -> None:
        """Adopt or start the program, and start it again whenever it ends, until there is no hope."""
        process = running(self.program.argv) or self._start()
        while process:
            self._set_state(replace(self.state, phase="running", process=process, note=""))
            end = await _ended(process)
            if await self._space(end) or self._renewed:
                self._ends.clear()
            self._renewed = False
            now = time.monotonic()
            self._ends.append(now)
            while self._ends[0] < now - RESTART_WINDOW_SECONDS:
                self._ends.popleft()
            count = len(self._ends)
            if count > RESTARTS:
                return self._fail(f"{end}, {count} times in {RESTART_WINDOW_SECONDS / 60:.0f} minutes")
            self._set_state(replace(self.state, phase="restarting", process=None, note=str(end)))
            # The first comes at once; more ends in a row are given time to find their cause gone.
            await asyncio.sleep(0.25 * (2 ** (count - 1) - 1))
            self.state = replace(self.state, restarts=self.state.restarts + 1)
            process = self._start()
            self.restarted.set()
        return None

    async def _space(self, end: Ended) -> bool:
        """Wait for free space where the program writes; whether there was too little."""
        full = False
        while _free(self.program.log.parent) < NEEDED_BYTES:
            if not full:
                note = f"{end}; waits for free space: less than {NEEDED_BYTES // 2**20} MiB are left"
                self._set_state(replace(self.state, phase="waiting", process=None, note=note))
                _log(f"{self.program.name} {note}")
            full = True
            await asyncio.sleep(SPACE_INTERVAL_SECONDS)
        return full

    def _start(self) -> Process | None:
        program = self.program
        try:
            if program.log.exists() and program.log.stat().st_size > LARGEST_LOG:
                program.log.replace(program.log.with_suffix(".log.1"))
            program.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with program.log.open("ab") as output:
                started = subprocess.Popen(
                    program.argv,
                    cwd=program.cwd,
                    env={**os.environ, **program.env},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as cause:
            self._fail(f"cannot be started: {cause}")
            return None
        # A child that ended at once is a zombie until it is waited for: its start time is still there.
        return Process.of(started.pid) or Process(started.pid, -1)

    def _fail(self, note: str) -> None:
        self._set_state(replace(self.state, phase="failed", process=None, note=note))
        self.failure.set_result(f"{self.program.name} {note}\n{tail(self.program.log)}")

    def _set_state(self, state: ProgramState) -> None:
        self.state = state
        self._changed()


async def _ended(process: Process) -> Ended:
    descriptor = process.open()
    if descriptor is not None:
        loop = asyncio.get_running_loop()
        gone = asyncio.Event()
        loop.add_reader(descriptor, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
    with contextlib.suppress(ChildProcessError):
        pid, status = os.waitpid(process.pid, os.WNOHANG)  # noqa: ASYNC222 (does not block)
        if pid:
            return Ended(os.waitstatus_to_exitcode(status))
    return Ended(None)


def _free(folder: Path) -> int:
    """Bytes that are free where `folder` is."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _log(line: str) -> None:
    # The log is on the disk that may be full.
    with contextlib.suppress(OSError):
        print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}", file=sys.stderr, flush=True)


class Supervisor:
    """All programs of one plane."""

    def __init__(self, home: PlaneHome, record: PlaneRecord, report: Callable[[str], None]) -> None:
        self._home = home
        self._record = record
        self._report = report
        self._ready = False
        self._again: asyncio.TimerHandle | None = None
        control = programs(home)
        self._control = {program.name: Keeper(program, self._save) for program in control}
        self._daemons = {program.name: Keeper(program, self._save) for program in daemons(home)}
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Start everything, report, and keep it running until SIGTERM."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        self._save()
        start = asyncio.create_task(self._start())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([start, stopping], return_when=asyncio.FIRST_COMPLETED)
        if start.done() and (problem := start.exception()):
            self._report(FAILED + str(problem))
        elif start.done():
            self._ready = True
            self._save()
            self._report(READY)
        await stopping

    async def _start(self) -> None:
        self._keep(self._control)
        self._report("waiting for the API server")
        await self._within(api_server(self._home, self._record), "kube-apiserver")
        kubeconfig.write(self._home, self._record)
        self._keep(self._daemons)
        self._tasks.append(asyncio.create_task(self._renew_simulation()))
        self._report("waiting for the process node")
        await self._within(egress(self._record), "node")
        self._report("waiting for the simulated machines")
        await self._within(nodes(self._home, self._record), "hardware")

    async def _renew_simulation(self) -> None:
        """Start kwok anew with the API server: it gives up what a dying one does not answer."""
        api = self._control["kube-apiserver"]
        while True:
            await api.restarted.wait()
            api.restarted.clear()
            ready = asyncio.create_task(api_server(self._home, self._record))
            await asyncio.wait([ready, api.failure], return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                ready.cancel()
                return
            self._control["kwok-controller"].renew()

    def _keep(self, keepers: dict[str, Keeper]) -> None:
        self._tasks += [asyncio.create_task(keeper.run()) for keeper in keepers.values()]

    async def _within(self, event: Awaitable[None], name: str) -> None:
        """Await `event`, for a bounded time and only as long as every program has hope."""
        waiting = asyncio.ensure_future(event)
        keepers = {**self._control, **self._daemons}
        failures = [keeper.failure for keeper in keepers.values()]
        await asyncio.wait(
            [waiting, *failures, *self._tasks], timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED
        )
        if waiting.done():
            return waiting.result()
        waiting.cancel()
        for future in failures:
            if future.done():
                raise StartFailed(future.result())
        for task in self._tasks:
            if task.done():
                task.result()
        raise StartFailed(
            f"{name} is not ready after {START_SECONDS:.0f} s\n{tail(keepers[name].program.log)}"
        )

    def _save(self) -> None:
        """Write the state; when the disk does not take it, again later: supervision goes on without."""
        keepers = {**self._control, **self._daemons}
        state = PlaneState(
            supervisor=Process.of(os.getpid()),
            ready=self._ready,
            programs={name: keeper.state for name, keeper in keepers.items()},
        )
        if self._again is not None:
            self._again.cancel()
            self._again = None
        try:
            state.save(self._home)
        except OSError as cause:
            _log(f"the state of the plane cannot be written: {cause}")
            self._again = asyncio.get_running_loop().call_later(SAVE_AGAIN_SECONDS, self._save)


def reporter(descriptor: int) -> Callable[[str], None]:
    """Writes one report a line (newlines of it as NUL) and closes the pipe after the last."""
    pipe = os.fdopen(descriptor, "w", buffering=1)

    def report(line: str) -> None:
        # `up` may have been interrupted: the plane comes up all the same.
        with contextlib.suppress(BrokenPipeError):
            pipe.write(line.replace("\n", "\0") + "\n")
            if line == READY or line.startswith(FAILED):
                pipe.close()

    return report


async def supervise(home: PlaneHome, report: Callable[[str], None]) -> None:
    await Supervisor(home, PlaneRecord.load(home), report).run()


def main() -> Literal[0]:
    parser = argparse.ArgumentParser(prog="corral.embedded.plane.supervisor")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--report", type=int, required=True, help="file descriptor of the pipe to `up`")
    parser.add_argument("--claim", type=int, required=True, help="file descriptor that holds the addresses")
    arguments = parser.parse_args()
    asyncio.run(supervise(PlaneHome(arguments.home), reporter(arguments.report)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
