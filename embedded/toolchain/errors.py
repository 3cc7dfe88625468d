"""What can go wrong when the toolchain is set up or looked up."""

import errno
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class ToolchainError(Exception):
    """A tool cannot be had; the message says which, why and what would help."""


class ToolMissing(ToolchainError):
    """A program, environment or chart has not been set up, or its files have changed since."""

    def __init__(
        self, what: str, reason: str = "not set up", command: str = "make setup` / `corral setup"
    ) -> None:
        super().__init__(f"{what}: {reason}; run `{command}`")


class SourceUnavailable(Exception):
    """One source of a tool does not apply here; the next one is tried."""


DISK_FULL = "No space left on device"


def disk_full(folder: Path) -> ToolchainError:
    return ToolchainError(
        f"the disk of {folder} is full: free some space, or set CORRAL_TOOLCHAIN to a larger disk, "
        "then run again"
    )


def unreadable(folder: Path) -> ToolchainError:
    return ToolchainError(
        f"{folder}: closed to this user; its owner opens it by `corral setup`, or set CORRAL_TOOLCHAIN to a "
        "folder of yours"
    )


@contextmanager
def clear_disk_errors(folder: Path) -> Generator[None]:
    """Turn the system's "no space left" into one message that names the folder."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise disk_full(folder) from error


def require_linux() -> None:
    """Raise ToolchainError anywhere but on 64-bit x86 or Arm Linux."""
    machine = os.uname().machine if hasattr(os, "uname") else "unknown"
    if sys.platform != "linux" or machine not in ("x86_64", "aarch64"):
        raise ToolchainError(
            f"the embedded platform needs Linux on x86_64 or aarch64; this is {sys.platform} on {machine}: "
            "use a cluster of yours with `cluster: {kind: existing}`"
        )
