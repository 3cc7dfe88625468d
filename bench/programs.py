"""What the program of each committed stack imports, beside the modules of Pulumi's SDKs among it alone."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from bench.figures import Figure
from bench.processes import ROOT, TELL_MEMORY, run
from corral.catalogue.clusters import capabilities

RUNS = 3
PROGRAM = (
    "corral.stacks.deploy.load",
    "corral.stacks.planning.planner",
    "corral.stacks.deploy.program",
    "corral.stacks.config.errors",
)
WIRED = ("corral.stacks.deploy.clusters.", "corral.stacks.deploy.component_args.")
"""Modules that are imported when a plan has what they are for."""
NO_CLOUD, CLOUD = (1.0, 80.0), (2.0, 130.0)
"""Seconds and MiB beyond the bare interpreter that are promised, by what a stack runs on."""
IMPORT = "import importlib\nfor name in {names!r}: getattr(importlib.import_module(name), '__file__', None)"
KEPT = {"PYTHONDONTWRITEBYTECODE": ""}
"""A user's Python keeps its byte code, Corral's as well as that of the SDKs."""


@dataclass(frozen=True)
class Imports:
    """Modules that the program of a stack has loaded at its end."""

    cloud: str | None
    ours: Sequence[str]
    """Those of Corral's by which it has the others."""
    sdks: Sequence[str]
    """Of Pulumi, its provider for Kubernetes, and that of a cloud, in their order."""


def programs() -> Iterator[Figure]:
    """Imports of each committed stack's program, beside those of the SDKs that it needs."""
    bare, bare_memory = _took()
    for file in sorted(ROOT.glob("Pulumi.*.yaml")):
        needed = imports(file)
        further = IMPORT.format(names=[*needed.ours, *needed.sdks])
        seconds, memory = _took(IMPORT.format(names=list(PROGRAM)), _collector(), further)
        sdk, sdk_memory = _took(IMPORT.format(names=needed.sdks))
        target, target_memory = CLOUD if needed.cloud else NO_CLOUD
        name = f"imports of stack {file.name.split('.')[1]}"
        yield Figure(f"{name}, processor", seconds - bare, "s", "its SDKs alone", sdk - bare, target)
        beside = sdk_memory - bare_memory
        yield Figure(f"{name}, memory", memory - bare_memory, "MiB", "its SDKs alone", beside, target_memory)


def imports(file: Path) -> Imports:
    """What the program of the stack of `file` imports, found by running it without an engine."""
    printed = run([sys.executable, "-m", "bench.programs", str(file)]).out
    return Imports(**json.loads(printed.splitlines()[-1]))


def _took(*statements: str) -> tuple[float, float]:
    """Least seconds of a processor and largest resident memory in MiB of a process that runs `statements`."""
    code = "\n".join([*statements, TELL_MEMORY])
    run([sys.executable, "-c", code], KEPT)
    runs = [run([sys.executable, "-c", code], KEPT) for _ in range(RUNS)]
    return min(one.processor for one in runs), max(float(one.out.splitlines()[-1]) for one in runs)


def _collector() -> str:
    """The program's own setting of Python's collector, which comes after its imports at the top."""
    lines = (ROOT / "__main__.py").read_text().splitlines()
    return "import gc; " + next(line for line in lines if line.startswith("gc."))


def main(file: Path) -> None:
    """Print, as JSON, what is loaded once the program of `file` has run: `python -m bench.programs FILE`."""
    from corral.stacks.config.loader import read, stack_of
    from corral.stacks.config.model_lock import read_lock
    from corral.stacks.deploy.graph import graph
    from corral.stacks.planning.planner import plan

    made = plan(read(file), stack_of(file), read_lock(file), pinned=False)
    graph(made)
    # The SDKs put modules there that load at their first use.
    loaded = [name for name, module in sys.modules.items() if type(module) is ModuleType]
    kind = made.cluster.kind
    ours = [name for name in loaded if name.startswith(WIRED)]
    ours.append(f"{WIRED[0]}{kind.value}")
    print(
        json.dumps(
            {
                "cloud": capabilities(kind).cloud,
                "ours": [*PROGRAM, *dict.fromkeys(ours)],
                "sdks": [name for name in loaded if name.partition(".")[0].startswith("pulumi")],
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
