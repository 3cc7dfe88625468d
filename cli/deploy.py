"""Commands that deploy: init, preview, up. They only wrap Pulumi."""

import argparse
import asyncio
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from corral.catalogue.vocabulary import AddonState
from corral.cli import existing, summary
from corral.cli.console import Phases, progress, results
from corral.cli.errors import FAILED
from corral.cli.running import home_of
from corral.cli.stack import check_workspace, load
from corral.embedded import toolchain
from corral.embedded.engine import project
from corral.embedded.engine.engine import Engine, EngineError, environment
from corral.embedded.engine.exclusive import exclusive
from corral.embedded.engine.state import remedy
from corral.embedded.home import Home
from corral.embedded.plane import plane as planes
from corral.embedded.plane.overview import settled
from corral.embedded.plane.state import PlaneState
from corral.stacks.planning.results.plan import Plan
from corral.stacks.reports.terminal import plan as show


def init(arguments: argparse.Namespace) -> int:
    checkout, plan = plan_of(arguments.stack)
    if not plan.cluster.capabilities.started_here:
        raise EngineError(
            f"stack {arguments.stack} is not embedded: choose where its state and secrets are kept "
            "(docs/state.md; on AWS `corral backend aws`), "
            f"`pulumi stack init {arguments.stack}`, then one "
            "`pulumi config set --secret corral:KEY` for each of " + ", ".join(plan.secrets_needed)
        )
    _prepare(["pulumi"])
    _engine(checkout, plan).init(progress, plan.secrets_needed)
    progress(f"stack {arguments.stack} has its secrets: `corral up -s {arguments.stack}`")
    return 0


def preview(arguments: argparse.Namespace) -> int:
    checkout, plan = plan_of(arguments.stack)
    if not plan.cluster.capabilities.started_here:
        check_workspace(project.stack_file(checkout, arguments.stack))
        return _own_pulumi(checkout, "preview", arguments.stack)
    engine = _engine(checkout, plan)
    engine.init(progress, plan.secrets_needed)
    return engine.preview(print).code


def up(arguments: argparse.Namespace) -> int:
    """Exits with 1 when something of the platform is not as it should be, though Pulumi was content."""
    phases = Phases()
    if arguments.plane_only:
        _prepare(None)
        home, plane = home_of(arguments.stack)
        record = planes.up(home, plane.name, progress)
        summary.show_plane(results(), home, record, PlaneState.load(plane))
        return 0
    # What is wrong in the stack file is said before anything is touched.
    checkout, plan = plan_of(arguments.stack)
    if not plan.cluster.capabilities.started_here:
        check_workspace(project.stack_file(checkout, arguments.stack))
        return _own_pulumi(checkout, "up", arguments.stack, *(["--yes"] if arguments.yes else []))
    plane = Home.find().plane(_plane_name(plan))
    with exclusive(plane, plan.stack):
        return _up(checkout, plan, phases)


def _up(checkout: Path, plan: Plan, phases: Phases) -> int:
    names = toolchain.needed([one.addon for one in plan.addons if one.state is AddonState.MANAGED])
    if not all(step.present for step in toolchain.plan(toolchain.chosen(names))):
        show.render(plan, results())  # Something to read during the wait.
    with phases.measure("toolchain"):
        _prepare(names)
    home = Home.find()
    plane = home.plane(_plane_name(plan))
    with phases.measure("plane"):
        planes.up(home, plane.name, progress)
    engine = _engine(checkout, plan)
    engine.init(progress, plan.secrets_needed)
    run = engine.up(progress)
    phases.seconds.update(run.seconds)
    if run.code:
        progress(
            f"corral: pulumi stopped with exit code {run.code}; "
            f"the plane runs: `corral status -s {plan.stack}`"
        )
        return run.code
    with phases.measure("pods"):
        asyncio.run(settled(plane))
    fine = summary.show(results(), plane, plan, engine.outputs())
    progress(phases.line())
    return 0 if fine else FAILED


def engine_of(stack: str) -> Engine:
    """Pulumi for an embedded stack of this checkout.

    Raises:
        StackErrors: something in the stack file is wrong.
    """
    return _engine(*plan_of(stack))


def plan_of(stack: str) -> tuple[Path, Plan]:
    """The checkout, and what its stack file becomes.

    Raises:
        StackErrors: something in the stack file is wrong.
    """
    checkout = project.find()
    return checkout, load(project.stack_file(checkout, stack))


def _plane_name(plan: Plan) -> str:
    return plan.cluster.plane or plan.stack


def _prepare(names: Sequence[str] | None) -> None:
    """Bring these tools, or those that every stack needs; it shows what that takes before it begins."""
    toolchain.ensure(names, progress)


def _engine(checkout: Path, plan: Plan) -> Engine:
    home = Home.find()
    plane = home.plane(_plane_name(plan))
    # Helm renders releases for the policy pack; both read what became of a release.
    others = [str(toolchain.tool(name).parent) for name in ("helm", "kubectl")]
    programs = os.pathsep.join([toolchain.programs_path(), *others])
    built = shutil.which("pulumi-resource-kubernetes", path=programs) is not None
    return Engine(plane, checkout, plan.stack, environment(home, plane, programs, own_provider=built))


def destroy(stack: str, *options: str, assured: bool) -> int:
    """`pulumi destroy` by the user's own Pulumi, which asks unless `assured`; its exit code."""
    return _pulumi(project.find(), "destroy", stack, *(["--yes"] if assured else []), *options)


def _own_pulumi(checkout: Path, command: str, stack: str, *options: str) -> int:
    """The user's own Pulumi, login and environment; nothing of ours but the policy pack."""
    pack = project.policy_pack(checkout)
    return _pulumi(checkout, command, stack, "--policy-pack", str(pack), *options)


def _pulumi(checkout: Path, command: str, stack: str, *options: str) -> int:
    command_line = [existing.program_of("pulumi"), command, "--stack", stack, *options]
    code = subprocess.run(command_line, cwd=checkout, check=False).returncode
    way_out = remedy(code, stack)
    if way_out is not None:
        progress(f"corral: stack {stack}: {way_out}")
    return code
