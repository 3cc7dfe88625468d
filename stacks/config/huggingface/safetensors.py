"""Sizes of safetensors files, checked against their own headers."""

import json
from pathlib import Path
from typing import Any, cast

POINTER = b"version https://git-lfs"
LENGTH = 8
"""Bytes of the length of the header that a file begins with."""
LARGEST_HEADER = 100_000_000
"""Bytes; the format's own limit."""


class Incomplete(Exception):
    """A file that does not hold its tensors; the text is the reason."""


def stored_bytes(path: Path) -> int:
    """Size of the file at `path`, in bytes.

    Raises:
        Incomplete: it is a Git LFS pointer, no safetensors file, or shorter than its header says.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(len(POINTER))
        if start == POINTER:
            raise Incomplete("is a Git LFS pointer, fetch the file itself (git lfs pull)")
        length = int.from_bytes(start[:LENGTH], "little")
        file.seek(LENGTH)
        header = file.read(length) if length <= LARGEST_HEADER else b""
    expected = LENGTH + length + _tensor_bytes(header)
    if size < expected:
        raise Incomplete(f"{size} bytes of {expected}, the download is incomplete")
    return size


def _tensor_bytes(header: bytes) -> int:
    """Where the last tensor ends, by the header of its file."""
    try:
        entries = cast("dict[str, Any]", json.loads(header))
        return max(
            (int(entry["data_offsets"][1]) for key, entry in entries.items() if key != "__metadata__"),
            default=0,
        )
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        raise Incomplete("is no complete safetensors file") from None
