"""Import of a model: files pass from source to store, checked on their way; a manifest comes last."""

import contextlib
import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from corral.catalogue.runtimes import BILL_FILE
from corral.catalogue.unsafe_files import unsafe
from corral.tools.bill import StoredFile, bill_of_materials
from corral.tools.failure import ToolFailure
from corral.tools.locking import needed
from corral.tools.model_store import ModelStore, Staged
from corral.tools.sources import source_of
from corral.tools.sources.source import Source
from corral.tools.staging import UNDER_WAY
from corral.tools.store import Location

MANIFEST = "manifest.json"
FORMAT = 1
EVERY_SECONDS = 10.0
"""Time between two lines about a file under way."""
MIB = 1 << 20

Say = Callable[[str], None]


@dataclass(frozen=True)
class Import:
    """What to import: `files` maps names to SHA-256 in hex; None: whatever the source holds, unlocked."""

    source: str
    target: Location
    files: Mapping[str, str] | None
    license: str
    unsafe: bool = False
    """Whether files that run code where they are read are taken."""


class WrongContent(ToolFailure):
    """A file is not the locked one."""


def run(order: Import, store: ModelStore, say: Say) -> None:
    """Carry out `order`; what is stored already, and right when it is read, is not brought again.

    No file is visible in the store before it has been checked, and none where one is wrong. The manifest
    comes last.

    Raises:
        ToolFailure: a source cannot be read, a file is not the expected one, or the store refused it.
        botocore.exceptions.ClientError: the store refused.
    """
    where = order.target.uri
    known = _recorded(order, store)
    if known is not None and all(
        _stored(order.target, store, name, digest) for name, digest in known.items()
    ):
        say(f"{where} holds these files already; nothing to do")
        return
    source = source_of(order.source)
    expected = order.files if order.files is not None else _unlocked(source)
    _require_data(order, expected)
    files: dict[str, StoredFile] = {}
    for name, digest in sorted(expected.items()):
        if digest and _stored(order.target, store, name, digest):
            say(f"{where} holds {name} already")
            files[name] = StoredFile(digest, store.size_of(order.target, name) or 0)
    store.remove_abandoned(order.target, say)
    missing = {name: digest for name, digest in expected.items() if name not in files}
    files |= _imported(order, store, source, missing, say)
    store.write_json(order.target, BILL_FILE, bill_of_materials(order.source, where, order.license, files))
    store.write_json(order.target, MANIFEST, _manifest(order, files))
    say(f"wrote {where}/{BILL_FILE} and {where}/{MANIFEST}")


def _imported(
    order: Import, store: ModelStore, source: Source, missing: Mapping[str, str | None], say: Say
) -> dict[str, StoredFile]:
    """The files of `missing`, put into the store together.

    Where a source breaks off for good, those that are right stay for the next attempt.
    """
    ready: dict[Staged, StoredFile] = {}
    with ThreadPoolExecutor(UNDER_WAY) as pool:
        try:
            for name in sorted(missing):
                file = store.stage(order.target, name, pool)
                try:
                    ready[file] = _brought(order, source, file, missing[name], say)
                except BaseException:
                    file.discard()
                    raise
        except WrongContent:
            for file in ready:
                file.discard()
            raise
        except ToolFailure:
            with contextlib.suppress(ToolFailure):
                for file in ready:
                    file.finish()
            raise
        for file in ready:
            file.finish()
            say(f"stored {order.target.uri}/{file.name}")
    return {file.name: stored for file, stored in ready.items()}


def _brought(order: Import, source: Source, file: Staged, expected: str | None, say: Say) -> StoredFile:
    """Send `file` to the store; it is no object there yet."""
    say(f"fetching {file.name} from {order.source}")
    digest, size, begun = hashlib.sha256(), 0, time.monotonic()
    reported = begun
    for chunk in source.read(file.name, say):
        digest.update(chunk)
        size += len(chunk)
        file.write(chunk)
        if (now := time.monotonic()) - reported >= EVERY_SECONDS:
            reported = now
            say(f"{file.name}: {size / MIB:.0f} MiB so far, {size / MIB / (now - begun):.0f} MiB/s")
    actual = digest.hexdigest()
    if expected is not None and actual != expected:
        raise WrongContent(
            f"{file.name} from {order.source} has SHA-256 {actual}, not {expected}; nothing was stored"
        )
    file.verified(actual)
    say(f"verified {file.name}: {size} bytes, SHA-256 {actual}")
    return StoredFile(actual, size)


def _require_data(order: Import, expected: Mapping[str, str | None]) -> None:
    for name in sorted(expected):
        kind = unsafe(name)
        if kind is not None and not order.unsafe:
            raise ToolFailure(
                f"{name} of {order.source} is {kind.value}, which runs where it is read; "
                "use safetensors or GGUF: nothing was stored"
            )


def _unlocked(source: Source) -> Mapping[str, str | None]:
    listing = needed(source.listing())
    return {file.name: file.sha256 for file in listing.files}


def _manifest(order: Import, files: Mapping[str, StoredFile]) -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "format": FORMAT,
        "source": order.source,
        "license": order.license,
        "locked": order.files is not None,
        "tool": f"corral {version('corral')}",
        "files": {name: {"sha256": one.sha256, "size": one.size} for name, one in files.items()},
    }


def _recorded(order: Import, store: ModelStore) -> Mapping[str, str] | None:
    """Digests of the stored manifest, where it is of an import like `order`."""
    manifest = store.read_json(order.target, MANIFEST) or {}
    listed: dict[str, dict[str, Any]] = manifest.get("files", {})
    digests = {name: str(entry.get("sha256")) for name, entry in listed.items()}
    stated = (manifest.get("source"), manifest.get("license"), manifest.get("locked", True))
    if not digests or stated != (order.source, order.license, order.files is not None):
        return None
    return digests if order.files is None or digests == dict(order.files) else None


def _stored(target: Location, store: ModelStore, name: str, digest: str) -> bool:
    """Whether the store gives out file `name` with that SHA-256: its content is read."""
    return store.sha256_of(target, name) == digest
