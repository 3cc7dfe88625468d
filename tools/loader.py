"""From the store into the pod that serves a model: every file with the SHA-256 that it was imported with."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.tools.failure import ToolFailure
from corral.tools.importer import MANIFEST
from corral.tools.model_store import ModelStore
from corral.tools.sources.source import inside, relative, sha256_of
from corral.tools.store import Location

LOOK_SECONDS = 1.0
"""Between two looks at a file that is awaited."""
AT_ONCE = 2
"""Files under way: one is hashed while another arrives."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Load:
    """What to bring where: `files` maps names to SHA-256 in hex; empty: those of the stored manifest."""

    source: Location
    target: Path
    files: Mapping[str, str]
    wait: int | None = None
    """Seconds in which somebody else brings the files, which are only read here; None: they are brought."""


def run(order: Load, store: ModelStore, say: Say) -> None:
    """Carry out `order`; a file that is there already, and right, is not brought again.

    Raises:
        ToolFailure: a file is missing or is not the one expected; it is not left behind.
        botocore.exceptions.ClientError: the store refused.
    """
    expected = order.files or _listed(order, store)

    until = time.monotonic() + (order.wait or 0)

    def bring(name: str) -> int:
        if order.wait is not None:
            return _awaited(order, name, expected[name], until, say)
        return _brought(order, store, name, expected[name], say)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        sizes = list(pool.map(bring, sorted(expected)))
    say(f"{len(sizes)} files of {order.source.uri} verified, {sum(sizes)} bytes")


def _listed(order: Load, store: ModelStore) -> Mapping[str, str]:
    manifest = store.read_json(order.source, MANIFEST) or {}
    files: Mapping[str, Mapping[str, Any]] = manifest.get("files", {})
    if not files:
        raise ToolFailure(f"{order.source.uri} has no {MANIFEST}: its import has not come to its end")
    return {name: str(entry["sha256"]) for name, entry in files.items()}


def _brought(order: Load, store: ModelStore, name: str, expected: str, say: Say) -> int:
    path = inside(order.target, name)
    if not (path.is_file() and sha256_of(path) == expected):
        store.download(order.source, name, path)
        actual = sha256_of(path)
        if actual != expected:
            path.unlink()
            raise ToolFailure(
                f"{name} in {order.source.uri} has SHA-256 {actual}, not {expected}: it was changed after "
                "its import, and is not served"
            )
    say(f"verified {name}: {path.stat().st_size} bytes, SHA-256 {expected}")
    return path.stat().st_size


def _awaited(order: Load, name: str, expected: str, until: float, say: Say) -> int:
    """Size of a file that somebody else brings, once it is right; only a changed one is read again."""
    path = order.target / relative(name)
    read, actual = None, None
    while True:
        seen = (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else None
        if seen is not None and seen != read:
            read, actual = seen, sha256_of(path)
            if actual == expected:
                say(f"verified {name}: {seen[0]} bytes, SHA-256 {expected}")
                return seen[0]
        if time.monotonic() >= until:
            there = "is not there" if actual is None else f"has SHA-256 {actual}, not {expected}"
            raise ToolFailure(
                f"{name} {there} in {order.target}, the cache of {order.source.uri} on this node, after "
                f"{order.wait} s: see the job that fetches it and `kubectl get localmodelcaches`"
            )
        time.sleep(LOOK_SECONDS)
