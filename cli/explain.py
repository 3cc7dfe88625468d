"""An error as one clear message on standard error, and the exit code that fits."""

import sys

import httpx

from corral.cli.errors import FAILED, NO_SPACE, WRONG, UsageError
from corral.embedded.chat import NoAnswer
from corral.embedded.engine.deployed import NotCompared
from corral.embedded.engine.engine import EngineError
from corral.embedded.engine.exclusive import Busy
from corral.embedded.engine.project import NoProject
from corral.embedded.engine.state import StateUnavailable
from corral.embedded.kube import ApiError
from corral.embedded.plane.addresses import AddressesInUse
from corral.embedded.plane.plane import PlaneError
from corral.embedded.plane.record import NoPlane
from corral.embedded.toolchain.errors import ToolchainError
from corral.stacks.config.errors import StackErrors


def explain(error: Exception) -> int:
    """Print `error` for a person; returns the exit code.

    Raises:
        Exception: `error` itself, when it is none that a user can do something about.
    """
    match error:
        case StackErrors():
            for problem in error.problems:
                print(problem, file=sys.stderr)
            return WRONG
        case UsageError() | NoProject():
            print(f"corral: {error}", file=sys.stderr)
            return WRONG
        case (
            NoAnswer()
            | EngineError()
            | Busy()
            | NotCompared()
            | StateUnavailable()
            | AddressesInUse()
            | PlaneError()
            | NoPlane()
            | ToolchainError()
            | TimeoutError()
        ):
            print(f"corral: {error}", file=sys.stderr)
            return FAILED
        case httpx.TransportError() | ApiError():
            print(f"corral: the API server of the plane: {error or type(error).__name__}", file=sys.stderr)
            return FAILED
        case OSError() if error.errno in NO_SPACE:
            print(
                f"corral: no space left to write {error.filename or 'in $CORRAL_HOME'}: make room, or name "
                "another place by CORRAL_HOME; what was under way is done again by the next run",
                file=sys.stderr,
            )
            return FAILED
        case PermissionError() if error.filename:
            print(
                f"corral: {error.filename}: {error.strerror}: it belongs to another user; name a home of "
                "your own by CORRAL_HOME",
                file=sys.stderr,
            )
            return FAILED
        case _:
            raise error
