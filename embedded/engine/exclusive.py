"""One command at a time deploys a stack; a second one is refused, and told which one runs."""

import contextlib
import fcntl
import os
from collections.abc import Generator

from corral.embedded.home import PlaneHome, private_directory


class Busy(Exception):
    """Another command deploys the stack; the text names its process."""


@contextlib.contextmanager
def exclusive(plane: PlaneHome, stack: str) -> Generator[None]:
    """Hold the right to deploy `stack` on `plane`; it ends with this process at the latest.

    Raises:
        Busy: another process holds it.
    """
    path = private_directory(plane.engine) / "deploying"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip()
            raise Busy(
                f"`corral up` already works on stack {stack}" + (f" (process {holder})" if holder else "")
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
