"""Commands that compare a stack and change nothing: diff with its program, drift with what is there."""

import argparse
import json
import os
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from corral.cli import existing
from corral.cli.console import progress
from corral.cli.deploy import engine_of, plan_of
from corral.cli.documents import DiffDocument, DriftDocument, print_document
from corral.cli.running import started
from corral.cli.stack import check_workspace
from corral.embedded.engine import project
from corral.embedded.engine.changes import Change
from corral.embedded.engine.deployed import DIFFERS, Deployed
from corral.embedded.engine.events import SIGNS

WIDTH = 60
"""Of a value in a line for people; the document has it whole."""


def diff(arguments: argparse.Namespace) -> int:
    """Exits with 3 where `up` would change something."""
    with _deployed(arguments.stack, program=True) as stack:
        changes = stack.diff(progress)
    if arguments.json:
        print_document(DiffDocument(arguments.stack, changes))
    else:
        _print(changes, f"`corral up -s {arguments.stack}` would change")
    return DIFFERS if changes else 0


def drift(arguments: argparse.Namespace) -> int:
    """Exits with 3 where something was changed by hand."""
    with _deployed(arguments.stack, program=False) as stack:
        changes = stack.drift(progress)
    if arguments.json:
        print_document(DriftDocument(arguments.stack, changes))
    else:
        _print(changes, "changed by hand since the last update:")
    return DIFFERS if changes else 0


@contextmanager
def _deployed(stack: str, *, program: bool) -> Generator[Deployed]:
    """The stack by the Pulumi that deploys it: Corral's own, or the user's; `program`: that is run, too."""
    checkout, plan = plan_of(stack)
    if plan.cluster.capabilities.started_here:
        started(plan.cluster.plane or stack)
        engine = engine_of(stack)
        if program:
            engine.init(progress, plan.secrets_needed)
        yield engine.deployed
        return
    check_workspace(project.stack_file(checkout, stack))
    with tempfile.TemporaryDirectory(prefix="corral-") as folder:
        yield Deployed(
            checkout,
            stack,
            existing.program_of("pulumi"),
            os.environ,
            Path(folder),
            lambda: existing.kubectl_of(plan.cluster),
            policies=["--policy-pack", str(project.policy_pack(checkout))],
        )


def _print(changes: Sequence[Change], title: str) -> None:
    for change in changes:
        print(f"{SIGNS.get(change.operation, '~')} {change.title}")
        for one in change.properties:
            print(f"    {one.path}: {_value(one.old)} → {_value(one.new)}")
    count = f"{len(changes)} object{'s' * (len(changes) != 1)}" if changes else "nothing"
    print(f"{title} {count}")


def _value(value: object) -> str:
    if value is None:
        return "(absent)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
