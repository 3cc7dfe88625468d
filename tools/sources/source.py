"""What every source of model files offers."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from corral.tools.failure import ToolFailure


@dataclass(frozen=True)
class Listed:
    """A file as its source lists it."""

    name: str
    """Path relative to the model's folder."""
    size: int
    """Bytes."""
    sha256: str | None
    """In hex, where the source keeps it; None: the content must be read."""


@dataclass(frozen=True)
class Listing:
    """The files of a model at one revision."""

    revision: str | None
    """What pins the content, such as a commit or a manifest's digest; None: the source keeps no revisions."""
    files: tuple[Listed, ...]


class Source(Protocol):
    """A place that holds the files of one model."""

    def listing(self) -> Listing:
        """Every file there.

        Raises:
            ToolFailure: the source cannot be read, or has no file.
        """
        ...

    def fetch(self, name: str, scratch: Path) -> Path:
        """File `name` on this machine: brought into `scratch`, or where it is already.

        Raises:
            ToolFailure: there is no such file, or it cannot be read.
        """
        ...


def inside(scratch: Path, name: str) -> Path:
    """Path of file `name` in `scratch`, its folders made.

    Raises:
        ToolFailure: the name leads out of the folder.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ToolFailure(f"{name!r}: a file of a model has a relative path without '..'")
    target = scratch / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def save(chunks: Iterable[bytes], target: Path) -> None:
    """Write `chunks` into `target`."""
    with target.open("wb") as stream:
        for chunk in chunks:
            stream.write(chunk)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
