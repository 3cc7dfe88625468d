"""Model files in a folder of this machine, or of a volume that is mounted here."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, sha256_of


class FolderSource:
    """`file:///PATH`: PATH is a file, or the folder that holds the files."""

    def __init__(self, rest: str, store: Any):
        self._path = Path(unquote(rest))
        if not self._path.is_absolute():
            raise ToolFailure(f"file://{rest}: the path must be absolute")

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

    def fetch(self, name: str, scratch: Path) -> Path:
        path = self._path / name if self._path.is_dir() else self._path
        if not path.is_file() or path.name != Path(name).name:
            raise ToolFailure(f"file://{self._path}: no file {name} there")
        return path

    def _listed(self, path: Path, name: str) -> Listed:
        return Listed(name, path.stat().st_size, sha256_of(path))
