"""What has been set up, as files on disk: one folder per tool, complete only with its record."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corral.embedded.home import private_directory

RECORD = ".complete"


@dataclass(frozen=True)
class FileRecord:
    """One file that users of the tool rely on."""

    path: str
    """Relative to the tool's folder; absolute for a program that was found on PATH."""
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """How a tool came to be and which files it provides."""

    name: str
    version: str
    source: str
    """Label of the source that provided it."""
    recipe: str
    """Digest of the recipe's own files; another digest means that the tool is out of date."""
    seconds: float
    expected: float
    """Seconds that the source was expected to take."""
    files: Mapping[str, FileRecord]
    """By the name under which the file is asked for."""


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def describe(folder: Path, path: Path) -> FileRecord:
    """Size, time and SHA-256 of `path`, which is relative to `folder` or absolute."""
    found = folder / path
    status = found.stat()
    return FileRecord(str(path), status.st_size, status.st_mtime_ns, sha256_of(found))


def write_record(folder: Path, record: Record) -> None:
    (folder / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n")


def read_record(folder: Path) -> Record | None:
    """The record of `folder`; None where the folder is absent or was never completed."""
    try:
        content: dict[str, Any] = json.loads((folder / RECORD).read_text())
        files = {name: FileRecord(**fields) for name, fields in content.pop("files").items()}
        return Record(**content, files=files)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        return None


def changed_file(folder: Path, record: Record) -> str | None:
    """Name of a recorded file that is gone or has another size or time; None when all are as recorded."""
    for name, file in record.files.items():
        try:
            status = (folder / file.path).stat()
        except OSError:
            return name
        if (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            return name
    return None


def corrupt_file(folder: Path, record: Record) -> str | None:
    """As `changed_file`, but by SHA-256: reads every recorded file."""
    for name, file in record.files.items():
        try:
            if sha256_of(folder / file.path) != file.sha256:
                return name
        except OSError:
            return name
    return None


def install_folder(scratch: Path, destination: Path) -> None:
    """Put the finished folder `scratch` in place of `destination`, whole or not at all."""
    replaced = scratch.with_name(f"{scratch.name}.replaced")
    with contextlib.suppress(FileNotFoundError):
        destination.rename(replaced)
    scratch.rename(destination)
    remove_folder(replaced)


def remove_folder(folder: Path) -> None:
    """Remove `folder` with everything in it, read-only folders included; absent is fine."""

    def unlock(function: Callable[[str], object], path: str, _error: object) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.chmod(Path(path).parent, 0o700)  # noqa: PTH101 - the module cache is read-only
            os.chmod(path, 0o700)  # noqa: PTH101
            function(path)

    if folder.exists():
        shutil.rmtree(folder, onerror=unlock)


@contextlib.contextmanager
def set_up_lock(root: Path, waiting: Callable[[], None]) -> Generator[None]:
    """Hold the toolchain at `root` for one set-up at a time; `waiting` is called when another one runs."""
    private_directory(root)
    with (root / ".lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
