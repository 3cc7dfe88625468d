"""What every source of model files offers."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from corral.catalogue.sources import SOURCE_FORMS
from corral.catalogue.vocabulary import SourceScheme
from corral.tools.failure import ToolFailure

Say = Callable[[str], None]


@dataclass(frozen=True)
class Listed:
    """A file as its source lists it."""

    name: str
    """Path relative to the model's folder."""
    size: int
    """Bytes."""
    sha256: str | None
    """In hex, where the source keeps it; None: the content must be read."""
    version: str | None = None
    """What the source changes with the content, such as an ETag or a generation; None: it has none."""


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

    def read(self, name: str, notes: Say) -> Iterator[bytes]:
        """The content of file `name`, chunk by chunk; `notes` hears of interruptions.

        Raises:
            ToolFailure: there is no such file, it cannot be read, or it changes while it is read.
        """
        ...


def parts(scheme: SourceScheme, rest: str) -> re.Match[str]:
    """What follows `SCHEME://` in a URI, by the groups of its form.

    Raises:
        ToolFailure: it has another form.
    """
    form = SOURCE_FORMS[scheme]
    match = re.fullmatch(form.pattern, rest)
    if match is None:
        raise ToolFailure(f"{scheme.value}://{rest}: expected {form.words}")
    return match


def fetched(source: Source, name: str, folder: Path, notes: Say) -> Path:
    """File `name` of `source`, copied into `folder`.

    Raises:
        ToolFailure: the name leads out of the folder, or the file cannot be read.
    """
    target = inside(folder, name)
    with target.open("wb") as stream:
        for chunk in source.read(name, notes):
            stream.write(chunk)
    return target


def below(prefix: str, key: str) -> str | None:
    """Name of object `key` as a file of `prefix`, which may be that object itself; None: it is none.

    >>> below("tiny", "tiny/a/b.gguf"), below("tiny/b.gguf", "tiny/b.gguf"), below("tiny", "tiny-2/b.gguf")
    ('a/b.gguf', 'b.gguf', None)
    """
    if key == prefix:
        return key.rpartition("/")[2]
    start = f"{prefix}/" if prefix else ""
    inner = key.removeprefix(start)
    return inner if key.startswith(start) and inner and not inner.endswith("/") else None


def inside(folder: Path, name: str) -> Path:
    """Path of file `name` in `folder`, its own folders made.

    Raises:
        ToolFailure: the name leads out of the folder.
    """
    target = folder / relative(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def relative(name: str) -> PurePosixPath:
    """`name` as a path below a model's folder.

    Raises:
        ToolFailure: it leads out of it.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ToolFailure(f"{name!r}: a file of a model has a relative path without '..'")
    return path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
