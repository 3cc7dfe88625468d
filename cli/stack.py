"""Commands on stack files alone: plan and lint. Neither engine nor plane is needed."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from corral.catalogue.files import replace
from corral.cli import cluster_check
from corral.cli.console import results
from corral.cli.errors import FAILED, NO_SPACE, WRONG, UsageError
from corral.controls.exceptions import today
from corral.controls.levels import Level
from corral.controls.licences import licence_findings
from corral.controls.profiles import PROFILES
from corral.controls.transit import transit_findings
from corral.controls.workspace import Finding, findings
from corral.embedded.engine import project
from corral.stacks.config.errors import ConfigErrors, Problem, StackErrors, Unpinned
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import read_lock
from corral.stacks.config.stack_config import StackConfig
from corral.stacks.config.workspace import read_workspace
from corral.stacks.planning.cluster import pod_encryption
from corral.stacks.planning.planner import plan as plan_of
from corral.stacks.planning.results.plan import Plan
from corral.stacks.planning.sovereignty import exception_plans
from corral.stacks.reports.scope import exception_line


def load(path: Path) -> Plan:
    """What the stack file `path` becomes.

    Raises:
        StackErrors: something in it is wrong, or cannot be had.
    """
    return plan_of(read(path), stack_of(path), read_lock(path))


def plan(arguments: argparse.Namespace) -> int:
    """Exits with 1 when the cluster was to be read and was not, or lacks what the platform needs."""
    from corral.stacks.reports.terminal.plan import render

    file = project.stack_file(project.find(), arguments.stack)
    made = load(file)
    asked = arguments.cluster or arguments.probe
    check = cluster_check.checked(file, probe=arguments.probe) if asked else None
    if arguments.json:
        from corral.cli.documents import plan_document, print_document

        print_document(plan_document(made, check))
    else:
        render(made, results())
        if check is not None:
            cluster_check.show(check, results())
        elif made.cluster.capabilities.reached_by_kubeconfig:
            print(
                f"\nCluster\nnot checked: `corral plan -s {made.stack} --cluster` reads what it has and lacks"
            )
    if arguments.html is not None:
        from corral.stacks.reports.html import page

        write_page(Path(arguments.html), page(made))
        if not arguments.json:
            print(f"\npage: {arguments.html}")
    return 0 if check is None or check.fine else FAILED


def write_page(path: Path, content: str) -> None:
    """Replace the page at `path`.

    Raises:
        UsageError: nothing can be written there.
        OSError: no space left.
    """
    try:
        replace(path, content)
    except OSError as error:
        if error.errno in NO_SPACE:
            raise
        raise UsageError(f"--html {path}: {error.strerror}") from None


def lint(arguments: argparse.Namespace) -> int:
    """Exits with 2 when a file has a problem; digests that are not resolved yet are said and are none."""
    files = [Path(name) for name in arguments.files] or sorted(project.find().glob("Pulumi.*.yaml"))
    checked = [(file.name, *_findings(file)) for file in files]
    wrong = sum(len(problems) for _name, problems, _notes in checked)
    if arguments.json:
        from corral.cli.documents import FileFindings, LintDocument, print_document

        findings = tuple(
            FileFindings(name, tuple(problems), tuple(notes)) for name, problems, notes in checked
        )
        print_document(LintDocument(findings, wrong))
        return WRONG if wrong else 0
    for name, problems, notes in checked:
        for problem in problems:
            print(f"{name}: {problem}", file=sys.stderr)
        for note in notes:
            print(f"{name}: {note}")
    print(f"{len(files)} stack files, {wrong} problems")
    return WRONG if wrong else 0


def workspace_findings(file: Path, config: StackConfig) -> list[Finding]:
    """What the profile has against licences of models, and against state, secrets and network of a stack
    where Corral does not keep these itself."""
    limits = PROFILES[config.sovereignty.profile.value]
    licences = list(licence_findings(_licensed(config), limits))
    if config.cluster.capabilities.started_here:
        return licences
    transit = transit_findings(pod_encryption(config.cluster), limits)
    return [*findings(read_workspace(file, os.environ), limits), *licences, *transit]


def _licensed(config: StackConfig) -> Iterator[tuple[str, str, str]]:
    """Path, name and licence of each model and canary of a stack that is known."""
    for served in config.served_models:
        name = served.section.model
        if (spec := config.known_models.get(name)) is not None:
            yield f"{served.path}.model", name, spec.license


def _problems(findings: Sequence[Finding]) -> list[Problem]:
    return [Problem(one.path, one.value, one.reason) for one in findings if one.level is Level.MANDATORY]


def check_workspace(file: Path) -> None:
    """Nothing, where the profile takes state, secrets and licences of a stack.

    Raises:
        ConfigErrors: it does not, or the file is wrong.
    """
    if stopping := _problems(workspace_findings(file, read(file))):
        raise ConfigErrors(stopping)


def _findings(file: Path) -> tuple[list[Problem], list[str]]:
    """What is wrong in a stack file, and what is worth saying."""
    ending: list[str] = []
    try:
        config = read(file)
        exceptions = exception_plans(config.sovereignty, today())
        ending = [exception_line(one) for one in exceptions if one.ends_soon and one.days_left >= 0]
        findings = workspace_findings(file, config)
        ending += [
            f"{one.path}: {one.value}: {one.reason}" for one in findings if one.level is Level.ADVISORY
        ]
        if stopping := _problems(findings):
            raise ConfigErrors(stopping)
        digests = plan_of(config, stack_of(file), read_lock(file)).digests
    except StackErrors as error:
        problems = [problem for problem in error.problems if not isinstance(problem, Unpinned)]
        unpinned = [str(problem) for problem in error.problems if isinstance(problem, Unpinned)]
        return problems, [*unpinned, *ending]
    missing, total = len(digests.unresolved), len(digests.unresolved) + digests.resolved
    allowed = [f"{missing} of {total} digests unresolved; the profile allows it"] if missing else []
    return [], [*allowed, *ending]
