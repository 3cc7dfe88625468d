"""The plane of a stack, for commands that need nothing else: what they import is what a user waits for."""

from corral.cli.errors import UsageError
from corral.embedded.home import Home, PlaneHome
from corral.embedded.plane.record import NoPlane, PlaneRecord
from corral.embedded.plane.state import PlaneState


def home_of(stack: str) -> tuple[Home, PlaneHome]:
    """Where the plane of `stack` is, started or not."""
    home = Home.find()
    try:
        return home, home.plane(stack)
    except ValueError as cause:
        raise UsageError(str(cause)) from cause


def started(stack: str) -> PlaneHome:
    """The plane of `stack`, which must be running.

    Raises:
        NoPlane: it is not; the text names the command that starts it.
    """
    _home, plane = home_of(stack)
    PlaneRecord.load(plane)
    problem = PlaneState.load(plane).problem or ("" if plane.kubeconfig.exists() else "not running")
    if problem:
        raise NoPlane(f"plane {stack!r} is {problem}: `corral up -s {stack}`")
    return plane
