"""Digests of images and charts as `corral lock` found them; what is missing is `unresolved`."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from corral.catalogue._read import FOLDER, UNRESOLVED, Entry, read_file

FILE = FOLDER / "digests.yaml"


class Locked(Entry):
    """One digest, and when it was read from its registry."""

    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    date: date


class _Digests(Entry):
    digests: dict[str, Locked]


@cache
def digests() -> Mapping[str, Locked]:
    """Resolved digests by reference, such as `ghcr.io/org/name:tag` or `oci://host/path/name:version`."""
    return load(FILE)


def load(path: Path) -> Mapping[str, Locked]:
    """Digests in `path`; none where there is no such file."""
    return read_file(path, _Digests).digests if path.exists() else {}


def digest(reference: str) -> str:
    """`sha256:…` of `reference`, or `unresolved`."""
    locked = digests().get(reference)
    return locked.digest if locked else UNRESOLVED
