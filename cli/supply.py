"""Commands about what is needed: toolchain, digests, models."""

import argparse
from importlib.metadata import version as version_of


def version(_arguments: argparse.Namespace) -> int:
    print(version_of("corral"))
    return 0


def tools(arguments: argparse.Namespace) -> int:
    """What the tools image runs too: `corral import …`, `corral bucket …`."""
    from corral.tools.__main__ import main

    return main([arguments.command, *arguments.arguments])


def lock(arguments: argparse.Namespace) -> int:
    from corral.catalogue import lock
    from corral.cli import models

    if arguments.models:
        return models.lock(arguments)

    return lock.main(check=arguments.check, insecure=arguments.insecure, mirror=arguments.mirror)


def setup(arguments: argparse.Namespace) -> int:
    from corral.catalogue.vocabulary import Addon
    from corral.cli.console import progress
    from corral.embedded import toolchain

    names = toolchain.needed(Addon if arguments.all else ())
    if arguments.plan:
        print(*toolchain.plan_lines(toolchain.plan(toolchain.chosen(names))), sep="\n")
    else:
        toolchain.ensure(names, progress)
    return 0
