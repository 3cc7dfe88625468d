"""`corral dashboards`: the dashboards of a running platform as a page, or as a document."""

import argparse
import time
from pathlib import Path

from corral.cli.errors import UsageError
from corral.cli.reach import kubectl_of
from corral.cli.stack import load, write_page
from corral.embedded.engine import drift, project
from corral.embedded.engine.engine import EngineError
from corral.stacks.reports.dashboards import MeasuredDashboard, NoPrometheus, measured, page

HOUR = 3600.0


def dashboards(arguments: argparse.Namespace) -> int:
    """Read every dashboard and what Prometheus has for it.

    Raises:
        UsageError: the stack has no Prometheus.
        EngineError: the cluster or its Prometheus does not answer.
    """
    plan = load(project.stack_file(project.find(), arguments.stack))
    if plan.observability is None:
        raise UsageError(f"stack {plan.stack} has no section observability, and so no dashboards")
    end = time.time()
    start = end - arguments.hours * HOUR
    try:
        boards = measured(reader(kubectl_of(plan, arguments.stack)), start, end)
    except NoPrometheus as error:
        raise UsageError(str(error)) from None
    except ValueError as error:
        raise EngineError(str(error)) from None
    if arguments.json:
        from corral.cli.documents import DashboardsDocument, print_document

        print_document(DashboardsDocument(plan.stack, start, end, tuple(boards)))
    if arguments.html is not None or not arguments.json:
        file = Path(arguments.html or f"dashboards-{plan.stack}.html")
        write_page(file, page(plan.stack, boards, start, end))
        if not arguments.json:
            print(_line(boards, file))
    return 0


def _line(boards: list[MeasuredDashboard], file: Path) -> str:
    panels = [panel for board in boards for panel in board.panels]
    full = sum(1 for panel in panels if panel.series)
    return f"{file}: {len(boards)} dashboards, {full} of {len(panels)} panels have data"


def reader(kubectl: drift.Kubectl):
    """Reads paths of the cluster's API server."""

    def read(path: str) -> str:
        done = kubectl.run(["get", "--raw", path])
        if done.returncode:
            what = path.partition("?")[0]
            raise EngineError(f"the cluster does not answer {what}: {drift.reason(done.stderr)}")
        return done.stdout

    return read
