"""Tools from a project's official release files, verified by their published checksums."""

import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from corral.embedded.toolchain.builder import Builder
from corral.embedded.toolchain.downloads import NO_DOWNLOADS, expand, published_sha256
from corral.embedded.toolchain.errors import SourceUnavailable, ToolchainError
from corral.embedded.toolchain.recipes import Recipe


@dataclass(frozen=True)
class ReleaseFile:
    """One downloadable file; `{version}`, `{arch}` and `{cpu}` are filled in."""

    url: str
    checksums: str
    """URL of the published SHA-256 of the file, bare or as lines of sum and name."""
    members: Mapping[str, str]
    """Path in the archive of each program; an empty path when the file is the program itself."""


@dataclass(frozen=True)
class Release:
    """Official release files."""

    files: tuple[ReleaseFile, ...]
    seconds: float = 15
    label: str = "release archive"
    inputs: tuple[Path, ...] = ()

    def likely(self, builder: Builder) -> bool:
        return builder.releases.probe(self.files[0].url)

    def fetch(self, recipe: Recipe, builder: Builder, folder: Path) -> None:
        if builder.releases.reachable is False:
            raise SourceUnavailable(NO_DOWNLOADS)
        (folder / "bin").mkdir()
        for file in self.files:
            url = expand(file.url, recipe.version)
            sums = builder.releases.text(expand(file.checksums, recipe.version))
            archive = folder / url.rsplit("/", 1)[-1]
            builder.releases.file(url, published_sha256(sums, archive.name), archive)
            members = {program: expand(path, recipe.version) for program, path in file.members.items()}
            _take(archive, members, folder / "bin")
            archive.unlink(missing_ok=True)

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        return {program: Path("bin", program) for program in recipe.provides}


def _take(archive: Path, members: Mapping[str, str], into: Path) -> None:
    if list(members.values()) == [""]:
        archive.rename(into / next(iter(members)))
    else:
        with tarfile.open(archive) as content:
            for program, path in members.items():
                extract_member(content, path, into / program, archive.name)
    for program in members:
        (into / program).chmod(0o755)


def extract_member(content: tarfile.TarFile, path: str, target: Path, archive: str) -> None:
    """Write the regular file `path` of a tar archive to `target`.

    Raises:
        ToolchainError: the archive has no such file.
    """
    try:
        stream = content.extractfile(path)
    except KeyError:
        stream = None
    if stream is None:
        raise ToolchainError(f"{archive} has no file {path}")
    with stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out, 1 << 20)
