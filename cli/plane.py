"""Commands on a running plane: status, logs, stop, down."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from functools import partial

from corral.cli.console import progress, results
from corral.cli.errors import FAILED, UsageError
from corral.cli.running import home_of
from corral.cli.stack import load
from corral.embedded.engine import project
from corral.embedded.engine.drift import Difference
from corral.embedded.home import PlaneHome
from corral.embedded.plane import plane as planes
from corral.embedded.plane.overview import read
from corral.embedded.plane.record import NoPlane, PlaneRecord
from corral.embedded.plane.state import PlaneState
from corral.stacks.planning.results.plan import Plan

LINES = "200"
"""How much of a log is shown before following it."""


def stop(arguments: argparse.Namespace) -> int:
    home, plane = home_of(arguments.stack)
    if not plane.root.is_dir():
        raise NoPlane(f"there is no plane {plane.name!r} in {home.root}")
    planes.stop(home, arguments.stack, progress)
    progress("stopped; its data is kept for the next `corral up`")
    return 0


def down(arguments: argparse.Namespace) -> int:
    home, plane = home_of(arguments.stack)
    elsewhere = _elsewhere(plane, arguments.stack)
    if elsewhere is not None:
        from corral.cli import existing
        from corral.cli.deploy import destroy

        run = partial(destroy, arguments.stack, assured=arguments.yes)
        return existing.down(arguments.stack, run, exclude_protected=arguments.exclude_protected)
    if os.path.lexists(plane.root) and not arguments.yes and not _confirmed(plane):
        progress("nothing was discarded")
        return FAILED
    planes.down(home, arguments.stack, progress)
    return 0


def _confirmed(plane: PlaneHome) -> bool:
    """Whether the person at the terminal agrees to lose the plane's data; without a terminal: yes."""
    if not sys.stdin.isatty():
        return True
    print(
        f"discard plane {plane.name} with its data and state, {plane.root}? [y/N] ", end="", file=sys.stderr
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def status(arguments: argparse.Namespace) -> int:
    """Exits with 1 when anything is not as it should be: a program, a pod, a model, a change by hand."""
    from corral.cli import summary

    home, plane = home_of(arguments.stack)
    elsewhere = _elsewhere(plane, arguments.stack)
    if elsewhere is not None:
        from corral.cli import existing

        return existing.show(elsewhere, as_json=arguments.json)
    record = PlaneRecord.load(plane)
    state = PlaneState.load(plane)
    if arguments.json:
        return _status_document(plane, record, state, arguments.stack)
    summary.show_plane(results(), home, record, state)
    if not state.supervised:
        return FAILED
    plan = _plan_at_hand(arguments.stack)
    fine = summary.show(results(), plane, plan, {}, _changed(plan, arguments.stack))
    return 0 if fine and planes.all_running(state) else FAILED


def _status_document(plane: PlaneHome, record: PlaneRecord, state: PlaneState, stack: str) -> int:
    """Print the status for a program; the exit code is that of `status`."""
    from corral.cli.documents import print_document
    from corral.cli.status import document

    plan = _plan_at_hand(stack) if state.supervised else None
    overview = asyncio.run(read(plane)) if state.supervised else None
    made = document(record, state, overview, plan, _changed(plan, stack))
    print_document(made)
    return 0 if made.fine else FAILED


def _elsewhere(plane: PlaneHome, stack: str) -> Plan | None:
    """The plan of a stack on a cluster that Corral does not start; None for every other stack."""
    plan = None if os.path.lexists(plane.root) else _plan_at_hand(stack)
    return None if plan is None or plan.cluster.capabilities.started_here else plan


def _changed(plan: Plan | None, stack: str) -> Sequence[Difference]:
    """What was changed by hand of what the stack made."""
    from corral.cli.deploy import engine_of

    return [] if plan is None else engine_of(stack).changed_by_hand()


def _plan_at_hand(stack: str) -> Plan | None:
    """What the stack file says, where it can be read: a plane also runs without one."""
    try:
        path = project.stack_file(project.find(), stack)
    except project.NoProject:
        return None
    return load(path) if path.is_file() else None


def logs(arguments: argparse.Namespace) -> int:  # noqa: RET503 (the last line becomes another program)
    from corral.embedded.node.logs import find
    from corral.embedded.plane.logs import components, pods

    _home, plane = home_of(arguments.stack)
    PlaneRecord.load(plane)
    parts = components(plane)
    if arguments.name is None:
        print(*sorted(parts), *(f"{namespace}/{pod}" for namespace, pod in pods(plane)), sep="\n")
        return 0
    path = parts.get(arguments.name) if arguments.namespace is None else None
    if path is None:
        namespace = arguments.namespace or _namespace(plane, arguments.name)
        try:
            path = find(plane, namespace, arguments.name, arguments.container, arguments.previous)
        except LookupError as cause:
            raise UsageError(f"{cause}; `corral logs` lists what there is") from cause
    how = ["-n", LINES, "-F"] if arguments.follow else ["-n", "+1"]
    os.execvp("tail", ["tail", *how, str(path)])


def _namespace(plane: PlaneHome, pod: str) -> str:
    from corral.embedded.plane.logs import pods

    namespaces = [namespace for namespace, name in pods(plane) if name == pod]
    if len(namespaces) > 1:
        raise UsageError(f"pod {pod} is in {', '.join(namespaces)}: choose by -n")
    return namespaces[0] if namespaces else "default"
