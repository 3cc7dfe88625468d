"""The files of a model, each with size and SHA-256: what a lock keeps of a source."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Source, sha256_of

DOCUMENTS = (".md", ".txt", ".png", ".jpg", ".gitattributes", ".gitignore")
"""Endings of files that no engine reads."""
POINTER = b"version https://git-lfs.github.com/spec/"

Say = Callable[[str], None]


def locked(source: Source, say: Say) -> Listing:
    """The listing of `source` without its documents, a SHA-256 for every file.

    What the source keeps no checksum of is read once.

    Raises:
        ToolFailure: the source cannot be read, holds nothing but documents, or a file is a Git LFS pointer.
    """
    listing = source.listing()
    needed = [file for file in listing.files if not _document(file.name)]
    if not needed:
        raise ToolFailure("there is no file that an engine reads")
    with tempfile.TemporaryDirectory(prefix="corral-lock-") as folder:
        files = tuple(_hashed(source, file, Path(folder), say) for file in needed)
    return Listing(listing.revision, tuple(sorted(files, key=lambda file: file.name)))


def _document(name: str) -> bool:
    base = name.rpartition("/")[2]
    return base.startswith(".") or (
        base.lower().endswith(DOCUMENTS) and base not in ("merges.txt", "vocab.txt")
    )


def _hashed(source: Source, file: Listed, scratch: Path, say: Say) -> Listed:
    if file.sha256 is not None:
        return file
    say(f"reading {file.name} ({file.size} bytes): its source keeps no SHA-256")
    path = source.fetch(file.name, scratch)
    with path.open("rb") as stream:
        if stream.read(len(POINTER)) == POINTER:
            raise ToolFailure(f"{file.name} is a Git LFS pointer, not the file: fetch it with git lfs pull")
    known = replace(file, size=path.stat().st_size, sha256=sha256_of(path))
    if path.is_relative_to(scratch):
        path.unlink()
    return known
