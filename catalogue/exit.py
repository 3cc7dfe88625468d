"""What it takes to leave each kind of resource: its replacement, the way out of its data, the last test."""

from collections.abc import Mapping
from datetime import date as Date
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, model_validator

from corral.catalogue._read import Entry, Source, read


class Portability(StrEnum):
    """How far a resource is bound to what it runs on."""

    PORTABLE = "portable"
    PROJECT = "project"
    VENDOR = "vendor"
    PROVIDER = "provider"


class ExitTest(Entry):
    """The last time that somebody left."""

    date: Date
    by: str


class Exit(Entry):
    """One entry of the register."""

    name: str
    types: Annotated[tuple[str, ...], Field(min_length=1)]
    """Patterns of type tokens, and `chart:NAME`."""
    portability: Portability
    replacement: str | None = None
    export: str | None = None
    tested: ExitTest | Literal["untested"] | None = None
    source: Source | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "Exit":
        stated = (self.replacement, self.export, self.tested, self.source)
        if self.portability is not Portability.PORTABLE and None in stated:
            raise ValueError(f"{self.name} is not portable: state replacement, export, tested and source")
        return self


class _Exits(Entry):
    exits: tuple[Exit, ...]


@cache
def exits() -> Mapping[str, Exit]:
    """The register by name, in the order in which patterns are tried."""
    return {one.name: one for one in read("exit.yaml", _Exits).exits}


def exit_of(token: str) -> Exit | None:
    """The entry of a type token or of `chart:NAME`; None: the register lacks it."""
    fitting = (one for one in exits().values() if any(fnmatchcase(token, each) for each in one.types))
    return next(fitting, None)
