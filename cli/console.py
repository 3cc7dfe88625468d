"""How commands speak: results to standard output, progress to standard error."""

import contextlib
import os
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field

from rich.console import Console

PIPE_COLUMNS = 100
"""Width for a reader whose width nobody knows."""


def results() -> Console:
    """Tables and answers; without colour where standard output is no terminal or NO_COLOR is set."""
    console = _Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else _Console(width=PIPE_COLUMNS)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line; rich would end the program as a failure."""
        raise BrokenPipeError


def progress(line: str) -> None:
    """One step of a command."""
    print(line, file=sys.stderr, flush=True)


@dataclass
class Phases:
    """How long each phase of a command took, in seconds."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextlib.contextmanager
    def measure(self, name: str) -> Generator[None]:
        """Time what is done inside."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - begun

    def line(self) -> str:
        """Such as `took 93 s: toolchain 0.2 s, plane 4.1 s, preview 18.0 s, update 70.4 s`."""
        parts = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.seconds.items())
        return f"took {sum(self.seconds.values()):.0f} s: {parts}"
