"""Programs built from pinned Go modules, one small module of ours per tool."""

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.recipes import HERE, Recipe

Prepare = Callable[[Builder, Path], None]
COMPILER = ["-v", "-gcflags=all=-dwarf=false", "-trimpath"]
PACKAGES_PER_REPORT = 250


def _nothing(_builder: Builder, _source: Path) -> None:
    """The module needs no preparation."""


@dataclass(frozen=True)
class GoBuild:
    """A build of programs from the module in `modules/<module>`."""

    module: str
    packages: Mapping[str, str]
    """Main package of each program; `.` is the module's own."""
    seconds: float
    """Measured on two cores with empty caches."""
    variables: Mapping[str, str]
    """String variables that the linker sets: how these programs learn their version."""
    prepare: Prepare = _nothing
    """Puts generated sources into the copy of the module."""
    tags: tuple[str, ...] = ()
    """Build tags."""
    label: str = "Go modules"

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (HERE / "modules" / self.module,)

    def built_name(self, package: str) -> str:
        """How the Go command names the program of a package: its last part that is not a major version."""
        path = self._path if package == "." else package
        return re.sub(r"/v\d+$", "", path).rsplit("/", 1)[-1]

    @property
    def _tags(self) -> tuple[str, ...]:
        return (f"-tags={','.join(self.tags)}",) if self.tags else ()

    @property
    def _path(self) -> str:
        """Path of the module, which its folder need not be named after."""
        (folder,) = self.inputs
        return (folder / "go.mod").read_text().partition("\n")[0].removeprefix("module ").strip()

    def likely(self, builder: Builder) -> bool:
        return True

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        """Copy the module and download what its programs import, and nothing else."""
        source = folder / "source"
        shutil.copytree(HERE / "modules" / self.module, source)
        self.prepare(builder, source)
        counted: list[str] = []
        builder.run_go(["list", *self._tags, "-deps", *self.packages.values()], source, counted.append)
        (folder / "packages").write_text(str(len(counted)))

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        total = int((folder / "packages").read_text())
        compiled = 0

        def count_line(line: str) -> None:
            nonlocal compiled
            compiled += " " not in line
            if compiled and compiled % PACKAGES_PER_REPORT == 0:
                builder.report(f"  {recipe.name}: {compiled} of at most {total} packages compiled")

        variables = [f"-X {name}={value}" for name, value in self.variables.items()]
        flags = " ".join(["-s", "-w", *variables])
        out = folder / "bin"
        out.mkdir()
        command = [
            "build",
            *COMPILER,
            *self._tags,
            "-ldflags",
            flags,
            "-o",
            f"{out}/",
            *self.packages.values(),
        ]
        builder.run_go(command, folder / "source", count_line)
        for program, package in self.packages.items():
            (out / self.built_name(package)).rename(out / program)
        shutil.rmtree(folder / "source")
        (folder / "packages").unlink()
        return {program: Path("bin", program) for program in self.packages}
