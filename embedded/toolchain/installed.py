"""Programs that are already on PATH, when their version fits."""

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.errors import SourceUnavailable
from corral.embedded.toolchain.recipes import Recipe

Version = tuple[int, ...]
ANSWER_SECONDS = 20


@dataclass(frozen=True)
class Installed:
    """A program of PATH and the versions of it that fit: from `lowest`, below `below`."""

    program: str
    arguments: tuple[str, ...] = ()
    """Make the program print its version."""
    pattern: str = r"v?(\d+\.\d+(?:\.\d+)?)"
    lowest: Version = ()
    below: Version = ()
    """Empty: any version fits, and the program is not asked."""

    def find(self, builder: Builder) -> Path:
        """Where it is.

        Raises:
            SourceUnavailable: it is absent or its version does not fit.
        """
        program = builder.installed(self.program)
        if not self.below:
            return program
        version = _version(program, self.arguments, self.pattern)
        if self.lowest <= version < self.below:
            return program
        have = ".".join(map(str, version)) or "no version"
        allowed = f"{'.'.join(map(str, self.lowest))} or newer, below {'.'.join(map(str, self.below))}"
        raise SourceUnavailable(f"{program} is {have}, not {allowed}")


@dataclass(frozen=True)
class OnPath:
    """All of a tool's programs on PATH."""

    programs: tuple[Installed, ...]
    together: bool = False
    """All must lie in one folder."""
    rename: Mapping[str, str] = field(default_factory=dict[str, str])
    """The name by which the toolchain knows a program, where it is another."""
    seconds: float = 1
    label: str = "PATH"
    inputs: tuple[Path, ...] = ()

    def likely(self, builder: Builder) -> bool:
        try:
            self._find(builder)
        except SourceUnavailable:
            return False
        return True

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        self._find(builder)

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        return self._find(builder)

    def _find(self, builder: Builder) -> Mapping[str, Path]:
        paths = {entry.program: entry.find(builder).absolute() for entry in self.programs}
        folders = {str(path.parent) for path in paths.values()}
        if self.together and len(folders) > 1:
            raise SourceUnavailable(
                f"{', '.join(paths)} are in several folders: {', '.join(sorted(folders))}"
            )
        return {self.rename.get(name, name): path for name, path in paths.items()}


def _version(program: Path, arguments: tuple[str, ...], pattern: str) -> Version:
    """The version that the program prints; empty when it prints none in time."""
    with tempfile.TemporaryDirectory(prefix="corral-", ignore_cleanup_errors=True) as nowhere:
        quiet = {
            "HOME": nowhere,
            "XDG_CONFIG_HOME": os.devnull,  # Go's telemetry writes there after the command has ended
            "PULUMI_HOME": nowhere,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "GOTOOLCHAIN": "local",
        }
        try:
            answer = subprocess.run(
                [program, *arguments],
                env={"PATH": str(program.parent), **quiet},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=ANSWER_SECONDS,
                text=True,
                errors="replace",
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ()
    match = re.search(pattern, answer.stdout)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
