"""`corral exit`: what of a stack is bound to a maker or a cloud, how it is left, what other clusters need."""

import argparse
from pathlib import Path

from corral.catalogue.exit import ExitTest
from corral.catalogue.vocabulary import ClusterKind
from corral.cli.bundle import graph_of
from corral.cli.console import results
from corral.cli.documents import ExitDocument, print_document
from corral.cli.errors import FAILED
from corral.embedded.engine import project
from corral.stacks.config.errors import StackErrors
from corral.stacks.config.loader import read, stack_of
from corral.stacks.config.model_lock import read_lock
from corral.stacks.planning.planner import plan as plan_of
from corral.stacks.reports.exit import (
    ExitRegister,
    OtherCluster,
    other_cluster,
    register_lines,
    render_exit,
)


def leave(arguments: argparse.Namespace) -> int:
    """Exits with 1 when the register lacks a type of the stack."""
    made = register(project.stack_file(project.find(), arguments.stack))
    if arguments.json:
        print_document(ExitDocument(made))
    else:
        render_exit(made, results())
    return FAILED if made.unknown else 0


def register(file: Path) -> ExitRegister:
    """The exit register of the stack of `file`.

    Raises:
        StackErrors: something in the stack file is wrong.
        EngineError: the program fails.
    """
    config, locked = read(file), read_lock(file)
    plan_of(config, stack_of(file), locked, pinned=False)
    here = graph_of(file)
    own = {name: ExitTest(date=one.date, by=one.by) for name, one in config.exit_tests.items()}
    lines, unknown = register_lines(here, own)
    others: list[OtherCluster] = []
    for kind in ClusterKind:
        if kind is config.cluster.kind:
            continue
        try:
            plan_of(config.on_kind(kind), stack_of(file), locked, pinned=False)
            others.append(other_cluster(kind, here, graph_of(file, kind)))
        except StackErrors as error:
            others.append(OtherCluster(kind, error.problems))
    return ExitRegister(stack_of(file), config.cluster.kind, lines, unknown, tuple(others))
