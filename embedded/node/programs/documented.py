"""The flags that images document, each list with its source and version."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from corral.catalogue import yamls


@dataclass(frozen=True)
class Documented:
    """What an image documents about its arguments."""

    image: str
    source: str
    version: str
    flags: frozenset[str]
    """Names without dashes."""


@cache
def _entries() -> dict[str, dict[str, str]]:
    text = Path(__file__).with_name("documented.yaml").read_text()
    return cast("dict[str, dict[str, str]]", yamls.load(text))


def documented(image: str) -> Documented:
    """What `image`, a repository without host, documents; a KeyError when nothing is recorded."""
    entry = _entries()[image]
    flags = frozenset(entry["flags"].split())
    return Documented(image, entry["source"], entry["version"], flags)
