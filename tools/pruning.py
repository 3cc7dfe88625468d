"""Removes from a store what models were served from before: by name, and never what nobody else wrote there.

An import writes other files below another prefix, named by them (`model_prefix`). So a prefix is one of an
import's if its manifest has the files that it is named by, and nothing else is ever removed.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from corral.catalogue.stores import model_prefix
from corral.tools.importer import MANIFEST
from corral.tools.model_store import ModelStore
from corral.tools.store import Location, Stored

Say = Callable[[str], None]


@dataclass(frozen=True)
class Prune:
    """What stays in `bucket`."""

    bucket: Location
    served: Mapping[str, Sequence[str]]
    """Prefixes that models are served from, by model."""
    previous: int
    """How many others of each model stay: those that were imported last."""


def run(order: Prune, store: ModelStore, say: Say) -> None:
    """Carry out `order`; a prefix that the bucket lets nobody remove yet stays.

    Raises:
        ToolFailure: the store refused.
        botocore.exceptions.ClientError: the store refused.
    """
    now = datetime.datetime.now(datetime.UTC)
    for name, prefixes in sorted(order.served.items()):
        others = sorted(
            _others(order.bucket, store, name, prefixes), key=lambda one: one.imported, reverse=True
        )
        for one in others[order.previous :]:
            where = f"{order.bucket.uri}{one.prefix}"
            until = max((file.kept_until for file in one.files if file.kept_until), default=now)
            if until > now:
                say(f"{where} stays: the bucket keeps it until {until:%Y-%m-%d}")
                continue
            # Without its manifest it is no model any more, whatever becomes of the rest.
            for file in sorted(one.files, key=lambda file: not file.key.endswith(f"/{MANIFEST}")):
                store.remove(order.bucket, file.key)
            say(f"removed {where}: {len(one.files)} objects, imported {one.imported:%Y-%m-%d}")
        stay = [f"{one.prefix} imported {one.imported:%Y-%m-%d}" for one in others[: order.previous]]
        say(f"{name}: served from {', '.join(prefixes)}; beside it {', '.join(stay) or 'nothing'}")


@dataclass(frozen=True)
class _Import:
    prefix: str
    files: Sequence[Stored]
    imported: datetime.datetime


def _others(bucket: Location, store: ModelStore, name: str, served: Sequence[str]) -> Iterator[_Import]:
    """Imports of model `name` that it is not served from."""
    below: dict[str, list[Stored]] = {}
    for one in store.listed(bucket, f"{name}-"):
        prefix, separator, _ = one.key.partition("/")
        if separator and prefix not in served:
            below.setdefault(prefix, []).append(one)
    for prefix, files in below.items():
        written = next((one.modified for one in files if one.key == f"{prefix}/{MANIFEST}"), None)
        if written is None:
            continue
        manifest = store.read_json(Location(bucket.bucket, prefix, bucket.scheme), MANIFEST)
        if manifest is not None and _named_by(manifest, name) == prefix:
            yield _Import(prefix, files, written)


def _named_by(manifest: Mapping[str, Any], name: str) -> str | None:
    """Prefix of model `name` with the files of `manifest`; None: it is no manifest of an import."""
    try:
        sums = {str(file): str(entry["sha256"]) for file, entry in manifest["files"].items()}
        return model_prefix(name, str(manifest["source"]), sums if manifest["locked"] else {})
    except (KeyError, TypeError, AttributeError):
        return None
