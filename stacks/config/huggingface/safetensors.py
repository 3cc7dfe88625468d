"""Sizes of safetensors files, checked against their own headers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from corral.stacks.config.huggingface.values import POINTERS, pointer

LENGTH = 8
"""Bytes of the length of the header that a file begins with."""
SAVED: Mapping[str, float] = {"F32": 1 / 2, "F64": 3 / 4}
"""Share of a tensor's bytes that a cast to 16 bits saves, by its dtype."""
LARGEST_HEADER = 100_000_000
"""Bytes; the format's own limit."""


class Incomplete(Exception):
    """A file that does not hold its tensors; the text is the reason."""


class Stored(NamedTuple):
    """Bytes of one or several files."""

    size: int
    """On disk."""
    cast: int
    """In memory, where what has more than 16 bits is cast to them."""


def stored_bytes(path: Path) -> Stored:
    """Sizes of the file at `path`.

    Raises:
        Incomplete: it is a Git LFS pointer, no safetensors file, or shorter than its header says.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(max(len(one) for one in POINTERS))
        reason = pointer(start.decode("ascii", "replace"))
        if reason is not None:
            raise Incomplete(reason)
        length = int.from_bytes(start[:LENGTH], "little")
        file.seek(LENGTH)
        header = file.read(length) if length <= LARGEST_HEADER else b""
    end, narrowed = _tensor_bytes(header)
    expected = LENGTH + length + end
    if size < expected:
        raise Incomplete(f"{size} bytes of {expected}, the download is incomplete")
    return Stored(size, size - narrowed)


def _tensor_bytes(header: bytes) -> tuple[int, int]:
    """Where the last tensor ends, by the header of its file, and bytes that a cast to 16 bits saves."""
    end = narrowed = 0
    try:
        entries = cast("dict[str, Any]", json.loads(header))
        for key, entry in entries.items():
            if key == "__metadata__":
                continue
            first, last = (int(one) for one in entry["data_offsets"])
            if not 0 <= first <= last:
                raise ValueError
            end = max(end, last)
            narrowed += int((last - first) * SAVED.get(str(entry["dtype"]), 0))
        return end, narrowed
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError):
        raise Incomplete("is no complete safetensors file") from None
