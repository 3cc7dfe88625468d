"""What the supervisor says about the programs it keeps running: `run/state.json`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast

from corral.embedded.home import PlaneHome, write_private
from corral.embedded.plane.processes import Process

Phase = Literal["waiting", "running", "restarting", "failed", "stopped"]


@dataclass(frozen=True)
class ProgramState:
    """One program of the plane."""

    phase: Phase
    process: Process | None = None
    restarts: int = 0
    """Since the supervisor started."""
    note: str = ""
    """Why it failed or is being restarted."""


@dataclass(frozen=True)
class PlaneState:
    """The supervisor and its programs; `ready` once the plane had been complete."""

    supervisor: Process | None = None
    ready: bool = False
    programs: Mapping[str, ProgramState] = field(default_factory=dict[str, ProgramState])

    @property
    def supervised(self) -> bool:
        return self.supervisor is not None and self.supervisor.alive

    @property
    def problem(self) -> str:
        """Why the plane does not count as running; empty when it does."""
        if self.supervised:
            return ""
        alive = sum(entry.process is not None and entry.process.alive for entry in self.programs.values())
        return f"not supervised: its supervisor ended, {alive} programs go on" if alive else "not running"

    @staticmethod
    def load(home: PlaneHome) -> "PlaneState":
        """What was written last; an empty state when there is none or it cannot be read."""
        try:
            content = cast(dict[str, Any], json.loads((home.run / "state.json").read_text()))
            return PlaneState(
                supervisor=_process(content["supervisor"]),
                ready=content["ready"],
                programs={
                    name: ProgramState(
                        entry["phase"], _process(entry["process"]), entry["restarts"], entry["note"]
                    )
                    for name, entry in content["programs"].items()
                },
            )
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return PlaneState()

    def save(self, home: PlaneHome) -> None:
        """Replace the file atomically."""
        write_private(home.run / "state.json", json.dumps(asdict(self), indent=2) + "\n")


def _process(content: Mapping[str, int] | None) -> Process | None:
    return Process(**content) if content else None
