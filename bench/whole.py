"""Figures of the whole platform on a plane of its own, which is discarded at the end."""

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.processes import CORRAL, pss, run
from corral.cli.deploy import engine_of
from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane.state import PlaneState

STACK = "dev"
MODEL, NAMESPACE = "smollm2", "assistants"
QUESTION = "Say yes."
PREVIEWS = 3
LIMIT = "180s"


@dataclass(frozen=True)
class Session:
    """A folder that stands for $CORRAL_HOME, with the toolchain of the caller."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"CORRAL_HOME": str(self.root), "CORRAL_TOOLCHAIN": str(Home.find().toolchain)}

    @property
    def plane(self) -> PlaneHome:
        return Home(self.root).plane(STACK)

    def corral(self, *arguments: str) -> tuple[float, str]:
        """Seconds and output of one command."""
        took = run([*CORRAL, "-s", STACK, *arguments], self.environment)
        return took.seconds, took.out


@contextmanager
def session() -> Generator[Session]:
    """A plane from nothing, and nothing of it afterwards."""
    # A short path: sockets live below it.
    folder = Path(tempfile.mkdtemp(prefix="corral-bench-"))
    opened = Session(folder)
    try:
        yield opened
    finally:
        opened.corral("down")
        shutil.rmtree(folder, ignore_errors=True)


def platform() -> Iterator[Figure]:
    """Up from nothing, up again, previews with and without the pack, memory, a model anew."""
    with session() as own:
        plane_seconds, _ = own.corral("up", "--plane-only")
        own.corral("down")
        whole, printed = own.corral("up")
        yield Figure("corral up, from nothing to all ready", whole, "s", "plane alone", plane_seconds, 75)
        for name, seconds in phases(printed):
            yield Figure(f"  of it {name}", seconds, "s")
        again, printed = own.corral("up")
        yield Figure("corral up, nothing to change", again, "s", "from nothing", whole, 8)
        yield from _previews(own)
        memory = _memory(own.plane)
        plane_memory = sum(memory[name] for name in memory if name != "pods")
        yield Figure(
            "memory of everything running", sum(memory.values()), "MiB", "plane alone", plane_memory, 2560
        )
        yield from _model(own)


def phases(printed: str) -> Iterator[tuple[str, float]]:
    """Parts of an `up` and their seconds, from what it prints at its end."""
    line = next(line for line in printed.splitlines() if line.startswith("took "))
    for part in line.partition(": ")[2].split(", "):
        name, seconds, _unit = part.rsplit(" ", 2)
        yield name, float(seconds)


def _previews(own: Session) -> Iterator[Figure]:
    """Medians of alternating runs: what the policy pack costs in a preview."""
    runs: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(PREVIEWS):
        for pack in runs:
            begun = time.monotonic()
            run([sys.executable, "-m", "bench.whole", str(int(pack))], own.environment)
            runs[pack].append(time.monotonic() - begun)
    with_pack, without = (statistics.median(runs[pack]) for pack in (True, False))
    yield Figure("preview with the policy pack", with_pack, "s", "without", without, target=1.25 * without)


def _memory(plane: PlaneHome) -> dict[str, float]:
    """Proportional set size in MiB of each program of the plane, and of all processes of pods."""
    programs = PlaneState.load(plane).programs
    resident = {name: pss(entry.process.pid) for name, entry in programs.items() if entry.process}
    supervisor = PlaneState.load(plane).supervisor
    resident["supervisor"] = pss(supervisor.pid) if supervisor else 0.0
    records = [json.loads(path.read_text()) for path in plane.pods.glob("*/*/*.process.json")]
    resident["pods"] = sum(pss(pid) for record in records for pid in (record["shim"], record["pid"]))
    return resident


def _model(own: Session) -> Iterator[Figure]:
    """The InferenceService applied anew, until it has answered."""
    kubectl = ("kubectl", "-n", NAMESPACE)
    service: dict[str, Any] = json.loads(
        own.corral(*kubectl, "get", "inferenceservice", MODEL, "-o", "json")[1]
    )
    metadata = {key: service["metadata"][key] for key in ("name", "namespace", "labels", "annotations")}
    manifest = own.root / "service.json"
    manifest.write_text(json.dumps({**service, "metadata": metadata, "status": {}}))
    own.corral(*kubectl, "delete", "inferenceservice", MODEL)
    own.corral(
        *kubectl,
        *("wait", "--for=delete", "pod", f"--timeout={LIMIT}"),
        *("-l", f"serving.kserve.io/inferenceservice={MODEL}"),
    )
    begun = time.monotonic()
    own.corral(*kubectl, "apply", "-f", str(manifest))
    own.corral(*kubectl, "wait", "--for=create", f"--timeout={LIMIT}", f"deployment/{MODEL}-predictor")
    own.corral(*kubectl, "rollout", "status", f"deployment/{MODEL}-predictor", f"--timeout={LIMIT}")
    own.corral(*kubectl, "wait", "--for=condition=Ready", f"--timeout={LIMIT}", f"inferenceservice/{MODEL}")
    answer, _ = own.corral("chat", "--max-tokens", "1", MODEL, QUESTION)
    taken = time.monotonic() - begun
    yield Figure("InferenceService applied to answered", taken, "s", "one more question", answer, target=5)


def main() -> None:
    """One preview in a process of its own: `python -m bench.whole 1` with the pack, `0` without."""
    engine = engine_of(STACK)
    engine.init(print)
    sys.exit(engine.preview(print, policies_on=sys.argv[1] == "1").code)


if __name__ == "__main__":
    main()
