"""What has been set up, as files on disk: one folder per tool, complete only with its record."""

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corral.embedded.home import Home, private_directory
from corral.embedded.toolchain.errors import unreadable

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
    file = folder / path
    status = file.stat()
    return FileRecord(str(path), status.st_size, status.st_mtime_ns, sha256_of(file))


def write_record(folder: Path, record: Record) -> None:
    (folder / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n")


def read_record(folder: Path) -> Record | None:
    """The record of `folder`; None where the folder is absent or was never completed.

    Raises:
        ToolchainError: this user may not read the folder.
    """
    try:
        content: dict[str, Any] = json.loads((folder / RECORD).read_text())
        files = {name: FileRecord(**fields) for name, fields in content.pop("files").items()}
        return Record(**content, files=files)
    except PermissionError as error:
        raise unreadable(folder.parent) from error
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, KeyError):
        return None


def changed_file(folder: Path, record: Record) -> str | None:
    """Name of a recorded file that is gone or has other contents; None when all are as recorded.

    Size and time stand for the contents; those of a file with another time, as a copy has, are compared.
    """
    for name, file in record.files.items():
        path = folder / file.path
        try:
            status = path.stat()
            if status.st_size != file.size:
                return name
            if status.st_mtime_ns != file.mtime_ns and _sha256_at(path, status.st_mtime_ns) != file.sha256:
                return name
        except OSError:
            return name
    return None


@functools.cache
def _sha256_at(path: Path, mtime_ns: int) -> str:
    """SHA-256 of `path`, read once per process and time of change."""
    return sha256_of(path)


def restore_times(folder: Path, record: Record) -> None:
    """Give unchanged files of a copied folder their recorded times, so that nothing reads them again."""
    for file in record.files.values():
        path = folder / file.path
        if path.is_relative_to(folder) and path.stat().st_mtime_ns != file.mtime_ns:
            with contextlib.suppress(PermissionError):
                os.utime(path, ns=(file.mtime_ns, file.mtime_ns))


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
    """Put the finished folder `scratch` in place of `destination`, whole or not at all, for all to read."""
    for path in (scratch, *scratch.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
    replaced = scratch.with_name(f"{scratch.name}.replaced")
    with contextlib.suppress(FileNotFoundError):
        destination.rename(replaced)
    scratch.rename(destination)
    remove_folder(replaced)


def open_directory(root: Path) -> None:
    """Make the toolchain's folder one that other users can read; Corral's home only lets them through.

    Planes in the home, with their secrets, are closed folders of their own.
    """
    if not root.is_dir():
        private_directory(root.parent)
        root.mkdir(exist_ok=True)
    home = Home.find().root
    for folder, mode in ((root, 0o755), (home, 0o711)):
        status = folder.stat() if root.is_relative_to(folder) else None
        if status and status.st_uid == os.getuid():
            folder.chmod(status.st_mode | mode)


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
    try:
        open_directory(root)
        stream = (root / ".lock").open("w")
    except PermissionError as error:
        raise unreadable(root) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
