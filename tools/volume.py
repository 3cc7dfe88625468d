"""Keeps a store from its data where the encryption key is not the one that the data was written under."""

import os
from pathlib import Path

from corral.tools.failure import ToolFailure

KEPT = ".corral-encryption-key-mark"
"""File on the volume with the mark of the key that its data was written under."""


def require_key(mark: Path, data: Path) -> None:
    """Compare the mark of the present key with the one that the volume `data` keeps; an empty one takes it.

    Raises:
        ToolFailure: they differ.
        OSError: one of them cannot be read or written.
    """
    present, kept = mark.read_bytes(), data / KEPT
    if not kept.exists():
        # Whole or not at all: half a mark would refuse the right key for ever.
        fresh = data / f"{KEPT}.{os.getpid()}"
        fresh.write_bytes(present)
        fresh.replace(kept)
    elif kept.read_bytes() != present:
        raise ToolFailure(
            "the store's encryption key is another one than its data was written under, and no model could "
            "be read: put the former key back"
        )
