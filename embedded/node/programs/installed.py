"""Where the toolchain put the programs, and what of this machine a process must see to run them."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from corral.embedded import toolchain
from corral.embedded.home import Home
from corral.embedded.node.program_spec import Refused

SCRIPTS = Path(__file__).resolve().parent
"""The scripts that stand in for an image's entry point."""


def program(name: str) -> Path:
    """A program of the toolchain; Refused when it is not set up."""
    return _or_refuse(lambda: toolchain.tool(name))


def interpreter(name: str) -> Path:
    """The Python of one of the toolchain's environments; Refused when it is not set up."""
    return _or_refuse(lambda: toolchain.python_env(name))


def postgres() -> Path:
    """The folder with PostgreSQL's programs; Refused when it is not set up."""
    return _or_refuse(toolchain.postgres_bin)


def packages() -> Path:
    """The folder with the wheels that need no network; Refused when it is not set up."""
    return _or_refuse(toolchain.wheels)


def _or_refuse(look_up: Callable[[], Path]) -> Path:
    try:
        return look_up()
    except toolchain.ToolMissing as missing:
        raise Refused(str(missing)) from missing


def folder(program: Path) -> Path:
    """The folder of the toolchain that a program came with; of a program from elsewhere its own folder."""
    top = Home.find().toolchain
    return top / program.relative_to(top).parts[0] if program.is_relative_to(top) else program


def script(python: Path, name: str) -> list[str]:
    """The start of a command line for one of our scripts; Python's own variables have no effect on it."""
    return [str(python), "-I", str(SCRIPTS / name)]


def seen_by(python: Path) -> Sequence[Path]:
    """What a script run by `python` reads: its environment, the interpreter behind it, our scripts."""
    return (python.parent.parent, python.resolve().parent.parent, SCRIPTS)


def this_python() -> Sequence[Path]:
    """What a process under the node's own Python reads: its environment, its interpreter, the checkout, and
    whatever else its path of modules names."""
    own = (Path(sys.prefix), Path(sys.base_prefix), SCRIPTS.parents[2])
    named = (Path(entry) for entry in sys.path if entry and Path(entry).is_dir())
    return (*own, *(path for path in named if not any(path.is_relative_to(one) for one in own)))


def this_interpreter() -> Path:
    """The node's own Python, for scripts that need nothing but the standard library."""
    return Path(sys.executable)
