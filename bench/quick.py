"""Figures that need no plane: set-up, plan, program, models under mocks."""

import json
import math
import sys
from collections.abc import Iterator

from bench.figures import Figure
from bench.processes import ROOT, python, run
from corral.embedded.home import Home

SIZES = (10, 100, 1000)
PROGRAM = (
    "import corral.stacks.deploy.load, corral.stacks.planning.planner, corral.stacks.deploy.program, "
    "corral.stacks.config.errors; from corral.stacks.deploy.wiring import wirings; "
    "from corral.catalogue.vocabulary import Addon; [wirings(addon) for addon in Addon]"
)
SDK = "import pulumi, pulumi_kubernetes"


def setup() -> Iterator[Figure]:
    """Seconds of each step of a cold set-up, as its record in the toolchain says; nothing is built."""
    total = expected = 0.0
    for file in sorted(Home.find().toolchain.glob("*/.complete")):
        record = json.loads(file.read_text())
        took, planned = float(record["seconds"]), float(record["expected"])
        total, expected = total + took, expected + planned
        label = f"set-up {record['name']} {record['version']} ({record['source']})"
        yield Figure(label, took, "s", "estimate", planned)
    yield Figure("set-up, all steps", total, "s", "estimate", expected, target=1200)


def plan() -> Iterator[Figure]:
    """`corral plan`, beside an interpreter that loads the same libraries and reads the stack file."""
    seconds, memory = python("import yaml, pydantic, rich.table; yaml.safe_load(open('Pulumi.dev.yaml'))")
    took, used = python("from corral.cli.main import main; main(['plan'])")
    yield Figure("corral plan", took, "s", "libraries and YAML", seconds, target=2)
    yield Figure("corral plan, memory", used, "MiB", "libraries and YAML", memory)


def program() -> Iterator[Figure]:
    """Importing what the dev program imports, beside the two SDKs alone; beyond the bare interpreter."""
    bare, bare_memory = python("pass")
    sdk, sdk_memory = python(SDK)
    ours, memory = python(PROGRAM)
    name = "imports of the dev program"
    yield Figure(name, ours - bare, "s", "Pulumi SDKs alone", sdk - bare, 1)
    yield Figure(
        f"{name}, memory", memory - bare_memory, "MiB", "Pulumi SDKs alone", sdk_memory - bare_memory, 80
    )


def models() -> Iterator[Figure]:
    """The program with many models under mocks, beside the SDK alone and PyYAML with the same objects."""
    seconds: dict[int, float] = {}
    for size in SIZES:
        took = run([sys.executable, "-m", "bench.fleet", str(size)], {"PYTHONPATH": str(ROOT)})
        measured = json.loads(took.out.splitlines()[-1])
        seconds[size] = measured["seconds"]
        most = size == SIZES[-1]
        label = f"{size} models, {measured['resources']} resources"
        yield Figure(
            label, measured["seconds"], "s", "objects to YAML", measured["yaml_seconds"], 20 if most else None
        )
        beside = measured["sdk_seconds"]
        yield Figure(
            f"{size} models beside the SDK", measured["seconds"] / beside, "", target=1.5 if most else None
        )
        yield Figure(f"{size} models, memory", measured["memory"], "MiB", target=400 if most else None)
    growth = math.log(seconds[SIZES[-1]] / seconds[SIZES[-2]]) / math.log(SIZES[-1] / SIZES[-2])
    yield Figure("growth exponent, 100 to 1000 models", growth, "", target=1.15)
