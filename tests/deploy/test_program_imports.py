"""What the program of any stack leaves to the commands: libraries that only these need."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMANDS = ("boto3", "cel_expr_python", "click", "cryptography", "cyclonedx", "httpx", "jsonschema", "rich")
PROGRAM = f"""
import sys
import corral.stacks.deploy.load, corral.stacks.deploy.program, corral.stacks.planning.planner
from corral.catalogue.vocabulary import Addon
from corral.stacks.deploy.clusters import eks, embedded, existing, gke
from corral.stacks.deploy.wiring import wirings
list(map(wirings, Addon))
print(*[name for name in {COMMANDS!r} if name in sys.modules])
"""


def test_a_program_loads_nothing_that_the_commands_alone_need():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == []
