"""Import of a model: files are fetched, checked by SHA-256, uploaded; a manifest comes last."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.tools import store as s3
from corral.tools.failure import ToolFailure
from corral.tools.locking import needed
from corral.tools.sources import source_of
from corral.tools.sources.source import Source, sha256_of

MANIFEST = "manifest.json"
FORMAT = 1

Say = Callable[[str], None]


@dataclass(frozen=True)
class Import:
    """What to import: `files` maps names to SHA-256 in hex; None: whatever the source holds, unlocked."""

    source: str
    target: s3.Location
    files: Mapping[str, str] | None
    license: str


def run(order: Import, store: Any, say: Say) -> None:
    """Carry out `order`; what is stored already, and right when it is read, is not brought again.

    Nothing is uploaded before every file has been checked. The manifest comes last.

    Raises:
        ToolFailure: a source cannot be read or a file is not the expected one.
        botocore.exceptions.ClientError: the store refused.
    """
    where = order.target.uri
    known = _recorded(order, store)
    if known is not None and all(
        _stored(order.target, store, name, digest) for name, digest in known.items()
    ):
        say(f"{where} holds these files already; nothing to do")
        return
    source = source_of(order.source, store)
    expected = order.files if order.files is not None else _unlocked(source)
    kept = {
        name for name, digest in expected.items() if digest and _stored(order.target, store, name, digest)
    }
    for name in sorted(kept):
        say(f"{where} holds {name} already")
    with tempfile.TemporaryDirectory(prefix="corral-import-") as folder:
        fetched = {
            name: _verified(order, name, expected[name], source, Path(folder), say)
            for name in sorted(expected.keys() - kept)
        }
        for name, (path, digest) in fetched.items():
            s3.upload(store, order.target, name, path, digest)
            say(f"uploaded {name} to {where}")
    digests = {**{name: expected[name] or "" for name in kept}, **{n: d for n, (_, d) in fetched.items()}}
    sizes = {name: s3.size_of(store, order.target, name) or 0 for name in digests}
    s3.write_json(store, order.target, MANIFEST, _manifest(order, digests, sizes))
    say(f"wrote {where}/{MANIFEST}")


def _unlocked(source: Source) -> Mapping[str, str | None]:
    listing = needed(source.listing())
    return {file.name: file.sha256 for file in listing.files}


def _manifest(order: Import, digests: Mapping[str, str], sizes: Mapping[str, int]) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "format": FORMAT,
        "source": order.source,
        "license": order.license,
        "locked": order.files is not None,
        "tool": f"corral {version('corral')}",
        "files": {name: {"sha256": digest, "size": sizes[name]} for name, digest in digests.items()},
    }


def _recorded(order: Import, store: Any) -> Mapping[str, str] | None:
    """Digests of the stored manifest, where it is of an import like `order`."""
    found = s3.read_json(store, order.target, MANIFEST) or {}
    listed: dict[str, dict[str, Any]] = found.get("files", {})
    digests = {name: str(entry.get("sha256")) for name, entry in listed.items()}
    stated = (found.get("source"), found.get("license"), found.get("locked", True))
    if not digests or stated != (order.source, order.license, order.files is not None):
        return None
    return digests if order.files is None or digests == dict(order.files) else None


def _stored(target: s3.Location, store: Any, name: str, digest: str) -> bool:
    """Whether the store gives out file `name` with that SHA-256: its content is read."""
    return s3.sha256_of(store, target, name) == digest


def _verified(
    order: Import, name: str, expected: str | None, source: Source, scratch: Path, say: Say
) -> tuple[Path, str]:
    say(f"fetching {name} from {order.source}")
    path = source.fetch(name, scratch)
    found = sha256_of(path)
    if expected is not None and found != expected:
        raise ToolFailure(
            f"{name} from {order.source} has SHA-256 {found}, not {expected}; nothing was stored"
        )
    say(f"verified {name}: {path.stat().st_size} bytes, SHA-256 {found}")
    return path, found
