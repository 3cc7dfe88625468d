"""One run of a container: its shim, its process, how it ended; all in files, so that any node adopts it."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from corral.embedded.home import write_private
from corral.embedded.plane.processes import Process

SHIM = Path(__file__).with_name("shim.py")
_children: dict[int, "subprocess.Popen[bytes]"] = {}


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    code: int
    """Exit code; 128 plus the signal's number when a signal ended it."""
    finished: float
    """Seconds since the epoch."""
    signal: int | None = None
    problem: str | None = None
    """Why the program could not be started; or that its end was not seen."""

    @property
    def reason(self) -> str:
        if self.problem and self.signal is None:
            return "StartError"
        return "Completed" if self.code == 0 else "Error"


@dataclass(frozen=True)
class Attempt:
    """Run number `number` (from 0) of the container whose folder is `folder`."""

    folder: Path
    number: int

    def file(self, kind: str) -> Path:
        return self.folder / f"{self.number}.{kind}"

    @property
    def log(self) -> Path:
        return self.file("log")

    @property
    def level(self) -> int:
        """How many runs in a row ended soon before this one."""
        return int(_load(self.file("attempt.json")).get("level", 0))

    @property
    def begun(self) -> float:
        """Seconds since the epoch."""
        return float(_load(self.file("attempt.json")).get("begun", 0.0))

    @property
    def shim(self) -> Process | None:
        record = _load(self.file("process.json"))
        return Process(record["shim"], record["shim_start"]) if "shim" in record else None

    @property
    def process(self) -> Process | None:
        """The program's process, running or not."""
        record = _load(self.file("process.json"))
        return Process(record["pid"], record["start"]) if "pid" in record else None

    @property
    def outcome(self) -> Outcome | None:
        """How it ended; None while it runs."""
        record = _load(self.file("exit.json"))
        if not record:
            return None
        code = int(record["code"])
        number = -code if code < 0 else None
        return Outcome(
            128 - code if code < 0 else code, float(record["finished"]), number, record.get("problem")
        )

    async def ended(self) -> Outcome:
        """Wait for the end. A shim that was killed itself takes its process along: exit code 137."""
        for process in (self.shim, self.process):
            if process is not None:
                await ended(process)
        if self.outcome is None:
            problem = "the shim of this container was killed"
            record = {"code": -signal.SIGKILL, "finished": time.time(), "problem": problem}
            write_private(self.file("exit.json"), json.dumps(record))
        record = self.outcome
        assert record is not None
        return record

    def send(self, number: int) -> None:
        """Send a signal to the program (SIGKILL), or through its shim (every other)."""
        target = self.process if number == signal.SIGKILL else self.shim
        if target:
            target.send(number)


def latest(folder: Path) -> Attempt | None:
    """The last run of the container with this folder."""
    numbers = [int(path.name.split(".")[0]) for path in folder.glob("*.attempt.json")]
    return Attempt(folder, max(numbers)) if numbers else None


def latest_runs(pod: Path) -> list[Attempt]:
    """The last run of every container in a pod's folder."""
    attempts = [latest(folder) for folder in pod.iterdir() if folder.is_dir()]
    return [attempt for attempt in attempts if attempt]


async def start(attempt: Attempt, argv: Sequence[str], env: Mapping[str, str], **settings: Any) -> None:
    """Start the run and return once the program runs, or could not be started (its outcome says so).

    `settings` are the shim's: cwd, uid, gid, groups, root, binds, hidden; and level, begun.
    The environment goes to the shim by standard input, so that it never stands in a file.
    """
    gate, started = os.pipe()
    try:
        os.set_blocking(gate, False)
        content = {
            **settings,
            "argv": list(argv),
            "log": str(attempt.log),
            "process": str(attempt.file("process.json")),
            "exit": str(attempt.file("exit.json")),
            "started": started,
        }
        write_private(attempt.file("attempt.json"), json.dumps(content))
        with os.fdopen(os.open(attempt.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
            child = subprocess.Popen(  # noqa: ASYNC220 - returns at once; the wait below is asynchronous
                [sys.executable, "-I", "-S", str(SHIM), str(attempt.file("attempt.json"))],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(started,),
                start_new_session=True,
                cwd="/",
                env={},
            )
        _children[child.pid] = child
        assert child.stdin is not None
        with contextlib.suppress(BrokenPipeError), child.stdin as stream:
            stream.write(json.dumps(dict(env)).encode())
    finally:
        os.close(started)
    try:
        await _readable(gate)
    finally:
        os.close(gate)


async def ended(process: Process) -> None:
    """Wait until `process` has ended; reaps it when it is a child of this node."""
    descriptor = process.open()
    if descriptor is not None:
        try:
            await _readable(descriptor)
        finally:
            os.close(descriptor)
    child = _children.pop(process.pid, None)
    if child is not None:
        child.wait()


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def _load(path: Path) -> dict[str, Any]:
    try:
        return cast(dict[str, Any], json.loads(path.read_text()))
    except FileNotFoundError:
        return {}
