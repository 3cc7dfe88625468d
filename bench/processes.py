"""Running a program of this machine and knowing what it took."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TELL_MEMORY = "import bench.processes; print(bench.processes.peak_memory())"
CORRAL = (sys.executable, "-m", "corral.cli.main")


@dataclass(frozen=True)
class Took:
    """One run."""

    seconds: float
    out: str
    processor: float
    """Seconds of processors that it took, it and what it started and waited for."""


def run(
    argv: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    fails: bool = False,
    folder: Path = ROOT,
) -> Took:
    """Run `argv` in `folder`, the checkout by default, and wait for it.

    `fails`: an exit code other than 0 is expected.

    Raises:
        RuntimeError: it failed; the text is the end of its output.
    """
    begun, used = time.monotonic(), _processor()
    with subprocess.Popen(
        argv,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout
        out = running.stdout.read()
    took = Took(time.monotonic() - begun, out, _processor() - used)
    if running.returncode and not fails:
        raise RuntimeError(f"{' '.join(argv)}: exit code {running.returncode}\n{out[-2000:]}")
    return took


def _processor() -> float:
    """Seconds of processors that ended children of this process took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def python(code: str, times: int = 5) -> tuple[float, float]:
    """Seconds of the fastest run of a Python text, and the largest resident memory of a run in MiB."""
    runs = [run([sys.executable, "-c", f"{code}\n{TELL_MEMORY}"]) for _ in range(times)]
    return min(took.seconds for took in runs), max(float(took.out.splitlines()[-1]) for took in runs)


def pss(pid: int) -> float:
    """Proportional set size of a process in MiB; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def peak_memory() -> float:
    """Largest resident memory of this process so far, in MiB.

    `getrusage` would also count what the parent had before the program was started.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
