"""Commands about what is needed: toolchain, digests, models."""

import argparse
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corral.catalogue.chart_archives import Pulled


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
    if arguments.what == "charts":
        return _charts(arguments)
    return _programs(arguments)


def _charts(arguments: argparse.Namespace) -> int:
    """Every chart of the catalogue as a folder; one line each."""
    from corral.catalogue import chart_archives
    from corral.catalogue.charts import charts
    from corral.catalogue.registry import client
    from corral.embedded.home import Home

    entries = [entry.through(arguments.mirror) for entry in charts().values()]
    folder = Path(arguments.to).absolute() if arguments.to else Home.find().charts
    if arguments.plan:
        print(*(f"{entry.reference} {entry.digest}" for entry in entries), sep="\n")
        return 0
    missing = 0
    with client() as http:
        for pulled in chart_archives.pull(entries, folder, http, arguments.insecure):
            missing += pulled.digest is None
            print(_line(pulled))
    print(f"{len(entries) - missing} of {len(entries)} charts in {folder}")
    return 1 if missing else 0


def _line(pulled: "Pulled") -> str:
    if pulled.digest is None:
        return f"{pulled.entry.reference}: not pulled: {pulled.reason}"
    how = "is there" if pulled.present else "pulled"
    unlocked = "" if pulled.locked else ", not locked: `corral lock` keeps its digest"
    return f"{pulled.entry.reference}: {how}, {pulled.digest}{unlocked}"


def _programs(arguments: argparse.Namespace) -> int:
    from corral.catalogue.addon_names import NAMES
    from corral.catalogue.vocabulary import Addon
    from corral.cli.console import progress
    from corral.cli.errors import UsageError
    from corral.embedded import toolchain
    from corral.stacks.config.errors import one_of

    unknown = [name for name in arguments.addon if name not in NAMES]
    if unknown:
        raise UsageError(f"--addon {unknown[0]}: {one_of(unknown[0], NAMES)}")
    names = toolchain.needed(Addon if arguments.all else [Addon(name) for name in arguments.addon])
    if arguments.plan:
        print(*toolchain.plan_lines(toolchain.plan(toolchain.chosen(names))), sep="\n")
    else:
        toolchain.ensure(names, progress)
    return 0
