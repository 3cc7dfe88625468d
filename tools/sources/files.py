"""Model files in a folder of this machine, or of a volume that is mounted here."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from corral.catalogue.vocabulary import SourceScheme
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Say, parts, relative, sha256_of

CHUNK = 1 << 20


class FolderSource:
    """`file:///PATH`: PATH is a file, or the folder that holds the files."""

    def __init__(self, rest: str):
        self._path = Path(unquote(parts(SourceScheme.FILE, rest)["path"]))

    def listing(self) -> Listing:
        if self._path.is_file():
            return Listing(None, (self._listed(self._path, self._path.name),))
        files = (
            sorted(path for path in self._path.rglob("*") if path.is_file()) if self._path.is_dir() else []
        )
        if not files:
            raise ToolFailure(f"file://{self._path}: no file there")
        return Listing(
            None, tuple(self._listed(path, path.relative_to(self._path).as_posix()) for path in files)
        )

    def read(self, name: str, notes: Say) -> Iterator[bytes]:
        path = self._path / relative(name) if self._path.is_dir() else self._path
        if not path.is_file() or path.name != Path(name).name:
            raise ToolFailure(f"file://{self._path}: no file {name} there")
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                yield chunk

    def _listed(self, path: Path, name: str) -> Listed:
        return Listed(name, path.stat().st_size, sha256_of(path))
