"""What a tool is: its version, what it provides and where it can come from, in the order of trying."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from corral.embedded.toolchain.builder import Builder

HERE = Path(__file__).parent


class Source(Protocol):
    """One way to get a tool. Every part raises SourceUnavailable when it does not apply here."""

    @property
    def label(self) -> str:
        """A few words for the plan, such as "Go modules"."""
        ...

    @property
    def seconds(self) -> float:
        """Expected time on two cores with an ordinary line."""
        ...

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files and folders of ours that decide the result."""
        ...

    def likely(self, builder: Builder) -> bool:
        """Whether this source can be expected to work; changes nothing."""
        ...

    def fetch(self, recipe: "Recipe", builder: Builder, folder: Path) -> None:
        """Bring what is needed into the empty `folder`: the part that mostly waits for the network."""
        ...

    def build(self, recipe: "Recipe", builder: Builder, folder: Path) -> Mapping[str, Path]:
        """Finish the tool in `folder`; the files that it provides, by name."""
        ...


@dataclass(frozen=True)
class Recipe:
    """A tool of the toolchain."""

    name: str
    version: str
    provides: tuple[str, ...]
    """Names of programs, environments or charts, unique in the toolchain."""
    sources: tuple[Source, ...]
    needs: tuple[str, ...] = ()
    """Tools that must be complete before this one."""

    @property
    def folder_name(self) -> str:
        return f"{self.name}-{self.version}"

    @property
    def digest(self) -> str:
        """Digest of the recipe and of the files of ours that it is made of."""
        total = hashlib.sha256(f"{self.folder_name} {sorted(self.provides)}".encode())
        for source in self.sources:
            for entry in source.inputs:
                for file in sorted(filter(Path.is_file, entry.rglob("*"))) if entry.is_dir() else [entry]:
                    total.update(f"{file.relative_to(HERE)}\0".encode() + file.read_bytes())
        return total.hexdigest()[:16]
