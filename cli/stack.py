"""Commands on stack files alone: plan and lint. Neither engine nor plane is needed."""

import argparse
import sys
from pathlib import Path

from corral.catalogue.files import replace
from corral.cli.console import results
from corral.cli.errors import NO_SPACE, WRONG, UsageError
from corral.controls.exceptions import today
from corral.embedded.engine import project
from corral.stacks.config.errors import Problem, StackErrors, Unpinned
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import read_lock
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
    from corral.stacks.reports.terminal.plan import render

    made = load(project.stack_file(project.find(), arguments.stack))
    if arguments.json:
        from corral.cli.documents import plan_document, print_document

        print_document(plan_document(made))
    else:
        render(made, results())
    if arguments.html is not None:
        from corral.stacks.reports.html import page

        write_page(Path(arguments.html), page(made))
        if not arguments.json:
            print(f"\npage: {arguments.html}")
    return 0


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
    found = [(file.name, *_findings(file)) for file in files]
    wrong = sum(len(problems) for _name, problems, _notes in found)
    if arguments.json:
        from corral.cli.documents import FileFindings, LintDocument, print_document

        findings = tuple(FileFindings(name, tuple(problems), tuple(notes)) for name, problems, notes in found)
        print_document(LintDocument(findings, wrong))
        return WRONG if wrong else 0
    for name, problems, notes in found:
        for problem in problems:
            print(f"{name}: {problem}", file=sys.stderr)
        for note in notes:
            print(f"{name}: {note}")
    print(f"{len(files)} stack files, {wrong} problems")
    return WRONG if wrong else 0


def _findings(file: Path) -> tuple[list[Problem], list[str]]:
    """What is wrong in a stack file, and what is worth saying."""
    ending: list[str] = []
    try:
        config = read(file)
        exceptions = exception_plans(config.sovereignty, today())
        ending = [exception_line(one) for one in exceptions if one.ends_soon and one.days_left >= 0]
        digests = plan_of(config, stack_of(file), read_lock(file)).digests
    except StackErrors as error:
        problems = [problem for problem in error.problems if not isinstance(problem, Unpinned)]
        unpinned = [str(problem) for problem in error.problems if isinstance(problem, Unpinned)]
        return problems, [*unpinned, *ending]
    missing, total = len(digests.unresolved), len(digests.unresolved) + digests.resolved
    allowed = [f"{missing} of {total} digests unresolved; the profile allows it"] if missing else []
    return [], [*allowed, *ending]
