"""Runs the Pulumi CLI, keeps what it prints, and tells the events of its event log as they come."""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from corral.embedded.engine.events import Event, EventReporter

QUIET_SECONDS = 10.0
"""After so long without a line, what is being waited for is said."""
Events = queue.SimpleQueue[Event | None]


def follow(
    argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], log: Path, reporter: EventReporter
) -> int:
    """Run `argv` with its output in the file `log`; returns its exit code.

    Events come through a pipe, never a file: they also hold debug messages, which nobody should keep. An
    interrupt of the terminal reaches the program itself: its end is awaited, and what it tells of its own
    interruption is left out.

    What it leaves where temporary files go is gone afterwards: the provider of Kubernetes leaves every
    kubeconfig that it uses there, with its keys.

    Raises:
        KeyboardInterrupt: the program was interrupted, and has ended.
    """
    # A plugin may outlive the program for a moment.
    with tempfile.TemporaryDirectory(
        prefix="corral-", dir=environment.get("TMPDIR"), ignore_cleanup_errors=True
    ) as scratch:
        return _followed(argv, cwd, {**environment, "TMPDIR": scratch}, log, reporter)


def _followed(
    argv: Sequence[str], cwd: Path, environment: Mapping[str, str], log: Path, reporter: EventReporter
) -> int:
    reading, writing = os.pipe()
    events: Events = queue.SimpleQueue()
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as output:
        running = subprocess.Popen(
            [*argv, "--event-log", f"/proc/{os.getpid()}/fd/{writing}"],
            cwd=cwd,
            # The option is one of the CLI's debugging options.
            env={**environment, "PULUMI_DEBUG_COMMANDS": "true"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            umask=0o077,
        )
    interrupted = threading.Event()
    # Only a signal handler of Python's main thread can be replaced.
    previous = signal.signal(signal.SIGINT, lambda _number, _frame: interrupted.set())
    reader = threading.Thread(target=_read, args=(reading, events), daemon=True)
    waiter = threading.Thread(target=_close_at_end, args=(running, writing), daemon=True)
    reader.start()
    waiter.start()
    try:
        _report_events(events, reporter, interrupted)
        code = running.wait()
    finally:
        signal.signal(signal.SIGINT, previous)
    if interrupted.is_set():
        raise KeyboardInterrupt
    return code


def _report_events(events: Events, reporter: EventReporter, interrupted: threading.Event) -> None:
    while True:
        try:
            event = events.get(timeout=max(0.1, reporter.last_line_at + QUIET_SECONDS - time.monotonic()))
        except queue.Empty:
            if not interrupted.is_set():
                reporter.waiting()
            else:
                reporter.last_line_at = time.monotonic()
            continue
        if event is None:
            return
        if not interrupted.is_set():
            reporter.handle(event)


def _read(descriptor: int, events: Events) -> None:
    try:
        with os.fdopen(descriptor) as lines:
            for line in lines:
                # A killed program leaves half a line.
                if line.endswith("\n"):
                    events.put(json.loads(line))
    finally:
        events.put(None)


def _close_at_end(running: "subprocess.Popen[bytes]", writing: int) -> None:
    """The program opens the pipe itself; without our end it would close between two phases."""
    running.wait()
    os.close(writing)
