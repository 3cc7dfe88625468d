"""The files of a model, each with size and SHA-256: what a lock keeps of a source."""

import hashlib
from collections.abc import Collection
from dataclasses import replace

from corral.catalogue.unsafe_files import Unsafe, safe_weights, unsafe
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Say, Source

DOCUMENTS = (".md", ".txt", ".png", ".jpg", ".gitattributes", ".gitignore")
"""Endings of files that no engine reads."""
POINTER = b"version https://git-lfs.github.com/spec/"


def locked(source: Source, say: Say, known: Collection[Listed] = (), only: Collection[str] = ()) -> Listing:
    """What is `needed` of the listing of `source`, a SHA-256 for every file.

    What the source keeps no checksum of is read, unless `known` has the file in the version that is there.
    `only`: names of the files that count; empty: all.

    Raises:
        ToolFailure: the source cannot be read, holds nothing but documents, or a file is a Git LFS pointer.
    """
    listing = needed(source.listing())
    before: dict[tuple[str, int, str | None], str | None] = {
        (one.name, one.size, one.version): one.sha256 for one in known if one.version is not None
    }
    files = tuple(
        replace(file, sha256=file.sha256 or before.get((file.name, file.size, file.version)))
        for file in listing.files
    )
    files = tuple(file for file in files if not only or file.name in only)
    files = tuple(_hashed(source, file, say) for file in files)
    return Listing(listing.revision, tuple(sorted(files, key=lambda file: file.name)))


def needed(listing: Listing) -> Listing:
    """`listing` without its documents, its code, and the pickles that have safe weights beside them.

    Raises:
        ToolFailure: it holds nothing else.
    """
    files = tuple(
        file for file in listing.files if not _document(file.name) and unsafe(file.name) is not Unsafe.CODE
    )
    if any(safe_weights(file.name) for file in files):
        files = tuple(file for file in files if unsafe(file.name) is None)
    if not files:
        raise ToolFailure("there is no file that an engine reads")
    return Listing(listing.revision, files)


def _document(name: str) -> bool:
    base = name.rpartition("/")[2]
    return base.startswith(".") or (
        base.lower().endswith(DOCUMENTS) and base not in ("merges.txt", "vocab.txt")
    )


def _hashed(source: Source, file: Listed, say: Say) -> Listed:
    if file.sha256 is not None:
        return file
    say(f"reading {file.name} ({file.size} bytes): its source keeps no SHA-256")
    digest, size = hashlib.sha256(), 0
    for chunk in source.read(file.name, say):
        if size == 0 and chunk.startswith(POINTER):
            raise ToolFailure(f"{file.name} is a Git LFS pointer, not the file: fetch it with git lfs pull")
        digest.update(chunk)
        size += len(chunk)
    return replace(file, size=size, sha256=digest.hexdigest())
