"""`python -m bench [NAME…]`: measures and prints one table; without names all of them."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping

from rich.console import Console

from bench import (
    admitted,
    applied,
    gateway,
    imports,
    lost,
    pack,
    packing,
    peers,
    programs,
    quick,
    sizing,
    stacks,
    whole,
)
from bench.figures import Figure, save, show

BENCHES: Mapping[str, Callable[[], Iterable[Figure]]] = {
    "setup": quick.setup,
    "plan": quick.plan,
    "program": quick.program,
    "programs": programs.programs,
    "models": quick.models,
    "packing": packing.packing,
    "sizing": sizing.sizing,
    "platform": whole.platform,
    "engine": applied.engine,
    "stacks": stacks.stacks,
    "gateway": gateway.gateway,
    "lost": lost.lost,
    "imports": imports.imports,
    "pack": pack.pack,
    "peers": peers.peers,
    "admitted": admitted.admitted,
}


def main() -> None:
    """Each result is also in `bench/results/<name>.json`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ", ".join(f"{name}: {bench.__doc__}" for name, bench in BENCHES.items())
    parser.add_argument("names", nargs="*", metavar="NAME", help=names)
    chosen: list[str] = parser.parse_args().names or list(BENCHES)
    unknown = [name for name in chosen if name not in BENCHES]
    if unknown:
        parser.error(f"no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    every: list[Figure] = []
    for name in chosen:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        figures: list[Figure] = []
        for figure in BENCHES[name]():
            print(f"  {figure.name}: {figure.value:.2f} {figure.unit}", file=sys.stderr, flush=True)
            figures.append(figure)
        save(name, figures)
        every += figures
    console = Console()
    show(console if console.is_terminal else Console(width=140), every)


if __name__ == "__main__":
    main()
